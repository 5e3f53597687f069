/** `alias`: one file that is required under several names, each of which gives an instance of its own. */

import type { StaticRequire } from "../../core/source-facts.ts";
import type { Finding } from "../finding.ts";
import type { CheckedFile, Tree } from "../tree.ts";

interface Use {
  readonly file: CheckedFile;
  readonly required: StaticRequire;
}

export function* aliases(tree: Tree): Iterable<Finding> {
  if (tree.parts.aliases === "off") return;
  for (const [path, names] of usesByFile(tree)) {
    if (names.size < 2) continue;
    const firsts = [...names.values()].map(([first]) => first as Use);
    // The name that most use is the right one, the first of the others is told.
    const [usual, ...others] = [...names].sort(([, a], [, b]) => b.length - a.length).map(([name]) => name);
    const place = names.get(others[0] ?? "")?.[0] ?? (firsts[0] as Use);
    const all = [...names.values()].flat();
    yield tree.finding("alias", place.file, {
      ...place.required,
      severity: tree.parts.aliases === "error" ? "error" : "warning",
      message: `${tree.shown(path)} is required as '${usual}' and as ${others.map((name) => `'${name}'`).join(", ")}: each has an instance of its own`,
      related: all
        .filter((use) => use !== place)
        .map(({ file, required }) => ({
          ...tree.location(file, required),
          message: `required as '${required.name}'`,
        })),
    });
  }
}

/** By real file, then by name as written: `a/b` and `a.b` are two keys of package.loaded. */
function usesByFile(tree: Tree): ReadonlyMap<string, ReadonlyMap<string, readonly Use[]>> {
  const files = new Map<string, Map<string, Use[]>>();
  for (const file of tree.files) {
    for (const required of file.reading.facts.requires) {
      const target = tree.fileOf(required.name);
      if (target === undefined) continue;
      const names = files.get(target) ?? new Map<string, Use[]>();
      files.set(target, names);
      const uses = names.get(required.name);
      if (uses === undefined) names.set(required.name, [{ file, required }]);
      else uses.push({ file, required });
    }
  }
  return files;
}
