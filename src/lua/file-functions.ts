/** `dofile` and `loadfile` over the manifest: what they run is a node of the graph like any module. */

import { lua, type lua_CFunction, type lua_State } from "#fengari";
import type { Files } from "./files.ts";
import type { Generations } from "./generations.ts";
import type { Requirers } from "./requirers.ts";
import { nameArgument } from "./searchers.ts";
import { pushUtf8, raiseUtf8, toBytes } from "./stack.ts";

export interface FileFunctionParts {
  readonly L: lua_State;
  readonly files: Files;
  readonly generations: Generations;
  readonly requirers: Requirers;
}

/** Sets the globals `dofile` and `loadfile` (Lua 5.1 manual, 5.1; loadfile takes 5.2's mode and environment); +0. */
export function installFileFunctions(parts: FileFunctionParts): void {
  const { L: main, files, generations, requirers } = parts;

  /** Pushes the main function of the file named at 1, or says why not; +1 when there is no message. */
  const push = (L: lua_State): string | undefined => {
    const name = nameArgument(L, 1);
    const view = generations.shown;
    const found = files.find(files.absolute(name), view);
    requirers.record(L, found ? files.runs(found, view) : files.misses(files.absolute(name), view));
    if (!found) return `cannot open ${name}`;
    const compiled = files.push(L, found, view);
    return compiled.ok ? undefined : compiled.message;
  };

  const loadfile: lua_CFunction = (L) => {
    const message = push(L);
    if (message !== undefined) {
      lua.lua_pushnil(L);
      pushUtf8(L, message);
      return 2;
    }
    if (!lua.lua_isnone(L, 3)) {
      lua.lua_pushvalue(L, 3);
      if (lua.lua_setupvalue(L, -2, 1) === null) lua.lua_pop(L, 1);
    }
    return 1;
  };

  const returnAll = (L: lua_State): number => lua.lua_gettop(L) - 1;

  const dofile: lua_CFunction = (L) => {
    lua.lua_settop(L, 1);
    const message = push(L);
    if (message !== undefined) raiseUtf8(L, message);
    lua.lua_callk(L, 0, lua.LUA_MULTRET, null, returnAll);
    return returnAll(L);
  };

  lua.lua_pushcfunction(main, loadfile);
  lua.lua_setglobal(main, toBytes("loadfile"));
  lua.lua_pushcfunction(main, dofile);
  lua.lua_setglobal(main, toBytes("dofile"));
}
