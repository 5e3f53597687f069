/** What a source text says of itself: which modules and files it loads, when, and whether it can do without. */

import { describe, expect, it } from "vitest";
import { extractFacts } from "../../src/check/extract-facts.ts";

/** `name@line`, with `?` for guarded and `()` for inside a function. */
const told = (text: string) =>
  extractFacts(text).requires.map(
    ({ name, line, kind, guarded }) => `${name}@${line}${guarded ? "?" : ""}${kind === "call" ? "()" : ""}`,
  );

describe("requires", () => {
  it.each([
    [
      "in all forms of a call",
      'require "a" require("b") require[[c]] require"d".field()',
      ["a@1", "b@1", "c@1", "d@1"],
    ],
    ["of names joined of literals", 'require("a." .. "b" .. [==[.c]==])', ["a.b.c@1"]],
    ["with escapes", 'require "\\x61\\z\n  .\\98\\u{63}"', ["a.bc@1"]],
    ["beyond ASCII, byte by byte", 'require "gr\xc3\xb6\xc3\x9fe"', ["gr\xc3\xb6\xc3\x9fe@1"]],
    ["through pcall", 'local ok, m = pcall(require, "a")', ["a@1?"]],
    ["through xpcall, behind its handler", 'xpcall(require, print, "a")', ["a@1?"]],
    ["through pcall of pcall", 'pcall(pcall, require, "a")', ["a@1?"]],
    ["in a function that pcall calls at once", 'pcall(function() require "a" end)', ["a@1?"]],
    [
      "in functions",
      'local function f() require "a" end\nfunction M.g() return function() require "b" end end',
      ["a@1()", "b@2()"],
    ],
    ["in functions that are called where they stand", '(function() require "a" end)()', ["a@1"]],
    ["in handlers of xpcall, which run later", 'xpcall(f, function() require "a" end)', ["a@1()"]],
    [
      "in conditions, loops, tables, arguments",
      'if require "a" then for _ in require "b" do x = { [require "c"] = f(require "d") } end end',
      ["a@1", "b@1", "c@1", "d@1"],
    ],
    ["by a local alias", 'local req = require\nreq "a"\nlocal require = req\nrequire "b"', ["a@2", "b@4"]],
    ["by an alias that is assigned", 'local req\nreq = require\nreq "a"', ["a@3"]],
    ["by an alias in another function", 'local req = require\nfunction f() req "a" end', ["a@2()"]],
    ["by _G", '_G.require "a" _G["require"] "b" local g = _G g.require "c"', ["a@1", "b@1", "c@1"]],
    ["by an alias with a fallback", 'local req = prequire or require req "a"', ["a@1"]],
    ["after the first line for the shell", '#!/usr/bin/lua\nrequire "a"', ["a@2"]],
    ["beside LuaJIT's numbers", 'local n = 1LL;; require "a"', ["a@1"]],
  ])("%s", (_, text, names) => expect(told(text)).toEqual(names));

  it.each([
    ["a local of that name", 'local require = print require "a"'],
    ["a local function of that name", 'local function require() end require "a"'],
    ["a parameter", 'function f(require) require "a" end'],
    ["a loop's variable", 'for require in pairs(x) do require "a" end'],
    ["an alias that became something else", 'local req = require req = print req "a"'],
    ["a field", 'm.require "a" m:require "b"'],
    ["text", "x = [[require 'a']] -- require 'b'"],
    ["a call without a name", "require()"],
  ])("not %s", (_, text) =>
    expect(extractFacts(text)).toEqual({ requires: [], dynamicRequires: [], fileLoads: [] }),
  );

  it("seen again when the local that hid require is gone", () => {
    expect(told('do local require = print require "a" end require "b"')).toEqual(["b@1"]);
    expect(told('local req = require do local req = print req "a" end req "b"')).toEqual(["b@1"]);
    expect(told('repeat local require = print until require "a"\nrequire "b"')).toEqual(["b@2"]);
  });

  it("with their place, in the order of the text", () => {
    const { requires } = extractFacts(
      'local a = f(require "b",\n  require "c") .. require "d"\r\nrequire "e"',
    );
    expect(requires.map(({ name, line, column }) => [name, line, column])).toEqual([
      ["b", 1, 13],
      ["c", 2, 3],
      ["d", 2, 19],
      ["e", 3, 1],
    ]);
  });
});

describe("what else is loaded", () => {
  it("names that are made at run time have a place and nothing more", () => {
    const { requires, dynamicRequires } = extractFacts(
      'require("plugins." .. n)\npcall(require, n)\nrequire(...)',
    );
    expect(requires).toEqual([]);
    expect(dynamicRequires).toEqual([
      { line: 1, column: 1 },
      { line: 2, column: 1 },
      { line: 3, column: 1 },
    ]);
  });

  it("files, by literal paths", () => {
    const { fileLoads } = extractFacts(
      'dofile "a.lua"\nlocal load = loadfile\nfunction f() load("b.lua") end dofile(p)',
    );
    expect(fileLoads).toEqual([
      { path: "a.lua", kind: "load", guarded: false, line: 1, column: 1 },
      { path: "b.lua", kind: "call", guarded: false, line: 3, column: 14 },
    ]);
  });
});

describe("a text that is no Lua", () => {
  it("has the place and the reason, and nothing else", () => {
    expect(extractFacts('require "a"\nlocal x = = 1\n')).toEqual({
      requires: [],
      dynamicRequires: [],
      fileLoads: [],
      error: { line: 2, column: 11, message: "<expression> expected near '='" },
    });
  });

  it("takes no longer for being odd", () => {
    for (const odd of ["--[[ ", "[[ ", "[=[", "'", '"\\\n', "f(--[==[", "-- relua: ignore "])
      expect(extractFacts(`x = 1LL + ${odd.repeat(200_000)}`)).toMatchObject({ requires: [] });
    expect(extractFacts(`x = 1LL y = ${"1".repeat(500_000)} z = = 1`).error).toBeDefined();
  });

  it("is never a crash", () => {
    for (const deep of ["(", "{", "f(", "function() ", "not ", "a.b[", "if x then "])
      expect(extractFacts(`return ${deep.repeat(100_000)}`).error).toBeDefined();
    expect(
      extractFacts(`x = f${"().y[1]".repeat(10_000)} + ${"(a)+".repeat(50_000)}1`).error,
    ).toBeUndefined();
  });
});
