/** `math` on doubles as LuaJIT has it: no 32-bit limits, and what 5.3 dropped. */

import { lauxlib, lua, type lua_CFunction, type lua_State, luaconf, lualib } from "#fengari";
import { pushNumber, toBytes } from "../stack.ts";
import { extendLibrary, type Functions, openLibrary } from "./library.ts";

/** Opens `math`, with a random sequence of this state's own; +0. */
export function openMath(L: lua_State): void {
  openLibrary(L, "math", lualib.luaopen_math);
  extendLibrary(L, "math", { ...functions, ...randomFunctions() });
}

function number(L: lua_State, arg: number): number {
  return lauxlib.luaL_checknumber(L, arg) as number;
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

function fold(better: (value: number, best: number) => boolean): lua_CFunction {
  return (L) => {
    let best = number(L, 1);
    const count = lua.lua_gettop(L) as number;
    for (let i = 2; i <= count; i++) {
      const value = number(L, i);
      if (better(value, best)) best = value;
    }
    pushNumber(L, best);
    return 1;
  };
}

/** The remainder with the dividend's sign, as C's fmod: `%` of JavaScript. */
const fmod = binary((left, right) => left % right);

const functions: Functions = {
  abs: unary(Math.abs),
  atan: unary(Math.atan),
  atan2: binary(Math.atan2),
  cosh: unary(Math.cosh),
  sinh: unary(Math.sinh),
  tanh: unary(Math.tanh),
  log10: unary(Math.log10),
  pow: binary((base, exponent) => base ** exponent),
  fmod,
  mod: fmod,
  ldexp: binary((mantissa, exponent) => luaconf.ldexp(mantissa, Math.trunc(exponent))),
  frexp(L) {
    const value = number(L, 1);
    const [mantissa, exponent] = Number.isFinite(value) ? luaconf.frexp(value) : [value, 0];
    pushNumber(L, mantissa);
    pushNumber(L, exponent);
    return 2;
  },
  max: fold((value, best) => value > best),
  min: fold((value, best) => value < best),
};

function randomFunctions(): Functions {
  let next: () => number = Math.random;
  return {
    randomseed(L) {
      next = seeded(number(L, 1));
      return 0;
    },
    random(L) {
      const count = lua.lua_gettop(L) as number;
      if (count === 0) {
        lua.lua_pushnumber(L, next());
        return 1;
      }
      const low = count === 1 ? 1 : Math.floor(number(L, 1));
      const high = Math.floor(number(L, count === 1 ? 1 : 2));
      lauxlib.luaL_argcheck(L, low <= high, count === 1 ? 1 : 2, toBytes("interval is empty"));
      pushNumber(L, Math.floor(next() * (high - low + 1)) + low);
      return 1;
    },
  };
}

/** A sequence in [0, 1) that the seed determines: sfc32, 53 bits a number. Not LuaJIT's own sequence. */
function seeded(seed: number): () => number {
  const words = new Uint32Array(new Float64Array([seed]).buffer);
  let [a, b, c, counter] = [words[0] ?? 0, words[1] ?? 0, 0x9e3779b9, 1];
  const word = (): number => {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + result;
    return result >>> 0;
  };
  for (let i = 0; i < 15; i++) word();
  return () => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53;
}
