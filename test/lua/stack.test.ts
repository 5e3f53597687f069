import { describe, expect, it } from "vitest";
import { lauxlib, lua } from "#fengari";
import { pushNumber, pushText, textAt, toBytes, toText } from "../../src/lua/stack.ts";

describe("stack helpers", () => {
  it("carry every byte through Lua unchanged", () => {
    const L = lauxlib.luaL_newstate();
    const every = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
    pushText(L, every);
    expect(textAt(L, -1)).toBe(every);
    expect(toText(toBytes(every))).toBe(every);
  });

  it("push integers as integers and the rest as floats", () => {
    const L = lauxlib.luaL_newstate();
    for (const [value, integer] of [
      [7, true],
      [-0, false],
      [2 ** 31, false],
      [0.5, false],
    ] as const) {
      pushNumber(L, value);
      expect(lua.lua_isinteger(L, -1)).toBe(integer);
    }
  });
});
