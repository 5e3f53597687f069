/** How the ngx API takes text arguments where it does not insist on strings. */

import { type LuaString, lauxlib, lua, type lua_State } from "#fengari";
import { bytesAt } from "../lua/stack.ts";

const empty = new Uint8Array(0);

/** The bytes at `index` as lua-resty-core takes them: nil and false are empty, the rest by `tostring`; +0. */
export function looseBytesAt(L: lua_State, index: number): LuaString {
  if (!lua.lua_toboolean(L, index)) return empty;
  const bytes = bytesAt(L, index);
  if (bytes !== undefined) return bytes;
  const made = lauxlib.luaL_tolstring(L, index);
  lua.lua_pop(L, 1);
  return made;
}
