/** The defects of Fengari 0.1.5: gone from the patched copy, and there, as a control, in what npm delivers. */

import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { newState, patched, run, stock } from "./fengari-runs.ts";

/** What is shown; Lua that returns one value or more; what it returns in the patched copy. */
type Defect = readonly [title: string, code: string, ...values: string[]];

const defects: Readonly<Record<string, readonly Defect[]>> = {
  "strings and keys": [
    ["different bytes are different strings", String.raw`return "\r\n" == "\218"`, "false"],
    [
      "different bytes are different keys",
      String.raw`local t = {["\1\0"] = 1, ["\16"] = 2} return t["\1\0"], t["\16"]`,
      "1",
      "2",
    ],
    [
      "long strings, too",
      `local a, b = ("\\1"):rep(50) .. "\\16", ("\\1"):rep(51) .. "\\0" return a == b, ({[a] = 1})[b]`,
      "false",
      "nil",
    ],
    [
      "strings are ordered by their bytes",
      String.raw`return "\2" < "\16", "\200" > "a", "a" < "a\0", "" < "\0"`,
      "true",
      "true",
      "true",
      "true",
    ],
    ["a match may end where the text begins", `return ("aa"):find("a*%f[a]")`, "1", "0"],
  ],
  "integers beyond 32 bits": [
    ["sums", "return 2147483647 + 1, -2147483648 - 1", "2147483648", "-2147483649"],
    ["products", "return 65536 * 65536 == 4294967296, 1000000 * 1000000", "true", "1000000000000"],
    ["negation", "local least = -2147483648 return -least, math.abs(least)", "2147483648", "2147483648"],
    ["milliseconds", "return os.time() * 1000 > 1600000000000", "true"],
    [
      "hexadecimal literals",
      "return 0xffffffff, 0x7fffffff + 1, 0xffffffffff",
      "4294967295",
      "2147483648",
      "1099511627775",
    ],
    [
      "numbers in texts",
      `return tonumber("0xffffffff"), tonumber("ffffffff", 16), "0xffffffff" + 0`,
      "4294967295",
      "4294967295",
      "4294967295",
    ],
    [
      "loops",
      "local n = 0 for i = 2147483646, 2147483649 do n = n + 1 if n > 9 then break end end return n",
      "4",
    ],
    [
      "loops without an end",
      "local last for i = 2147483646, math.huge do last = i if i > 2147483650 or i < 0 then break end end return last",
      "2147483651",
    ],
    ["division", "return (2^40) // 3, -7 // 2, 7 % -3, 2^40 % 7", "366503875925", "-4", "-2", "2"],
    ["division by 0, as doubles do", "return 1 // 0, 5 % 0, -1 // 0", "inf", "nan", "-inf"],
    ["lengths", `return ("x"):sub(2^31), ("abc"):sub(1, 2^40), ("x"):rep(-2^40)`, "", "abc", ""],
    [
      "random intervals",
      "for i = 1, 20 do local n = math.random(2^32, 2^40) assert(n >= 2^32 and n <= 2^40 and n % 1 == 0) end return math.random(2^40, 2^40)",
      "1099511627776",
    ],
    [
      "rounding",
      "return math.floor(2^31 + 0.5), math.ceil(-2^31 - 0.5), math.max(2^31, 1), math.tointeger(2^31)",
      "2147483648",
      "-2147483648",
      "2147483648",
      "2147483648",
    ],
    [
      "bit operators on large literals",
      "return 0xffffffff & 0xff, ~0xffffffff, 0xf0000000 | 1, 0xffffffff >> 28",
      "255",
      "0",
      "-268435455",
      "15",
    ],
    [
      "keys",
      "local t = {[2147483647 + 1] = 'a', [2.0] = 'b'} return t[2147483648], t[2], math.type(next({[2.0] = 1}))",
      "a",
      "b",
      "integer",
    ],
    ["the key -0", "return next({[-0.0] = 1})", "0", "1"],
    [
      "packing",
      `return string.unpack(">I8", string.pack(">I8", 2^40)), (string.unpack("<i6", string.pack("<i6", -2^35)))`,
      "1099511627776",
      "-34359738368",
    ],
    ["integers that came from floats", `return ("x"):rep(2.7), select(2.5, 1, 2, 3)`, "xx", "2", "3"],
  ],
  "numbers as text": [
    [
      "tostring",
      "return 1e15, 2^53, 1e14, 0.1, 1e100, -1e-5, 123456789012",
      "1e+15",
      "9.007199254741e+15",
      "1e+14",
      "0.1",
      "1e+100",
      "-1e-05",
      "123456789012",
    ],
    ["integral floats", "return 10/2, 3.0, 1e3, 7/2, 3 .. '', 3.0 .. ''", "5", "3", "1000", "3.5", "3", "3"],
    ["what is not finite", "return 1/0, -1/0, 0/0, -(0/0), -0.0", "inf", "-inf", "nan", "nan", "-0"],
    [
      "%d",
      `return string.format("%d %5d|%-5d|%05d|%+d %.3d", 2^31, 42, 42, -42, 42, 7)`,
      "2147483648    42|42   |-0042|+42 007",
    ],
    [
      "%x, %X, %o, %u",
      `return string.format("%x %X %o %u %x %#x", 255, 2^32, 8, -1, -1, 255)`,
      "ff 100000000 10 18446744073709551615 ffffffffffffffff 0xff",
    ],
    [
      "%f",
      `return string.format("%5.1f|%08.2f|%.0f|%f", 3.14159, -1.005, 2.5, 1e21)`,
      "  3.1|-0001.00|3|1000000000000000000000.000000",
    ],
    [
      "%g and %e",
      `return string.format("%g %G %.3g %#g %e %E", 1e20, 1e-10, 1234.5, 1, 12345.678, 0)`,
      "1e+20 1E-10 1.23e+03 1.00000 1.234568e+04 0.000000E+00",
    ],
    ["%a", `return string.format("%a %A %.2a %a", 1, 0.5, 1/3, 5e-324)`, "0x1p+0 0X1P-1 0x1.55p-2 0x1p-1074"],
    ["%c", `return string.format("%c|%3c|%-3c|", 65, 66, 67)`, "A|  B|C  |"],
    [
      "%s of bytes",
      String.raw`return string.format("%6s|%-4s|%.2s", "\200\201", "\0", "\255\254\253") == "    \200\201|\0   |\255\254"`,
      "true",
    ],
    [
      "%q of numbers reads back",
      `local q = function(n) return load("return " .. string.format("%q", n))() == n end return q(0.1), q(2^53), q(1/0), q(-5e-324), q(2^31), string.format("%q", 5.0)`,
      "true",
      "true",
      "true",
      "true",
      "true",
      "5",
    ],
    [
      "no digit beyond the base",
      `return tonumber("1z", 16), tonumber("8", 8), tonumber("-ff", 16), tonumber(10, 16)`,
      "nil",
      "nil",
      "-255",
      "16",
    ],
    ["powers of 1", "return 1^(0/0), (-1)^(1/0)", "1", "1"],
  ],
  dates: [
    [
      "! means UTC",
      `return os.date("!%Y-%m-%d %H:%M:%S", 0), os.date("!*t", 0).hour`,
      "1970-01-01 00:00:00",
      "0",
    ],
    ["beyond 2038", `return os.date("!%Y", 2^32), os.date("!*t", 2^33).year`, "2106", "2242"],
    ["days of the year", `return os.date("!%j", 0), os.date("!*t", 86400).yday`, "001", "2"],
    ["ISO weeks", `return os.date("!%G-%V-%u", 1e9)`, "2001-36-7"],
    ["summer time is told", `return os.date("!*t", 0).isdst`, "false"],
    ["early years", "return os.date('*t', os.time{year = 50, month = 3, day = 1}).year", "50"],
  ],
  "what a server must not have": [
    [
      "no other programs, no end of the process",
      "return os.execute, os.exit, debug.debug",
      "nil",
      "nil",
      "nil",
    ],
    [
      "no JavaScript by path",
      "return package.loadlib, package.jspath, #package.searchers, package.cpath",
      "nil",
      "nil",
      "2",
      "",
    ],
  ],
  calls: [
    [
      "functions of the host are C functions",
      "local i = debug.getinfo(print) return i.what, i.short_src",
      "C",
      "[C]",
    ],
    [
      "an overflow of the stack is caught soon",
      "local n = 0 local function f() n = n + 1 return 1 + f() end local ok, m = pcall(f) return ok, m:match('stack overflow'), n < 50000",
      "false",
      "stack overflow",
      "true",
    ],
  ],
  sizes: [
    ["string.rep", `return pcall(string.rep, "x", 2^26 + 1)`, "false", "resulting string too large"],
    [
      "string.rep with a separator",
      `return pcall(string.rep, "", 2^27, "xx")`,
      "false",
      "resulting string too large",
    ],
    ["nothing, often", `return #("").rep("", 2^31 - 1)`, "0"],
    [
      "the operator ..",
      `local s = ("x"):rep(2^25) local ok, m = pcall(function() return s .. s .. "x" end) return ok, m`,
      "false",
      "chunk:1: resulting string too large",
    ],
    [
      "table.concat",
      `local s = ("x"):rep(2^25) local ok, m = pcall(table.concat, {s, s, s}) return ok, m`,
      "false",
      "resulting string too large",
    ],
    [
      "string.gsub",
      `local s = ("x"):rep(2^20) local ok, m = pcall(string.gsub, ("y"):rep(65), "y", s) return ok, m`,
      "false",
      "resulting string too large",
    ],
    [
      "string.format",
      `local s = ("x"):rep(2^25) local ok, m = pcall(string.format, "%s%s%s", s, s, s) return ok, m`,
      "false",
      "resulting string too large",
    ],
  ],
};

const withoutControl = new Set([
  // Right in npm's copy, and still right now that large literals are floats and -0 exists.
  "bit operators on large literals",
  "the key -0",
  // npm's copy would take minutes and gigabytes for these, or comes to the same end after a second.
  "string.rep with a separator",
  "nothing, often",
  "an overflow of the stack is caught soon",
]);

for (const [group, cases] of Object.entries(defects)) {
  describe(group, () => {
    it.each(cases)("%s", (_, code, ...values) => {
      expect(run(patched, code)).toEqual(values);
    });
    it.each(cases.filter(([title]) => !withoutControl.has(title)))(
      "%s: not so in npm's copy (control)",
      (_, code, ...values) => {
        expect(run(stock, code)).not.toEqual(values);
      },
    );
  });
}

describe("hooks", () => {
  const caught = "pcall(error) local n = 0 while n < 10000 do n = n + 1 end";

  /** How often the count hook ran in a coroutine after an error caught in it. */
  function hooksAfterCaughtError(fengari: typeof patched): number {
    const { lua, lauxlib } = fengari;
    const L = newState(fengari);
    let hooks = 0;
    lua.lua_sethook(L, () => hooks++, lua.LUA_MASKCOUNT, 1000);
    const co = lua.lua_newthread(L);
    lauxlib.luaL_loadstring(co, Buffer.from(caught));
    expect(lua.lua_resume(co, L, 0)).toBe(lua.LUA_OK);
    return hooks;
  }

  it("go on after an error that was caught in a coroutine", () => {
    expect(hooksAfterCaughtError(patched)).toBeGreaterThan(20);
  });

  it("end there for good in npm's copy (control)", () => {
    expect(hooksAfterCaughtError(stock)).toBe(0);
  });
});

describe("the size of a string", () => {
  const usual = patched.luaconf.maxStringBytes;
  afterEach(() => {
    patched.luaconf.maxStringBytes = usual;
  });

  it("is a setting that holds from now on, for states that exist already", () => {
    const L = newState(patched);
    expect(run(patched, "return #('x'):rep(2000)", L)).toEqual(["2000"]);
    patched.luaconf.maxStringBytes = 1000;
    expect(run(patched, "return pcall(string.rep, 'x', 2000)", L)).toEqual([
      "false",
      "resulting string too large",
    ]);
    expect(run(patched, "return #('x'):rep(1000)", L)).toEqual(["1000"]);
  });

  it("is checked before anything is allocated: string.rep fills by doubling", () => {
    expect(
      run(patched, "local s = ('abc'):rep(5, '--') return s, #('ab'):rep(3), ('x'):rep(1, ',')"),
    ).toEqual(["abc--abc--abc--abc--abc", "6", "x"]);
  });
});

describe("integers on the C API", () => {
  it("may have any size, and are numbers of the same value in Lua", () => {
    const { lua } = patched;
    const L = newState(patched);
    for (const value of [0, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 40), Number.MAX_SAFE_INTEGER]) {
      lua.lua_pushinteger(L, value);
      expect(lua.lua_tointeger(L, -1)).toBe(value);
      lua.lua_newtable(L);
      lua.lua_pushboolean(L, true);
      lua.lua_seti(L, -2, value);
      expect(lua.lua_geti(L, -1, value)).toBe(lua.LUA_TBOOLEAN);
      lua.lua_settop(L, 0);
    }
    expect(() => lua.lua_pushinteger(L, 0.5)).toThrow(TypeError);
  });

  it("are not pushed beyond 32 bits by npm's copy (control)", () => {
    expect(() => stock.lua.lua_pushinteger(newState(stock), 2 ** 31)).toThrow(TypeError);
  });
});

describe("JavaScript exceptions", () => {
  const { lua } = patched;

  function callThrowing(handler: ((error: unknown) => string) | null): { status: number; message: unknown } {
    const L = newState(patched);
    lua.lua_atnativeerror(
      L,
      handler &&
        ((co) => {
          lua.lua_pushliteral(co, handler(lua.lua_touserdata(co, 1)));
          return 1;
        }),
    );
    lua.lua_pushcfunction(L, () => {
      throw new RangeError("from JavaScript");
    });
    const status = lua.lua_pcall(L, 0, 0, 0);
    return { status, message: lua.lua_tojsstring(L, -1) };
  }

  it("become Lua errors by lua_atnativeerror", () => {
    expect(callThrowing((error) => `caught ${String(error)}`)).toEqual({
      status: lua.LUA_ERRRUN,
      message: "caught RangeError: from JavaScript",
    });
  });

  it("end a protected call with -1 when it throws, or is not set", () => {
    const rethrow = (error: unknown) => {
      throw error;
    };
    expect(callThrowing(rethrow).status).toBe(-1);
    expect(callThrowing(null).status).toBe(-1);
  });
});

describe("the patched copy", () => {
  const folder = join(import.meta.dirname, "..", "..", "dist", "fengari");
  const required = readdirSync(folder)
    .filter((name) => /\.c?js$/.test(name))
    .flatMap((name) => [...readFileSync(join(folder, name), "utf8").matchAll(/\brequire\((.*?)\)/g)])
    .map((match) => (match[1] ?? "").slice(1, -1));

  it("requires its own files and few modules of Node, by name", () => {
    const foreign = new Set(required.filter((name) => !name.startsWith("./")));
    expect([...foreign].sort()).toEqual(["crypto", "fs", "os", "path"]);
    expect([...foreign].every((name) => builtinModules.includes(name))).toBe(true);
  });

  it("needs no package, no terminal and no other process", () => {
    const unwanted = ["readline-sync", "tmp", "child_process", "sprintf-js"];
    expect(required.filter((name) => unwanted.includes(name))).toEqual([]);
  });
});

describe("its settings", () => {
  it("do not come out of the environment", () => {
    const text = readFileSync(join(import.meta.dirname, "..", "..", "dist", "fengari", "luaconf.js"), "utf8");
    expect(text).not.toContain("process.env");
  });
});
