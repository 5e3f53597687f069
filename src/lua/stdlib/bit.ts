/** LuaJIT's `bit` library (bitop.luajit.org): signed 32-bit results, numbers taken modulo 2^32. */

import { lauxlib, lua, type lua_CFunction, type lua_State } from "#fengari";
import { pushText } from "../stack.ts";
import { extendLibrary, type Functions } from "./library.ts";

/** Adding and subtracting it rounds a double to the nearest integer, ties to even: how LuaJIT converts. */
const roundingMagic = 2 ** 52 + 2 ** 51;

/** The 32 bits of argument `arg`. */
function bits(L: lua_State, arg: number): number {
  const value = lauxlib.luaL_checknumber(L, arg);
  // Beyond 2^51 a double has no fraction worth rounding; `| 0` is modulo 2^32 there.
  return Math.abs(value) < 2 ** 51 ? (value + roundingMagic - roundingMagic) | 0 : value | 0;
}

function unary(compute: (value: number) => number): lua_CFunction {
  return (L) => {
    lua.lua_pushinteger(L, compute(bits(L, 1)) | 0);
    return 1;
  };
}

function shift(compute: (value: number, places: number) => number): lua_CFunction {
  return (L) => {
    lua.lua_pushinteger(L, compute(bits(L, 1), bits(L, 2) & 31) | 0);
    return 1;
  };
}

function fold(compute: (left: number, right: number) => number): lua_CFunction {
  return (L) => {
    let result = bits(L, 1);
    const count = lua.lua_gettop(L);
    for (let i = 2; i <= count; i++) result = compute(result, bits(L, i));
    lua.lua_pushinteger(L, result);
    return 1;
  };
}

const functions: Functions = {
  tobit: unary((value) => value),
  bnot: unary((value) => ~value),
  bswap: unary(
    (value) => (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24),
  ),
  band: fold((left, right) => left & right),
  bor: fold((left, right) => left | right),
  bxor: fold((left, right) => left ^ right),
  lshift: shift((value, places) => value << places),
  rshift: shift((value, places) => value >>> places),
  arshift: shift((value, places) => value >> places),
  rol: shift((value, places) => (value << places) | (value >>> (32 - places))),
  ror: shift((value, places) => (value >>> places) | (value << (32 - places))),
  tohex(L) {
    const value = bits(L, 1) >>> 0;
    const wanted = lua.lua_isnoneornil(L, 2) ? 8 : bits(L, 2);
    const digits = Math.min(Math.abs(wanted), 8);
    const text = digits === 0 ? "" : value.toString(16).padStart(8, "0").slice(-digits);
    pushText(L, wanted < 0 ? text.toUpperCase() : text);
    return 1;
  },
};

/** Opens `bit`; +0. */
export function openBit(L: lua_State): void {
  extendLibrary(L, "bit", functions);
}
