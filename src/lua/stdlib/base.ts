/** The basic functions: Fengari's where they do what 5.1 does, ours where they differ or would be unsafe. */

import { lauxlib, lua, type lua_State, lualib } from "#fengari";
import { pushNumber, raise, setField, textAt, toBytes } from "../stack.ts";
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
  const tonumber = functionAt(L, "tonumber");
  const ipairs = functionAt(L, "ipairs");
  setFunctions(L, {
    print: (L) => print(L, line),
    tonumber: (L) => tonumberWithBase(L, tonumber),
    ipairs: (L) => {
      // 5.3 lets ipairs(nil) pass and fails at the first step, naming nothing.
      if (lua.lua_type(L, 1) <= lua.LUA_TNIL) lauxlib.luaL_checktype(L, 1, lua.LUA_TTABLE);
      return ipairs(L);
    },
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

function print(L: lua_State, line: (text: string) => void): number {
  const count = lua.lua_gettop(L) as number;
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

/** 5.1's tonumber: a number is taken as its digits, base 10 reads as none given, and there is no 32-bit limit. */
function tonumberWithBase(L: lua_State, standard: (L: lua_State) => number): number {
  const base = lauxlib.luaL_optinteger(L, 2, 10) as number;
  if (base === 10) {
    lauxlib.luaL_checkany(L, 1);
    lua.lua_settop(L, 1);
    return standard(L);
  }
  lauxlib.luaL_argcheck(L, base >= 2 && base <= 36, 2, toBytes("base out of range"));
  lauxlib.luaL_checkstring(L, 1);
  const value = parseDigits(textAt(L, 1) ?? "", base);
  if (value === undefined) lua.lua_pushnil(L);
  else pushNumber(L, value);
  return 1;
}

function parseDigits(text: string, base: number): number | undefined {
  const [, sign, digits] = /^[ \t\n\v\f\r]*(-?)([0-9a-z]+)[ \t\n\v\f\r]*$/i.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const hexadecimal = base === 16 && /^0x[0-9a-f]/i.test(digits);
  let value = 0;
  for (const digit of hexadecimal ? digits.slice(2) : digits) {
    const weight = Number.parseInt(digit, 36);
    if (weight >= base) return undefined;
    value = value * base + weight;
  }
  return sign === "-" ? -value : value;
}
