/** The patched Fengari reads source text, in pieces or not, as npm's does, and dumps what comes of it alike. */

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toBytes, toText } from "../../src/lua/stack.ts";
import { newState, patched, stock } from "./fengari-runs.ts";

type Fengari = typeof patched;
type L = ReturnType<typeof newState>;

/** Names that the lexer could take for each other: by length, by a common hash, by being reserved. */
const name = fc.oneof(
  fc.constantFrom("a", "b", "Aa", "BB", "AaAa", "BBBB", "AaBB", "ends", "nilly", "_", "x".repeat(40)),
  fc.constantFrom("x".repeat(41), `${"long_".repeat(70)}name`),
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/).map((text) => `${text}_`),
);
const text = fc.oneof(name, fc.constantFrom("", "end", "\\n\\65\\z  x", "ä\\xff", "y".repeat(300)));
const space = fc.constantFrom(
  " ",
  "  ",
  "\n",
  "\t",
  "\r\n",
  "      ",
  " -- a comment\n",
  "--[[ long\n ]] ",
  "--\n",
);

const program = fc
  .array(
    fc.oneof(
      fc.tuple(name, text).map(([a, b]) => ["local ", a, " = '", b, "'"]),
      fc.tuple(name, name, name).map(([a, b, c]) => ["function ", a, ":", b, "(", c, ") return ", c, " end"]),
      fc.tuple(name, text).map(([a, b]) => [a, " { ", a, " = ", a, '.x, ["', b, '"] = [[', a, "]] }"]),
      fc.tuple(name, name).map(([a, b]) => ["for ", a, " in ", b, " do ", a, "() end"]),
      fc.tuple(name, name).map(([a, b]) => ["local function ", a, "(...) ", b, " = not ", a, " end"]),
      // Does not compile: the message names the token.
      fc.tuple(name, name).map(([a, b]) => [a, " ", b]),
    ),
    { maxLength: 8 },
  )
  .chain((statements) =>
    fc
      .array(space, { minLength: statements.length, maxLength: statements.length })
      .map((spaces) => statements.map((parts, at) => `${parts.join("")}${spaces[at]};`).join(" ")),
  );

/** The bytecode of a program that is read in pieces of so many bytes, or the compiler's message. */
function compiled(fengari: Fengari, state: L, source: string, piece: number): string {
  const { lua } = fengari;
  const bytes = toBytes(Buffer.from(source).toString("latin1"));
  let at = 0;
  const read = () => {
    const next = at < bytes.length ? bytes.slice(at, at + piece) : null;
    at += piece;
    return next;
  };
  lua.lua_settop(state, 0);
  if (lua.lua_load(state, read, null, toBytes("=chunk"), toBytes("t")) !== lua.LUA_OK)
    return toText(lua.lua_tostring(state, -1));
  const dumped: Uint8Array[] = [];
  const keep = (_: L, block: Uint8Array, size: number) => {
    dumped.push(block.slice(0, size));
    return 0;
  };
  lua.lua_dump(state, keep, null, false);
  return Buffer.concat(dumped).toString("hex");
}

describe("source text", () => {
  const [own, npms] = [newState(patched), newState(stock)];

  it("compiles to the same bytecode, or to the same message, whatever pieces it comes in", () => {
    fc.assert(
      fc.property(program, fc.constantFrom(1, 2, 3, 7, 64, 1e6), (source, piece) => {
        expect(compiled(patched, own, source, piece)).toBe(compiled(stock, npms, source, 1e6));
      }),
      { numRuns: 400 },
    );
  });

  it("may have more names than are remembered", () => {
    const names = Array.from({ length: 5000 }, (_, n) => `name_${n}`);
    const source = [...names, ...names].map((name) => `${name} = '${name}'`).join("\n");
    const run = `${source}\nlocal sum = 0 for key, value in pairs(_G) do if key == value then sum = sum + 1 end end return sum`;
    const { lua, lauxlib } = patched;
    const state = newState(patched);
    const bytes = toBytes(run);
    expect(lauxlib.luaL_loadbuffer(state, bytes, bytes.length, toBytes("=chunk"))).toBe(lua.LUA_OK);
    lua.lua_call(state, 0, 1);
    expect(lua.lua_tointeger(state, -1)).toBe(5000);
  });
});
