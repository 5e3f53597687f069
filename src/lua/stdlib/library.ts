/** Puts a library where programs look for it: the global of its name and `package.loaded`. */

import { lauxlib, lua, type lua_CFunction, type lua_State } from "#fengari";
import { setFunction, toBytes } from "../stack.ts";

/** Functions by the name they get in their table. */
export type Functions = Readonly<Record<string, lua_CFunction>>;

/** Opens a library of Fengari's under its name; +0. */
export function openLibrary(L: lua_State, name: string, open: lua_CFunction): void {
  lauxlib.luaL_requiref(L, toBytes(name), open, true);
  lua.lua_pop(L, 1);
}

/** Sets the functions in the table at the top; +0. */
export function setFunctions(L: lua_State, functions: Functions): void {
  for (const [name, fn] of Object.entries(functions)) setFunction(L, name, fn);
}

/** Adds functions to the global table `name`, which is made and entered in `package.loaded` when absent; +0. */
export function extendLibrary(L: lua_State, name: string, functions: Functions): void {
  openLibrary(L, name, (L) => {
    lua.lua_newtable(L);
    return 1;
  });
  lua.lua_getglobal(L, toBytes(name));
  setFunctions(L, functions);
  lua.lua_pop(L, 1);
}

/** Takes names out of the global table `name`; +0. */
export function dropFields(L: lua_State, name: string, fields: readonly string[]): void {
  lua.lua_getglobal(L, toBytes(name));
  for (const field of fields) {
    lua.lua_pushnil(L);
    lua.lua_setfield(L, -2, toBytes(field));
  }
  lua.lua_pop(L, 1);
}

/** The C function in field `field` of the table at the top, to be wrapped; +0. */
export function functionAt(L: lua_State, field: string): lua_CFunction {
  lua.lua_getfield(L, -1, toBytes(field));
  const fn = lua.lua_tocfunction(L, -1) as lua_CFunction;
  lua.lua_pop(L, 1);
  return fn;
}

/** Sets `package.preload[name]` to a loader that returns what `push` pushes; +0. */
export function setPreload(L: lua_State, name: string, push: (L: lua_State) => void): void {
  lauxlib.luaL_getsubtable(L, lua.LUA_REGISTRYINDEX, lauxlib.LUA_PRELOAD_TABLE);
  setFunction(L, name, (L) => {
    push(L);
    return 1;
  });
  lua.lua_pop(L, 1);
}
