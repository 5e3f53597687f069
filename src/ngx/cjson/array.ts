/** The marks by which a table or value counts as a JSON array: cjson's two metatables and its empty array. */

import { lua, type lua_State } from "#fengari";

/** `cjson.empty_array`, as light userdata. */
export const emptyArray = Object.freeze({ cjson: "empty array" });

/** Registry keys of `cjson.array_mt` and `cjson.empty_array_mt`: one of each for all cjson modules of a state. */
export const array = Object.freeze({ cjson: "array metatable" });
export const emptyArrayMetatable = Object.freeze({ cjson: "empty array metatable" });

/** Pushes the metatable that is registered under `key`, and makes it when there is none yet; +1. */
export function pushArrayMetatable(L: lua_State, key: object): void {
  if (lua.lua_rawgetp(L, lua.LUA_REGISTRYINDEX, key) === lua.LUA_TTABLE) return;
  lua.lua_pop(L, 1);
  lua.lua_newtable(L);
  lua.lua_pushvalue(L, -1);
  lua.lua_rawsetp(L, lua.LUA_REGISTRYINDEX, key);
}

/** Whether the value at the top has the metatable that is registered under `key`; +0. */
export function hasMetatable(L: lua_State, key: object): boolean {
  if (!lua.lua_getmetatable(L, -1)) return false;
  pushArrayMetatable(L, key);
  const same = lua.lua_rawequal(L, -1, -2);
  lua.lua_pop(L, 2);
  return same;
}
