/** `unresolved-require`: requires of modules that are nowhere. */

import type { Finding } from "../finding.ts";
import type { Tree } from "../tree.ts";

/** Further paths that a search missed say little. */
const mostProbes = 3;

export function* unresolvedRequires(tree: Tree): Iterable<Finding> {
  const { pinnedWhy, isHostModule } = tree.parts;
  const provided = new Set(tree.files.flatMap(({ reading }) => [...reading.provides]));
  for (const file of tree.files) {
    for (const required of file.reading.facts.requires) {
      const { name, kind, guarded } = required;
      const { path, probes } = tree.resolve(name);
      if (path !== undefined || pinnedWhy(name) !== undefined || isHostModule(name) || provided.has(name))
        continue;
      const tried = probes.slice(0, mostProbes).map((probe) => tree.shown(probe));
      const more = probes.length > mostProbes ? ` or ${probes.length - mostProbes} more paths` : "";
      yield tree.finding("unresolved-require", file, {
        ...required,
        severity: kind === "load" && !guarded ? "error" : "warning",
        message: `module '${name}' is not at ${tried.join(", ")}${more}${guarded ? " (the code goes on without it)" : ""}`,
      });
    }
  }
}
