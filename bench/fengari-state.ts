/** Fengari without an agent around it: the patched copy, one state with the standard library. */

import { lauxlib, lua, lualib } from "#fengari";

const L = lauxlib.luaL_newstate();
lualib.luaL_openlibs(L);

/** Compiles a chunk and drops it. */
export function compile(source: Uint8Array): void {
  const status = lauxlib.luaL_loadbuffer(L, new Uint8Array(source), source.length, Buffer.from("=bench"));
  if (status !== lua.LUA_OK) throw new Error(lua.lua_tojsstring(L, -1) ?? "does not compile");
  lua.lua_pop(L, 1);
}
