/** The search path: `lua_package_path` as ordered templates, and which path each name leads to. */

import { ReluaError } from "../errors.ts";
import { type Candidate, candidate, parsePackagePath, type SearchPath } from "./template.ts";

export {
  canonicalName,
  type FileName,
  fixedFiles,
  namesOf,
  type SearchFolder,
  sourceRoots,
} from "./names.ts";
export { type Candidate, candidates, parsePackagePath, type SearchPath } from "./template.ts";

/**
 * What `;;` stands for: Debian's path of Lua 5.1 and LuaJIT without their library folders below /usr/local/lib
 * (LUA_PATH_DEFAULT, luaconf.h).
 */
export const defaultSearchPath =
  "./?.lua;/usr/local/share/lua/5.1/?.lua;/usr/local/share/lua/5.1/?/init.lua;" +
  "/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua";

export interface SearchPathOptions {
  /** What `$prefix` and `${prefix}` stand for. */
  readonly prefix: string;
  /** Absolute. */
  readonly cwd: string;
  /** What `;;` stands for; `defaultSearchPath` when left out. */
  readonly defaultPath?: string;
}

/**
 * Parses `lua_package_path` as configured. `$prefix` is filled in as lua-nginx-module does, then `;;` is replaced
 * as Lua does in luaopen_package: every occurrence, so that the result equals Lua's `package.path` byte for byte.
 * Empty parts are skipped, as Lua skips them.
 * @throws ReluaError `search-path-invalid` for what cannot be meant: a NUL, an unknown `$name`, no template at all,
 * a prefix with `;` or `?` in it, `..` behind a `?`.
 */
export function parseSearchPath(text: string, options: SearchPathOptions): SearchPath {
  if (text.includes("\0")) throw invalid(`search path ${quote(text)} contains a NUL byte`);
  const expanded = expandDefault(
    expandPrefix(text, options.prefix),
    options.defaultPath ?? defaultSearchPath,
  );
  const searchPath = parsePackagePath(expanded, options.cwd);
  if (searchPath.templates.length === 0) {
    throw invalid(`search path ${quote(text)} has no template; it takes paths with ?, separated by ;`);
  }
  for (const template of searchPath.templates) {
    if (/\?.*(?:^|\/)\.\.(?:\/|$)/s.test(template.text)) {
      throw invalid(`search path template ${quote(template.text)} goes up (..) behind a ?; write it without`);
    }
  }
  return searchPath;
}

/** Where a search ended. */
export interface Resolution {
  /** The first candidate that exists; undefined when none does. */
  readonly path: string | undefined;
  /** The paths missed before it, in order: a file that appears at one of them changes the resolution. */
  readonly probes: readonly string[];
}

/** Finds the file of a name: the first candidate that exists. */
export function resolve(searchPath: SearchPath, name: string, exists: (path: string) => boolean): Resolution {
  const probes: string[] = [];
  for (const template of searchPath.templates) {
    const { path } = candidate(searchPath, template, name);
    if (exists(path)) return { path, probes };
    probes.push(path);
  }
  return { path: undefined, probes };
}

/** Lua's text for the places where a search found nothing (searchpath, loadlib.c). */
export function missedText(tried: readonly Pick<Candidate, "text">[]): string {
  return tried.map(({ text }) => `\n\tno file '${text}'`).join("");
}

/** The same two replacements as Lua's setpath; a mark that no text can hold keeps the second from seeing the first. */
function expandDefault(text: string, defaultPath: string): string {
  return text.replaceAll(";;", ";\0;").replaceAll("\0", () => defaultPath);
}

function expandPrefix(text: string, prefix: string): string {
  return text.replace(/\$(?:\{([^}]*)(\}?)|(\w+))/g, (whole, braced, closed, bare) => {
    if (braced !== undefined && closed === "")
      throw invalid(`search path ${quote(text)} has no } for its \${`);
    if ((braced ?? bare) !== "prefix") {
      throw invalid(`search path ${quote(text)} names ${whole}; it knows $prefix and \${prefix}`);
    }
    if (/[;?]/.test(prefix))
      throw invalid(`prefix ${quote(prefix)} contains ; or ?, which a search path cannot hold`);
    return prefix;
  });
}

function invalid(message: string): ReluaError {
  return new ReluaError("search-path-invalid", message);
}

function quote(text: string): string {
  return JSON.stringify(text);
}
