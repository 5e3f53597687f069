/** `cannot-unload` and `module-seeall`: modules that a reload cannot take back. */

import type { Finding } from "../finding.ts";
import type { CheckedFile, Tree } from "../tree.ts";

/** One finding for each file; none for modules that are never unloaded. */
export function* unloadableModules(tree: Tree): Iterable<Finding> {
  for (const file of tree.files) {
    const [first, ...others] = file.reading.unloadable;
    if (first === undefined || file.reading.pinsItself || isPinned(tree, file)) continue;
    yield tree.finding("cannot-unload", file, {
      ...first,
      message: `${first.what} stays in the VM when the module is loaded again; pin it (hot.pin() or reload.pinned), or keep it in a module of its own`,
      related: others.map((other) => ({ ...tree.location(file, other), message: other.what })),
    });
  }
}

export function* seeAllModules(tree: Tree): Iterable<Finding> {
  for (const file of tree.files)
    for (const place of file.reading.seeAll)
      yield tree.finding("module-seeall", file, {
        ...place,
        message:
          "module(..., package.seeall) makes the module a global and every global a field of it; return a local table",
      });
}

function isPinned(tree: Tree, { source }: CheckedFile): boolean {
  return tree.namesOf(source.path).some(({ name }) => tree.parts.pinnedWhy(name) !== undefined);
}
