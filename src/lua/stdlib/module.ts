/** 5.1's `module` and `package.seeall` (Lua 5.1 manual, 5.3). */

import { lauxlib, lua, type lua_State } from "#fengari";
import { pushText, raise, setFunction, textAt, toBytes, utf8At } from "../stack.ts";
import type { EnvironmentFunctions } from "./environment.ts";

/** Opens `module` and `package.seeall`; `moduleGlobal` as in StateOptions; +0. */
export function openModule(
  L: lua_State,
  environment: EnvironmentFunctions,
  moduleGlobal: (name: string) => void,
): void {
  lua.lua_pushglobaltable(L);
  setFunction(L, "module", (L) => module(L, environment, moduleGlobal));
  lua.lua_pop(L, 1);
  lua.lua_getglobal(L, toBytes("package"));
  setFunction(L, "seeall", seeall);
  lua.lua_pop(L, 1);
}

function module(
  L: lua_State,
  environment: EnvironmentFunctions,
  moduleGlobal: (name: string) => void,
): number {
  lauxlib.luaL_checkstring(L, 1);
  const name = textAt(L, 1) ?? "";
  const options = lua.lua_gettop(L);
  pushModuleTable(L, name, moduleGlobal);
  const table = lua.lua_gettop(L);
  lua.lua_getfield(L, table, toBytes("_NAME"));
  if (lua.lua_isnil(L, -1)) initialise(L, table, name);
  lua.lua_settop(L, table);

  lua.lua_pushcfunction(L, environment.setfenv);
  const frame = new lua.lua_Debug();
  if (!lua.lua_getstack(L, 1, frame)) raise(L, "'module' not called from a Lua function");
  lua.lua_getinfo(L, toBytes("f"), frame);
  if (lua.lua_iscfunction(L, -1)) raise(L, "'module' not called from a Lua function");
  lua.lua_pushvalue(L, table);
  lua.lua_call(L, 2, 0);

  for (let i = 2; i <= options; i++) {
    if (!lua.lua_isfunction(L, i)) continue;
    lua.lua_pushvalue(L, i);
    lua.lua_pushvalue(L, table);
    lua.lua_call(L, 1, 0);
  }
  return 0;
}

/** Pushes `package.loaded[name]` when it is a table, else the global of that name, made when absent; +1. */
function pushModuleTable(L: lua_State, name: string, moduleGlobal: (name: string) => void): void {
  lauxlib.luaL_getsubtable(L, lua.LUA_REGISTRYINDEX, lauxlib.LUA_LOADED_TABLE);
  lua.lua_getfield(L, -1, toBytes(name));
  if (!lua.lua_istable(L, -1)) {
    lua.lua_pop(L, 1);
    lua.lua_pushglobaltable(L);
    for (const part of name.split(".")) {
      if (!enterField(L, part)) raise(L, `name conflict for module '${name}'`);
    }
    lua.lua_pushvalue(L, -1);
    lua.lua_setfield(L, -3, toBytes(name));
    moduleGlobal(utf8At(L, 1) ?? name);
  }
  lua.lua_remove(L, -2);
}

/** Replaces the table at the top by its field, made when absent; false when that is no table; +0. */
function enterField(L: lua_State, field: string): boolean {
  pushText(L, field);
  lua.lua_rawget(L, -2);
  if (lua.lua_isnil(L, -1)) {
    lua.lua_pop(L, 1);
    lua.lua_newtable(L);
    pushText(L, field);
    lua.lua_pushvalue(L, -2);
    lua.lua_settable(L, -4);
  }
  lua.lua_remove(L, -2);
  return lua.lua_istable(L, -1);
}

/** Sets `_M`, `_NAME` and `_PACKAGE` (the name up to its last dot) in the table at `table`; leaves the stack dirty. */
function initialise(L: lua_State, table: number, name: string): void {
  lua.lua_pushvalue(L, table);
  lua.lua_setfield(L, table, toBytes("_M"));
  pushText(L, name);
  lua.lua_setfield(L, table, toBytes("_NAME"));
  pushText(L, name.slice(0, name.lastIndexOf(".") + 1));
  lua.lua_setfield(L, table, toBytes("_PACKAGE"));
}

/** `package.seeall(module)`: unknown names of the module are looked up among the globals. */
function seeall(L: lua_State): number {
  lauxlib.luaL_checktype(L, 1, lua.LUA_TTABLE);
  if (!lua.lua_getmetatable(L, 1)) {
    lua.lua_newtable(L);
    lua.lua_pushvalue(L, -1);
    lua.lua_setmetatable(L, 1);
  }
  lua.lua_pushglobaltable(L);
  lua.lua_setfield(L, -2, toBytes("__index"));
  return 0;
}
