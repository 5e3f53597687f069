/** Which names are never modules: the built-in rules, in one list, and the user's `watch.ignore`. */

import { compileGlob } from "./glob.ts";

/** One built-in rule, as `relua why` shows it. */
export interface IgnoreRule {
  readonly what: string;
  readonly matches: RegExp;
}

/**
 * Folders that are not entered. A root itself may have such a name. Names that start with a dot are not reachable by
 * `require` (the dot becomes a slash), and are where git, editors and Kubernetes (`..data`) keep their own.
 */
const ignoredFolderRules: readonly IgnoreRule[] = [
  { what: "names that start with a dot", matches: /^\./ },
  { what: "node_modules", matches: /^node_modules$/ },
];

/**
 * Files that a program has open on the way to another name. They are known by name alone, since they are gone before
 * anybody could look; an event on one says that a writer is at work.
 */
const temporaryFileRules: readonly IgnoreRule[] = [
  { what: "vim's swap files", matches: /^\..*\.sw[a-z]$/ },
  { what: "vim's test for a writable folder", matches: /^4913$/ },
  { what: "backup copies (vim, emacs, gedit)", matches: /~$/ },
  { what: "emacs' locks and auto-saves", matches: /^(\.#.*|#.*#)$/ },
  { what: "rsync's partial files (.NAME.XXXXXX)", matches: /^\..+\.[A-Za-z0-9]{6}$/ },
  { what: "Sublime's atomic saves", matches: /^\.subl.*\.tmp$/ },
  { what: "JetBrains' safe writes", matches: /___jb_(tmp|old)___$/ },
  { what: "git's temporary files and locks", matches: /^(\.merge_file_.*|.*\.lock)$/ },
  { what: "gio's and sed's temporary files", matches: /^(\.goutputstream-.*|sed[A-Za-z0-9]{6})$/ },
  { what: "files called .tmp or .part", matches: /\.(tmp|part|partial)$/i },
];

/** True for the name of a folder that is not entered. */
export function isIgnoredFolder(name: string): boolean {
  return folderRule(name) !== undefined;
}

/** The rule by which a folder of this name is not entered. */
export function folderRule(name: string): IgnoreRule | undefined {
  return ignoredFolderRules.find((rule) => rule.matches.test(name));
}

/** True for the name of a file that is on its way to another name. */
export function isTemporaryFile(name: string): boolean {
  return temporaryFileRule(name) !== undefined;
}

/** The rule by which a file of this name is on its way to another name. */
export function temporaryFileRule(name: string): IgnoreRule | undefined {
  return temporaryFileRules.find((rule) => rule.matches.test(name));
}

/** The user's `ignore` patterns as one test of an absolute path. */
export function compileIgnore(patterns: readonly string[]): (path: string) => boolean {
  const globs = patterns.map(compileGlob);
  return (path) => globs.some((glob) => glob.test(path));
}

/** Every rule there is, in words: the built-in ones, then the user's. */
export function rulesInWords(patterns: readonly string[]): readonly string[] {
  const builtIn = [...ignoredFolderRules, ...temporaryFileRules].map(({ what }) => what);
  return [...builtIn, ...patterns.map(patternInWords)];
}

/** `watch.ignore has "*.bak"` */
export function patternInWords(pattern: string): string {
  return `watch.ignore has ${JSON.stringify(pattern)}`;
}
