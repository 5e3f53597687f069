/** `math` as Fengari has it, with the functions that 5.3 dropped. */

import { lauxlib, lua, type lua_CFunction, type lua_State, luaconf, lualib } from "#fengari";
import { pushNumber, toBytes } from "../stack.ts";
import { type Functions, functionAt, openLibrary, setFunctions } from "./library.ts";

/** Opens `math`; +0. */
export function openMath(L: lua_State): void {
  openLibrary(L, "math", lualib.luaopen_math);
  lua.lua_getglobal(L, toBytes("math"));
  setFunctions(L, { ...functions, mod: functionAt(L, "fmod") });
  lua.lua_pop(L, 1);
}

function number(L: lua_State, arg: number): number {
  return lauxlib.luaL_checknumber(L, arg);
}

function unary(compute: (value: number) => number): lua_CFunction {
  return (L) => {
    pushNumber(L, compute(number(L, 1)));
    return 1;
  };
}

function binary(compute: (left: number, right: number) => number): lua_CFunction {
  return (L) => {
    pushNumber(L, compute(number(L, 1), number(L, 2)));
    return 1;
  };
}

const functions: Functions = {
  atan2: binary(Math.atan2),
  cosh: unary(Math.cosh),
  sinh: unary(Math.sinh),
  tanh: unary(Math.tanh),
  log10: unary(Math.log10),
  pow: binary((base, exponent) => base ** exponent),
  ldexp: binary((mantissa, exponent) => luaconf.ldexp(mantissa, Math.trunc(exponent))),
  frexp(L) {
    const value = number(L, 1);
    const [mantissa, exponent] = Number.isFinite(value) ? luaconf.frexp(value) : [value, 0];
    pushNumber(L, mantissa);
    pushNumber(L, exponent);
    return 2;
  },
};
