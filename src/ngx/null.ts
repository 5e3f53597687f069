/** `ngx.null`: the light userdata NULL, which stands for "no value" where Lua's nil cannot. */

import { lua, type lua_State } from "#fengari";
import { pushText, setFunction, toBytes } from "../lua/stack.ts";
import type { NgxHost } from "./host.ts";

/** Pushes `ngx.null`, which is also `cjson.null`; +1. */
export function pushNull(L: lua_State): void {
  lua.lua_pushlightuserdata(L, null);
}

/** Whether the value at `index` is `ngx.null`; +0. */
export function isNull(L: lua_State, index: number): boolean {
  return lua.lua_type(L, index) === lua.LUA_TLIGHTUSERDATA && lua.lua_touserdata(L, index) === null;
}

function nameLightUserdata(L: lua_State): number {
  if (isNull(L, 1)) pushText(L, "userdata: NULL");
  else lua.lua_pushfstring(L, toBytes("userdata: %p"), lua.lua_topointer(L, 1));
  return 1;
}

/** Sets `null`; +0. */
export function openNull(L: lua_State, _host: NgxHost): void {
  pushNull(L);
  // Fengari prints JavaScript's null; all light userdata share one metatable, hidden from getmetatable.
  lua.lua_createtable(L, 0, 2);
  setFunction(L, "__tostring", nameLightUserdata);
  lua.lua_pushboolean(L, false);
  lua.lua_setfield(L, -2, toBytes("__metatable"));
  lua.lua_setmetatable(L, -2);
  lua.lua_setfield(L, -2, toBytes("null"));
}
