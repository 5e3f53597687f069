/** Whether a piece of Lua compiles, without a VM to run it in: for code that comes by the control API. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { messageAt } from "./code-cache.ts";
import { toBytes, utf8Bytes } from "./stack.ts";

let compiler: lua_State | undefined;

/** The compiler's message, with `label` as the chunk's name; undefined when the code compiles. */
export function syntaxError(label: string, code: string): string | undefined {
  compiler ??= lauxlib.luaL_newstate();
  const source = utf8Bytes(code);
  const name = utf8Bytes(`=${label}`);
  const status: number = lauxlib.luaL_loadbufferx(compiler, source, source.length, name, toBytes("t"));
  const message = status === lua.LUA_OK ? undefined : messageAt(compiler, -1);
  lua.lua_settop(compiler, 0);
  return message;
}
