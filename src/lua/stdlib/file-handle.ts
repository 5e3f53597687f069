/** The Lua value that a file is: a userdata that holds its stream. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { raise, toBytes, toText } from "../stack.ts";
import type { LuaStream } from "./stream.ts";

/** The metatable's name in the registry, PUC's own. */
export const handleType = toBytes("FILE*");

/** In the userdata of a file: its stream, until it is closed. */
class Handle {
  stream: LuaStream | undefined;
  constructor(stream: LuaStream) {
    this.stream = stream;
  }
}

/** Pushes a new file handle; +1. */
export function pushHandle(L: lua_State, stream: LuaStream): 1 {
  lua.lua_newuserdata(L, 0).handle = new Handle(stream);
  lauxlib.luaL_setmetatable(L, handleType);
  return 1;
}

/** The handle in argument `arg`, told by its class: `debug.setmetatable` can give any userdata our metatable. */
export function handleAt(L: lua_State, arg: number): Handle | undefined {
  if (lua.lua_type(L, arg) !== lua.LUA_TUSERDATA) return undefined;
  const { handle } = lua.lua_touserdata(L, arg) as { handle?: unknown };
  return handle instanceof Handle ? handle : undefined;
}

export function checkHandle(L: lua_State, arg: number): Handle {
  const handle = handleAt(L, arg);
  if (handle !== undefined) return handle;
  const found = lauxlib.luaL_typename(L, arg);
  return lauxlib.luaL_argerror(L, arg, toBytes(`FILE* expected, got ${toText(found)}`));
}

/** The stream of the open file in argument 1. */
export function streamAt(L: lua_State): LuaStream {
  return checkHandle(L, 1).stream ?? raise(L, "attempt to use a closed file");
}
