/** From files back to names: which module names reach a path, and which folders hold everything reachable. */

import { candidates, type SearchPath, type Template } from "./template.ts";

/** A name that leads to a path. */
export interface FileName {
  /** In dots: `app.models.user`. */
  readonly name: string;
  /** The path that an earlier template answers with instead; absent when the name really leads here. */
  readonly shadowedBy?: string;
}

/**
 * One spelling for all spellings of a name: `a/b`, `a//b`, `a..b`, `./a/b` and `.a.b` are `a.b`, because `.` and `/`
 * mean the same to the search and slashes in a row mean one. Spellings at the end are kept apart: `a.` is the file
 * `a/.lua`. Holds for templates with a slash before `?`, that is for all that are in use.
 */
export function canonicalName(name: string): string {
  return name.replace(/[./]+/g, ".").replace(/^\.(?=.)/s, "");
}

/**
 * All names that reach `path` through one of the templates, in canonical spelling and in the order of the templates.
 * Files that no name reaches (a dot in the name, outside of all folders) give none; neither do templates without `?`,
 * which every name reaches (see `fixedFiles`), nor the empty name.
 * @param path absolute and normalised
 */
export function namesOf(
  searchPath: SearchPath,
  path: string,
  exists: (path: string) => boolean,
): readonly FileName[] {
  const found = new Map<string, FileName>();
  for (const template of searchPath.templates) {
    const name = nameBy(template, path);
    if (name === undefined || found.has(name)) continue;
    const earlier = candidates(searchPath, name).map((candidate) => candidate.path);
    const shadow = earlier.slice(0, earlier.indexOf(path)).find((other) => exists(other));
    found.set(name, shadow === undefined ? { name } : { name, shadowedBy: shadow });
  }
  return [...found.values()];
}

/** A folder and the ends that a reachable file below it can have. */
export interface SearchFolder {
  /** Absolute, lexical. */
  readonly folder: string;
  /** `.lua` for `folder/?.lua`, `/init.lua` for `folder/?/init.lua`. */
  readonly suffixes: readonly string[];
}

/** The folders below which everything reachable lies, each once with all of its suffixes, in order of the search. */
export function sourceRoots(searchPath: SearchPath): readonly SearchFolder[] {
  const suffixes = new Map<string, Set<string>>();
  for (const { folder, suffix, fixed } of searchPath.templates) {
    if (fixed) continue;
    suffixes.set(folder, (suffixes.get(folder) ?? new Set()).add(suffix));
  }
  return [...suffixes].map(([folder, set]) => ({ folder, suffixes: [...set] }));
}

/** The paths of templates without `?`: single files, to be watched beside the roots. */
export function fixedFiles(searchPath: SearchPath): readonly string[] {
  return searchPath.templates.filter(({ fixed }) => fixed).map(({ absolute }) => absolute);
}

/** The canonical name that `template` turns into `path`, if there is one. */
function nameBy(template: Template, path: string): string | undefined {
  if (template.fixed) return undefined;
  const parts = template.absolute.split("?");
  const fixedLength = parts.reduce((sum, part) => sum + part.length, 0);
  const length = (path.length - fixedLength) / (parts.length - 1);
  if (!Number.isInteger(length) || length < 1) return undefined;
  const start = parts[0]?.length ?? 0;
  const fragment = path.slice(start, start + length);
  // The search turns each dot of a name into a slash, so no name puts a dot into a path.
  if (fragment.includes(".") || parts.join(fragment) !== path) return undefined;
  return fragment.replaceAll("/", ".");
}
