/** Says which rule keeps a path from being a module: the words for what `Territory` decides. */

import { basename, dirname, resolve } from "node:path";
import type { SourceOptions } from "./contract.ts";
import { compileIgnore, folderRule, patternInWords, temporaryFileRule } from "./ignore-rules.ts";

/** The rule in words; undefined for a path that no rule is about, and for one that no root holds. */
export type IgnoredBy = (path: string) => string | undefined;

export function createIgnoredBy({
  roots,
  files,
  ignore,
}: Pick<SourceOptions, "roots" | "files" | "ignore">): IgnoredBy {
  const folders = new Set(roots.map(({ folder }) => resolve(folder)));
  const single = new Set(files.map((file) => resolve(file)));
  const patterns = ignore.map((pattern) => ({ pattern, matches: compileIgnore([pattern]) }));
  const byPattern = (path: string) => {
    const found = patterns.find(({ matches }) => matches(path));
    return found && patternInWords(found.pattern);
  };
  const ruleOfFolder = (folder: string) => {
    const rule = folderRule(basename(folder));
    return rule ? `${folder}: ${rule.what}` : byPattern(folder);
  };
  return (path) => {
    if (single.has(path)) return undefined;
    const name = basename(path);
    let found = byPattern(path) ?? temporaryFileRule(name)?.what;
    // A root inside of an ignored folder is walked, whatever its own name is.
    for (let folder = dirname(path); !folders.has(folder); folder = dirname(folder)) {
      if (folder === dirname(folder)) return undefined;
      found ??= ruleOfFolder(folder);
    }
    return found;
  };
}
