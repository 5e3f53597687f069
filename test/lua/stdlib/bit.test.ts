/** The `bit` library against arithmetic on integers without end. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lua } from "#fengari";
import { toBytes } from "../../../src/lua/stack.ts";
import { runLua } from "../lua-run.ts";

/** Of integers of any size: what is asked, exactly, before it is cut to 32 signed bits. */
const exact: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  tobit: (a) => a,
  bnot: (a) => ~a,
  band: (a, b) => a & b,
  bor: (a, b) => a | b,
  bxor: (a, b) => a ^ b,
  lshift: (a, b) => a << (b & 31n),
  rshift: (a, b) => BigInt.asUintN(32, a) >> (b & 31n),
  arshift: (a, b) => BigInt.asIntN(32, a) >> (b & 31n),
  rol: (a, b) => rotated(a, b & 31n),
  ror: (a, b) => rotated(a, (32n - (b & 31n)) & 31n),
  bswap: (a) => [0n, 8n, 16n, 24n].reduce((swapped, at) => (swapped << 8n) | ((a >> at) & 255n), 0n),
};

/** The bits twice in a row, so that what leaves on the left has come in on the right. */
function rotated(a: bigint, places: bigint): bigint {
  const once = BigInt.asUintN(32, a);
  return (((once << 32n) | once) << places) >> 32n;
}

const { L } = runLua("");

/** `bit[name](a, b)` in Lua. */
function inLua(name: string, a: number, b: number): number {
  lua.lua_getglobal(L, toBytes("bit"));
  lua.lua_getfield(L, -1, toBytes(name));
  lua.lua_pushnumber(L, a);
  lua.lua_pushnumber(L, b);
  lua.lua_call(L, 2, 1);
  const result = lua.lua_tonumber(L, -1);
  lua.lua_pop(L, 2);
  return result;
}

/** Beyond 2^51 LuaJIT's conversion loses the lowest bits, and so do its documents' promises. */
const integer = fc.oneof(
  fc.integer({ min: -64, max: 64 }),
  fc.integer(),
  fc.maxSafeInteger().map((value) => Math.trunc(value / 4)),
);

function compare(name: string, compute: (a: number, b: number) => number): void {
  fc.assert(
    fc.property(integer, integer, (a, b) => {
      const want = exact[name]?.(BigInt(a), BigInt(b)) ?? 0n;
      expect(compute(a, b)).toBe(Number(BigInt.asIntN(32, want)));
    }),
  );
}

describe("bit", () => {
  it.each(Object.keys(exact))("%s is exact in 32 signed bits", (name) => {
    compare(name, (a, b) => inLua(name, a, b));
  });

  it.each([
    ["an unsigned result", "bor", (a: number, b: number) => inLua("bor", a, b) >>> 0],
    ["a rotation the wrong way", "rol", (a: number, b: number) => inLua("ror", a, b)],
    ["a shift by more than 31", "lshift", (a: number, b: number) => (b > 31 ? 0 : inLua("lshift", a, b))],
  ])("is told from one with %s", (_, name, broken) => {
    expect(() => compare(name, broken)).toThrow("Property failed");
  });
});
