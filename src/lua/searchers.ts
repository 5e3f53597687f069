/** The searchers of `package.searchers` (`package.loaders` in 5.1), and `package.searchpath`. */

import { lauxlib, lua, type lua_CFunction, type lua_State } from "#fengari";
import {
  type Candidate,
  candidates,
  missedText,
  parsePackagePath,
  type SearchPath,
} from "../core/search-path.ts";
import type { Files, FoundFile } from "./files.ts";
import type { Generations } from "./generations.ts";
import type { Requirers, Search } from "./requirers.ts";
import { pushUtf8, raiseUtf8, setFunction, toBytes, utf8At, utf8Bytes } from "./stack.ts";

export interface SearchersParts {
  readonly L: lua_State;
  readonly files: Files;
  readonly generations: Generations;
  readonly requirers: Requirers;
  readonly cwd: string;
  readonly packagePath: string;
  /** The search that is under way for `name`, if it was begun by `require`. */
  readonly searchFor: (name: string) => Search | undefined;
}

/** Fills the `package` table: path, cpath, loaders, searchers, searchpath. */
export function installSearchers(parts: SearchersParts): void {
  const { L: main, files, generations, requirers } = parts;
  let parsed: SearchPath = parsePackagePath(parts.packagePath, parts.cwd);

  const currentPath = (L: lua_State): SearchPath => {
    pushPackage(L);
    lua.lua_getfield(L, -1, toBytes("path"));
    const text = utf8At(L, -1);
    lua.lua_pop(L, 2);
    if (text === undefined) raiseUtf8(L, "'package.path' must be a string");
    if (text !== parsed.text) parsed = parsePackagePath(text, parts.cwd);
    return parsed;
  };

  const searchPreload: lua_CFunction = (L) => {
    const name = nameArgument(L, 1);
    pushPackage(L);
    lua.lua_getfield(L, -1, toBytes("preload"));
    if (!lua.lua_istable(L, -1)) raiseUtf8(L, "'package.preload' must be a table");
    lua.lua_getfield(L, -1, utf8Bytes(name));
    if (lua.lua_isnil(L, -1)) pushUtf8(L, `\n\tno field package.preload['${name}']`);
    return 1;
  };

  const searchFiles: lua_CFunction = (L) => {
    const name = nameArgument(L, 1);
    const search = parts.searchFor(name);
    const missed: Candidate[] = [];
    for (const candidate of candidates(currentPath(L), name)) {
      const found = files.find(candidate.path, generations.shown);
      if (!found) {
        missed.push(candidate);
        continue;
      }
      if (search) {
        search.found = found;
        search.probes = missed.map(({ path }) => path);
      }
      const compiled = files.push(L, found, generations.shown);
      if (!compiled.ok)
        raiseUtf8(L, `error loading module '${name}' from file '${candidate.text}':\n\t${compiled.message}`);
      pushUtf8(L, candidate.text);
      return 2;
    }
    if (search) search.probes = missed.map(({ path }) => path);
    pushUtf8(L, missedText(missed));
    return 1;
  };

  const searchPath: lua_CFunction = (L) => {
    const name = nameArgument(L, 1);
    const path = nameArgument(L, 2);
    const separator = lua.lua_isnoneornil(L, 3) ? "." : nameArgument(L, 3);
    const replacement = lua.lua_isnoneornil(L, 4) ? "/" : nameArgument(L, 4);
    const spelled = separator === "" ? name : name.replaceAll(separator, () => replacement);
    const view = generations.shown;
    const missed: Candidate[] = [];
    let found: { readonly text: string; readonly file: FoundFile } | undefined;
    for (const template of parsePackagePath(path, parts.cwd).templates) {
      const text = template.text.replaceAll("?", () => spelled);
      const candidate = { text, path: files.absolute(text) };
      const file = files.find(candidate.path, view);
      if (file) {
        found = { text, file };
        break;
      }
      missed.push(candidate);
    }
    const label = `=searchpath(${spelled} in ${path})`;
    requirers.record(L, files.searched(label, found?.file, missed, view));
    if (found) {
      pushUtf8(L, found.text);
      return 1;
    }
    lua.lua_pushnil(L);
    pushUtf8(L, missedText(missed));
    return 2;
  };

  pushPackage(main);
  pushUtf8(main, parts.packagePath);
  lua.lua_setfield(main, -2, toBytes("path"));
  pushUtf8(main, "");
  lua.lua_setfield(main, -2, toBytes("cpath"));
  setFunction(main, "searchpath", searchPath);
  lua.lua_createtable(main, 2, 0);
  for (const [i, searcher] of [searchPreload, searchFiles].entries()) {
    lua.lua_pushcfunction(main, searcher);
    lua.lua_rawseti(main, -2, i + 1);
  }
  lua.lua_pushvalue(main, -1);
  lua.lua_setfield(main, -3, toBytes("loaders"));
  lua.lua_setfield(main, -2, toBytes("searchers"));
  lua.lua_pop(main, 1);
}

/** Pushes the `package` table, whatever Lua code did to the global of that name; +1. */
export function pushPackage(L: lua_State): void {
  lua.lua_getfield(L, lua.LUA_REGISTRYINDEX, packageKey);
  if (!lua.lua_isnil(L, -1)) return;
  lua.lua_pop(L, 1);
  lua.lua_getglobal(L, toBytes("package"));
  lua.lua_pushvalue(L, -1);
  lua.lua_setfield(L, lua.LUA_REGISTRYINDEX, packageKey);
}

/** A string argument of the running C function; raises Lua's "bad argument" otherwise. */
export function nameArgument(L: lua_State, index: number): string {
  lauxlib.luaL_checkstring(L, index);
  return utf8At(L, index)!;
}

const packageKey = toBytes("relua.package");
