/** Templates: the parts of a search path, and the path that each of them makes of a name. */

import { posix } from "node:path";

/** One part of a search path. */
export interface Template {
  /** As Lua sees it, e.g. `./?.lua`. */
  readonly text: string;
  /** Resolved against the working folder, `//`, `.` and `..` collapsed; every `?` kept. */
  readonly absolute: string;
  /** The fixed absolute folder before the first `?`, without a slash at its end (but for `/` itself). */
  readonly folder: string;
  /** What follows the last `?`: `.lua`, `/init.lua`; for a template without `?` its last segment, `/boot.lua`. */
  readonly suffix: string;
  /** The template has no `?`: one file for every name, which Lua accepts (Lua 5.1 manual, package.loaders). */
  readonly fixed: boolean;
}

/** A parsed `lua_package_path`. Immutable; texts are in the encoding that the caller gave. */
export interface SearchPath {
  /** Expanded: what `package.path` of a new VM becomes. */
  readonly text: string;
  /** The folder that relative templates start from, absolute. */
  readonly cwd: string;
  readonly templates: readonly Template[];
}

/** A path where a name could be. */
export interface Candidate {
  /** As Lua's own messages show it, `./a/b.lua`. */
  readonly text: string;
  /** Absolute and normalised: the key of the manifest. Symlinks are not resolved, `..` is collapsed by text. */
  readonly path: string;
}

/**
 * Parses a `package.path` that Lua code set at run time: no `;;`, no `$prefix`, and nothing is an error, as in Lua's
 * own search. Costs a few microseconds: the caller keeps the result for as long as the string stays the same.
 * @param cwd absolute
 */
export function parsePackagePath(text: string, cwd: string): SearchPath {
  // Lua takes the path for a C string.
  const end = text.indexOf("\0");
  const visible = end < 0 ? text : text.slice(0, end);
  const templates = visible.split(";").filter((part) => part !== "");
  return { text, cwd, templates: templates.map((part) => parseTemplate(part, cwd)) };
}

/** Where Lua looks for `name`, in order: `.` becomes `/`, and that replaces every `?` (Lua's searchpath). */
export function candidates(searchPath: SearchPath, name: string): readonly Candidate[] {
  return searchPath.templates.map((template) => candidate(searchPath, template, name));
}

/** Where one template puts `name`. */
export function candidate(searchPath: SearchPath, template: Template, name: string): Candidate {
  const text = template.text.replaceAll("?", () => name.replaceAll(".", "/"));
  return { text, path: absolutePath(searchPath.cwd, text) };
}

/** Keeps a slash at the end, so that `a/` is not taken for the file `a`: opening it fails. */
function absolutePath(cwd: string, text: string): string {
  const path = posix.resolve(cwd, text);
  return /(?:^|\/)\.{0,2}$/.test(text) && path !== "/" ? `${path}/` : path;
}

function parseTemplate(text: string, cwd: string): Template {
  const absolute = absolutePath(cwd, text);
  const first = absolute.indexOf("?");
  const cut = absolute.lastIndexOf("/", first < 0 ? undefined : first);
  return {
    text,
    absolute,
    folder: cut === 0 ? "/" : absolute.slice(0, cut),
    suffix: first < 0 ? absolute.slice(cut) : absolute.slice(absolute.lastIndexOf("?") + 1),
    fixed: first < 0,
  };
}
