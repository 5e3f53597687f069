/** `global-write` and `global-read`: globals that nobody declared (what lua-releng looks for). */

import type { Finding } from "../finding.ts";
import { knownGlobals } from "../known-globals.ts";
import type { GlobalUse, SourceReading } from "../read-source.ts";
import type { Tree } from "../tree.ts";

/** One finding for each global of a file. */
export function* globalWrites(tree: Tree): Iterable<Finding> {
  for (const file of tree.files) {
    if (!hasGlobals(file.reading)) continue;
    for (const [name, use] of file.reading.writes) {
      if (tree.parts.globals.has(name)) continue;
      const when = use.kind === "call" ? " inside a function" : "";
      yield tree.finding("global-write", file, {
        ...use,
        message: `writes the global '${name}'${when}${timesOf(use)}; is a local missing?`,
      });
    }
  }
}

/** What any checked file declares or writes is there: a write has been told already. */
export function* globalReads(tree: Tree): Iterable<Finding> {
  const declared = new Set(
    tree.files.flatMap(({ reading }) => [
      ...reading.declared,
      ...(hasGlobals(reading) ? reading.writes.keys() : []),
    ]),
  );
  for (const file of tree.files) {
    if (file.reading.hasOwnEnvironment) continue;
    for (const [name, use] of file.reading.reads) {
      if (knownGlobals.has(name) || tree.parts.globals.has(name) || declared.has(name)) continue;
      if (file.reading.writes.has(name)) continue;
      yield tree.finding("global-read", file, {
        ...use,
        message: `reads the global '${name}', which nothing declares${timesOf(use)}`,
      });
    }
  }
}

/** What a module of `module()` writes goes into the module. */
function hasGlobals({ isOldModule, hasOwnEnvironment }: SourceReading): boolean {
  return !isOldModule && !hasOwnEnvironment;
}

function timesOf({ times }: GlobalUse): string {
  return times > 1 ? ` (${times} times)` : "";
}
