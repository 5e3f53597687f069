/** The rules of `relua check`: what each finds, what it leaves alone. */

import { describe, expect, it } from "vitest";
import { ruleIds } from "../../src/core/check-rules.ts";
import { brief, type Checked, check } from "./tree.ts";

type Texts = Readonly<Record<string, string>>;

/** Findings of one file alone, in short. */
const inFile = (text: string, options?: Checked) => check({ "a/m.lua": text }, options).map(brief);
const message = (texts: Texts, options?: Checked) => check(texts, options).map((finding) => finding.message);

it("the rules keep their names", () => {
  expect(ruleIds).toEqual([
    "syntax-error",
    "unresolved-require",
    "alias",
    "require-cycle",
    "shadowed-file",
    "global-write",
    "global-read",
    "cannot-unload",
    "module-seeall",
  ]);
});

describe("syntax-error", () => {
  it("has its place, its reason and its line, and is all that is told of the file", () => {
    const [finding, ...others] = check({ "a/m.lua": "x = 1\nlocal y = = 2" });
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      rule: "syntax-error",
      severity: "error",
      line: 2,
      column: 11,
      source: "local y = = 2",
      message: "<expression> expected near '='",
    });
  });
});

describe("unresolved-require", () => {
  it("is an error where the module is certain to be missed, a warning elsewhere", () => {
    const text = 'require "no.a"\nlocal function f() require "no.b" end\npcall(require, "no.c")\nf()';
    expect(inFile(text)).toEqual([
      "a/m.lua:1:1 error unresolved-require",
      "a/m.lua:2:20 warning unresolved-require",
      "a/m.lua:3:1 warning unresolved-require",
    ]);
  });

  it("says where it looked", () => {
    expect(message({ "a/m.lua": 'require "no.a"' })).toEqual([
      "module 'no.a' is not at a/no/a.lua, a/no/a/init.lua, b/no/a.lua",
    ]);
  });

  it.each([
    ["modules in any spelling of their name", 'require "n" require "./n" require "sub/x" require "sub.x"'],
    ["built-ins", 'require "string" require "relua.hot"'],
    ["what the host provides", 'require "ffi" require "resty.core" require "lfs" require "ngx.ssl"'],
    ["what the config pins", 'require "native.thing"'],
    ["what the sources put into package.preload", 'package.preload["made.up"] = f require "made.up"'],
    ["names made at run time", "return function(n) return require(n) end"],
  ])("leaves %s alone", (_, text) => {
    const texts = { "a/m.lua": `local f\n${text}`, "b/n.lua": "", "a/sub/x/init.lua": "" };
    expect(check(texts, { pinned: ["native.*"], aliases: "off" })).toEqual([]);
  });
});

describe("alias", () => {
  const texts = {
    "a/x.lua": 'require "m" require "n"',
    "a/m.lua": 'require "lib.c"',
    "a/n.lua": 'require "lib/c"\nrequire "lib.c"',
    "a/lib/c.lua": "",
  };

  it("is one file required under two names, with every place", () => {
    const [finding, ...others] = check(texts);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      rule: "alias",
      severity: "warning",
      path: "/srv/a/n.lua",
      line: 1,
      message: "a/lib/c.lua is required as 'lib.c' and as 'lib/c': each has an instance of its own",
      related: [
        { path: "/srv/a/m.lua", line: 1, message: "required as 'lib.c'" },
        { path: "/srv/a/n.lua", line: 2, message: "required as 'lib.c'" },
      ],
    });
  });

  it("is seen through symbolic links", () => {
    const found = check(
      { "a/m.lua": 'require "one" require "two"', "a/one.lua": "" },
      { links: { "b/two.lua": "a/one.lua" } },
    );
    expect(found.map(brief)).toEqual(["a/m.lua:1:15 warning alias"]);
  });

  it("is an error, or nothing, where the config says so", () => {
    expect(check(texts, { aliases: "error" }).map(brief)).toEqual(["a/n.lua:1:1 error alias"]);
    expect(check(texts, { aliases: "off" })).toEqual([]);
  });
});

describe("require-cycle", () => {
  it("is told once, by its shortest way round", () => {
    const texts = {
      "a/one.lua": 'require "two"',
      "a/two.lua": '\nrequire "three"',
      "a/three.lua": 'require "one" require "two"',
      "a/outside.lua": 'require "one"',
    };
    const [finding, ...others] = check(texts);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: "require-cycle", severity: "error", related: [{}] });
    expect(finding?.message).toMatch(
      /^(two → three → two|three → two → three) while they load, and 1 more modules/,
    );
  });

  it("is a module that requires itself, by any name", () => {
    expect(message({ "a/m.lua": 'require "./m"' })).toEqual([
      expect.stringContaining("m → m while they load"),
    ]);
  });

  it.each([
    [
      "one that is closed inside a function",
      { "a/x.lua": 'require "y"', "a/y.lua": 'return function() require "x" end' },
    ],
    [
      "one through a module of module(), which is there before it ends",
      { "a/x.lua": 'module("x") require "y"', "a/y.lua": 'require "x"' },
    ],
    [
      "a diamond",
      {
        "a/x.lua": 'require "y" require "z"',
        "a/y.lua": 'require "w"',
        "a/z.lua": 'require "w"',
        "a/w.lua": "",
      },
    ],
  ])("is not %s", (_, texts: Texts) => expect(check(texts)).toEqual([]));

  it("is a warning where pcall lets it pass", () => {
    const texts = { "a/x.lua": 'require "y"', "a/y.lua": 'pcall(require, "x")' };
    expect(check(texts).map(({ severity }) => severity)).toEqual(["warning"]);
  });

  it("is found at the end of a long chain", () => {
    const chain = Array.from(
      { length: 20_000 },
      (_, i) => [`a/m${i}.lua`, `require "m${(i + 1) % 20_000}"`] as const,
    );
    expect(message(Object.fromEntries(chain))).toEqual([expect.stringContaining("m19999")]);
  });
});

describe("shadowed-file", () => {
  it("is a file that no name leads to", () => {
    const [finding, ...others] = check({ "a/m.lua": "", "b/m.lua": "", "a/n/init.lua": "", "a/n.lua": "" });
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ path: "/srv/b/m.lua", message: "no name leads here: 'm' is a/m.lua" });
  });
});

describe("globals", () => {
  it("are told where they are written and read, once for each file", () => {
    expect(inFile("count = 1\ncount = count + 1\nlocal function f() total = other end\nf(other)")).toEqual([
      "a/m.lua:1:1 warning global-write",
      "a/m.lua:3:20 warning global-write",
      "a/m.lua:3:28 warning global-read",
    ]);
    expect(message({ "a/m.lua": "x = 1 x = 2 function f() y = x end" })).toEqual([
      "writes the global 'x' (2 times); is a local missing?",
      "writes the global 'f'; is a local missing?",
      "writes the global 'y' inside a function; is a local missing?",
    ]);
  });

  it.each([
    [
      "Lua's own, of all versions",
      "return print, setfenv, utf8, bit32, unpack, jit, _G, _VERSION, rawlen, ngx, njt, ndk",
    ],
    [
      "locals, parameters, loop variables, self",
      "local a, b\nfunction a:m(x, ...) for i = 1, x do b = i + self.y end for k, v in b do k(v) end end",
    ],
    ["a local function in itself", "local function f() return f() end return f"],
    ["the body's locals in until", "repeat local done = true until done"],
    ["fields and table keys", "local t = { x = 1 } t.y = t.z return t.w.v, { u = 2 }"],
    ["goto and its labels", "goto out\n::out::"],
    ["globals that are declared by their full name", "_G.conf = 1 rawset(_G, 'mode', 2) return conf, mode"],
    ["fields of modules of module()", 'module("m") function f() end return f'],
    ["another environment", "local _ENV = { x = 1 } y = x"],
    ["another environment, set", "setfenv(1, {}) y = x"],
  ])("are not %s", (_, text) => expect(inFile(text)).toEqual([]));

  it("are out of scope again behind their block", () => {
    expect(inFile("do local a end a()\nlocal b = b\nfor i = 1, 2 do end return i")).toEqual([
      "a/m.lua:1:16 warning global-read",
      "a/m.lua:2:11 warning global-read",
      "a/m.lua:3:28 warning global-read",
    ]);
  });

  it("are declared by another checked file, or by the config", () => {
    expect(check({ "a/m.lua": "return shared", "a/n.lua": "_G.shared = 1" })).toEqual([]);
    expect(inFile("app = app or {} return stat", { globals: new Set(["app", "stat"]) })).toEqual([]);
  });
});

describe("cannot-unload", () => {
  it("is what FFI and C code leave in the VM, once for each file", () => {
    const text =
      'local ffi = require "ffi"\nffi.cdef[[ int x; ]]\nlocal C = ffi.load("z")\nffi.metatype("x", {})';
    const [finding, ...others] = check({ "a/m.lua": text });
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule: "cannot-unload", line: 2, related: [{ line: 3 }, { line: 4 }] });
    for (const form of [
      'require"ffi".cdef ""',
      'local c = require("ffi").cdef c ""',
      'package.loadlib("a.so", "f")',
      'local ok, ffi = pcall(require, "ffi") ffi.cdef ""',
    ])
      expect(inFile(form).join()).toContain("cannot-unload");
  });

  it("is nothing for modules that are never unloaded", () => {
    const text = 'require("ffi").cdef ""';
    expect(inFile(text, { pinned: ["m"] })).toEqual([]);
    expect(inFile(`local hot = require "relua.hot" hot.pin() ${text}`)).toEqual([]);
  });

  it("is nothing for FFI that only looks", () => {
    expect(inFile('local ffi = require "ffi" return ffi.new("int[1]"), ffi.C.x, { cdef = 1 }')).toEqual([]);
  });
});

describe("module-seeall", () => {
  it("is the call, however package.seeall is called", () => {
    expect(inFile("module(..., package.seeall)")).toEqual(["a/m.lua:1:1 warning module-seeall"]);
    expect(inFile('local all = package.seeall\nmodule("m", all)')).toEqual([
      "a/m.lua:2:1 warning module-seeall",
    ]);
    expect(inFile("module(...)")).toEqual([]);
  });
});

describe("suppressed by a comment", () => {
  it.each([
    ["on the line", "x = 1 -- relua: ignore global-write"],
    ["on the line before", "-- relua: ignore global-write\nx = 1"],
    ["among others, with a reason", "x = y -- relua: ignore global-read, global-write: set by the loader"],
    ["in a long comment", "--[[ relua: ignore global-write ]] x = 1"],
    ["for the file", "x = 1\ny = 2\n-- relua: ignore-file global-write"],
  ])("%s", (_, text) => expect(inFile(text)).toEqual([]));

  it.each([
    ["another rule", "x = 1 -- relua: ignore global-read"],
    ["two lines before", "-- relua: ignore global-write\n\nx = 1"],
    ["behind code of the line before", "local y -- relua: ignore global-write\nx = 1"],
    ["no rule", "x = 1 -- relua: ignore"],
    ["text", "local s = 'relua: ignore global-write' x = 1"],
  ])("not %s", (_, text) => expect(inFile(text).join()).toContain("global-write"));
});
