/** Globals by dotted path, as Lua 5.1's `module("a.b.c")` creates them: tables within tables below `_G`. */

import { lua, type lua_State } from "#fengari";
import { pushUtf8 } from "./stack.ts";

/** Pushes the table that holds the last part of `path`, or nil; +1. Returns the last part. */
function pushParent(L: lua_State, path: string): string {
  const parts = path.split(".");
  const last = parts.pop()!;
  lua.lua_pushglobaltable(L);
  for (const part of parts) {
    if (!lua.lua_istable(L, -1)) break;
    pushUtf8(L, part);
    lua.lua_rawget(L, -2);
    lua.lua_remove(L, -2);
  }
  return last;
}

/** Pushes the global at `path`, nil where a table on the way is missing; +1. */
export function pushGlobal(L: lua_State, path: string): void {
  const last = pushParent(L, path);
  if (lua.lua_istable(L, -1)) {
    pushUtf8(L, last);
    lua.lua_rawget(L, -2);
  } else {
    lua.lua_pushnil(L);
  }
  lua.lua_remove(L, -2);
}

/** Pops a value and makes it the global at `path`; nothing happens where a table on the way is missing; -1. */
export function setGlobal(L: lua_State, path: string): void {
  const last = pushParent(L, path);
  if (lua.lua_istable(L, -1)) {
    pushUtf8(L, last);
    lua.lua_pushvalue(L, -3);
    lua.lua_rawset(L, -3);
  }
  lua.lua_pop(L, 2);
}

/** Removes the global at `path`; +0. */
export function clearGlobal(L: lua_State, path: string): void {
  lua.lua_pushnil(L);
  setGlobal(L, path);
}
