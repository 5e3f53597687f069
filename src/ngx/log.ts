/** `ngx.log` and Lua's `print`: messages to the agent's log, with the place they come from. */

import { lauxlib, lua, type lua_Debug, type lua_State } from "#fengari";
import { logLevels } from "../core/log.ts";
import { raise, setField, setFunction, textAt, toBytes, toText } from "../lua/stack.ts";
import type { NgxHost } from "./host.ts";

/** `file.lua:12: name(): ` of the Lua function that called, as lua-nginx-module's log_wrapper forms it; +0. */
function callerPrefix(L: lua_State): string {
  const ar = new lua.lua_Debug() as lua_Debug;
  if (!lua.lua_getstack(L, 1, ar)) return "";
  lua.lua_getinfo(L, toBytes("Snl"), ar);
  const source = toText(ar.short_src);
  // Only files are cut to their last part: the name of an inline chunk may hold a location's slashes.
  const file = toText(ar.source).startsWith("@") ? source.replace(/^.*[/\\]/s, "") : source;
  const line = ar.currentline > 0 ? ar.currentline : ar.linedefined;
  const named = ar.name !== null && ar.namewhat.length > 0 && toText(ar.what).startsWith("L");
  return `${file}:${line}: ${named ? `${toText(ar.name as Uint8Array)}(): ` : ""}`;
}

function argumentError(L: lua_State, index: number, message: string): never {
  return lauxlib.luaL_argerror(L, index, toBytes(message));
}

/** The text of the argument at `index`; raises for what cannot be logged; +0. */
function logTextAt(L: lua_State, index: number): string {
  const type = lua.lua_type(L, index);
  switch (type) {
    case lua.LUA_TNUMBER:
    case lua.LUA_TSTRING:
      return textAt(L, index) as string;
    case lua.LUA_TNIL:
      return "nil";
    case lua.LUA_TBOOLEAN:
      return lua.lua_toboolean(L, index) ? "true" : "false";
    case lua.LUA_TLIGHTUSERDATA:
      if (lua.lua_touserdata(L, index) === null) return "null";
      break;
    case lua.LUA_TTABLE: {
      if (!lauxlib.luaL_callmeta(L, index, toBytes("__tostring"))) {
        argumentError(L, index, "expected table to have __tostring metamethod");
      }
      const text = textAt(L, -1);
      lua.lua_pop(L, 1);
      if (text !== undefined) return text;
      raise(L, "'__tostring' must return a string");
    }
  }
  const name = toText(lua.lua_typename(L, type));
  return argumentError(L, index, `string, number, boolean, or nil expected, got ${name}`);
}

/** Logs all arguments, joined, at the level of this number; +0. */
function write(L: lua_State, host: NgxHost, level: number): number {
  let message = "";
  const count = lua.lua_gettop(L);
  for (let index = 1; index <= count; index++) message += logTextAt(L, index);
  host.log(logLevels[level] as (typeof logLevels)[number], `[lua] ${callerPrefix(L)}${message}`);
  return 0;
}

/** Sets `log` and the level constants `STDERR` … `DEBUG`, and makes the global `print` log as a notice; +0. */
export function openLog(L: lua_State, host: NgxHost): void {
  logLevels.forEach((name, number) => {
    setField(L, name === "error" ? "ERR" : name.toUpperCase(), number);
  });
  setFunction(L, "log", (L) => {
    const level = lauxlib.luaL_checkinteger(L, 1);
    if (level < 0 || level >= logLevels.length) argumentError(L, 1, `bad log level: ${level}`);
    lua.lua_remove(L, 1);
    return write(L, host, level);
  });
  lua.lua_pushcfunction(L, (L: lua_State) => write(L, host, logLevels.indexOf("notice")));
  lua.lua_setglobal(L, toBytes("print"));
}
