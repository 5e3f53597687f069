/** Runs all rules over the files of a tree, and leaves out what comments and config ask to leave out. */

import type { RuleId } from "../core/check-rules.ts";
import { type Finding, inOrder } from "./finding.ts";
import { aliases } from "./rules/alias.ts";
import { seeAllModules, unloadableModules } from "./rules/cannot-unload.ts";
import { globalReads, globalWrites } from "./rules/globals.ts";
import { requireCycles } from "./rules/require-cycle.ts";
import { shadowedFiles } from "./rules/shadowed-file.ts";
import { syntaxErrors } from "./rules/syntax-error.ts";
import { unresolvedRequires } from "./rules/unresolved-require.ts";
import { Tree, type TreeParts } from "./tree.ts";

const all: readonly ((tree: Tree) => Iterable<Finding>)[] = [
  syntaxErrors,
  unresolvedRequires,
  aliases,
  requireCycles,
  shadowedFiles,
  globalWrites,
  globalReads,
  unloadableModules,
  seeAllModules,
];

/** All findings, by file and place. `ignored` says what the config leaves out. */
export function checkTree(
  parts: TreeParts,
  ignored: (rule: RuleId, path: string) => boolean,
): readonly Finding[] {
  const tree = new Tree(parts);
  const suppressions = new Map(parts.checked.map(({ source, reading }) => [source.path, reading.suppressed]));
  return all
    .flatMap((rule) => [...rule(tree)])
    .filter(({ rule, path, line }) => !ignored(rule, path) && suppressions.get(path)?.(rule, line) !== true)
    .sort(inOrder);
}
