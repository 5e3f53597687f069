/** The basic functions: Fengari's where they do what 5.1 does, ours where they differ or would be unsafe. */

import { lauxlib, lua, type lua_CFunction, type lua_State, lualib } from "#fengari";
import { raise, setField, textAt, toBytes } from "../stack.ts";
import { collectgarbage, gcinfo } from "./collectgarbage.ts";
import type { EnvironmentFunctions } from "./environment.ts";
import { functionAt, openLibrary, setFunctions } from "./library.ts";
import { safeLoad } from "./load.ts";
import { newproxy } from "./newproxy.ts";

/** Opens the basic functions; `line` gets what `print` prints, without a newline; +0. */
export function openBase(
  L: lua_State,
  environment: EnvironmentFunctions,
  line: (text: string) => void,
): void {
  openLibrary(L, "_G", lualib.luaopen_base);
  lua.lua_pushglobaltable(L);
  // Libraries branch on it (Penlight, busted, luaunit): the surface they find here is 5.1's.
  setField(L, "_VERSION", "Lua 5.1");
  for (const absent of ["dofile", "loadfile"]) {
    lua.lua_pushnil(L);
    lua.lua_setfield(L, -2, toBytes(absent));
  }
  const load = safeLoad(functionAt(L, "load"), environment.pushThreadEnvironment);
  const pairs = functionAt(L, "pairs");
  const ipairs = functionAt(L, "ipairs");
  setFunctions(L, {
    print: (L) => print(L, line),
    pairs: refusingNil(pairs),
    ipairs: refusingNil(ipairs),
    load,
    loadstring: load,
    getfenv: environment.getfenv,
    setfenv: environment.setfenv,
    collectgarbage: collectgarbage(),
    gcinfo: gcinfo(),
    newproxy: newproxy(),
  });
  lua.lua_pop(L, 1);
}

/** 5.3 lets `pairs(nil)` pass and fails at the loop's first step, naming neither pairs nor its caller. */
function refusingNil(iterate: lua_CFunction): lua_CFunction {
  return (L) => {
    if (lua.lua_type(L, 1) <= lua.LUA_TNIL) lauxlib.luaL_checktype(L, 1, lua.LUA_TTABLE);
    return iterate(L);
  };
}

function print(L: lua_State, line: (text: string) => void): number {
  const count = lua.lua_gettop(L);
  const texts: string[] = [];
  // As in 5.1, a program that replaces the global tostring changes what print prints.
  lua.lua_getglobal(L, toBytes("tostring"));
  for (let i = 1; i <= count; i++) {
    lua.lua_pushvalue(L, -1);
    lua.lua_pushvalue(L, i);
    lua.lua_call(L, 1, 1);
    const text = textAt(L, -1);
    if (text === undefined) raise(L, "'tostring' must return a string to 'print'");
    texts.push(text);
    lua.lua_pop(L, 1);
  }
  line(texts.join("\t"));
  return 0;
}
