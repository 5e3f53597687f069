/** A fresh state: what it has, what it has not, and what no code gets hold of. */

import { describe, expect, it } from "vitest";
import { lauxlib, lua, type lua_State, lualib } from "#fengari";
import { toBytes } from "../../src/lua/stack.ts";
import { runLua } from "./lua-run.ts";

/** Every name of a new state. A name that appears or goes has to be thought about, then entered here. */
const inventory: Readonly<Record<string, string>> = {
  _G: `_G _VERSION assert bit collectgarbage coroutine debug error gcinfo getfenv getmetatable io ipairs jit load
    loadstring math module newproxy next os package pairs pcall print rawequal rawget rawlen rawset select setfenv
    setmetatable string table tonumber tostring type unpack utf8 xpcall`,
  bit: "arshift band bnot bor bswap bxor lshift rol ror rshift tobit tohex",
  coroutine: "create isyieldable resume running status wrap yield",
  debug: `getfenv gethook getinfo getlocal getmetatable getupvalue setfenv setlocal setmetatable setupvalue traceback
    upvalueid upvaluejoin`,
  io: "close flush input lines open output read stderr stdin stdout type write",
  jit: "arch attach flush off on opt os status version version_num",
  math: `abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log log10 max maxinteger min
    mininteger mod modf pi pow rad random randomseed sin sinh sqrt tan tanh tointeger type ult`,
  os: "clock date difftime getenv remove rename setlocale time tmpname",
  package: "config cpath loaded path preload seeall",
  string: `byte char dump find format gfind gmatch gsub len lower match pack packsize rep reverse sub unpack upper`,
  table: `clear clone concat foreach foreachi getn insert isarray isempty maxn move new nkeys pack remove sort unpack`,
  utf8: "char charpattern codepoint codes len offset",
};

const names = (text: string): readonly string[] => text.split(/\s+/).sort();

describe("a fresh state", () => {
  it.each(Object.entries(inventory))(
    "has in %s what is meant to be there and nothing else",
    (library, text) => {
      const run = runLua(
        `local t = {} for name in pairs(${library}) do t[#t + 1] = name end return unpack(t)`,
      );
      expect([...run.values].sort()).toEqual(names(text));
    },
  );

  it("lists its libraries, and no others, in package.loaded", () => {
    const run = runLua(
      "local t = {} for name in pairs(package.loaded) do t[#t + 1] = name end return unpack(t)",
    );
    expect([...run.values].sort()).toEqual([...Object.keys(inventory), "jit.opt"].sort());
  });

  it("shares nothing with another state", () => {
    runLua("x = 1 string.extra = true debug.setmetatable(0, { __index = { y = 1 } }) math.pi = 3");
    expect(runLua("return x, string.extra, debug.getmetatable(0), math.pi > 3.1").values).toEqual([
      "nil",
      "nil",
      "nil",
      "true",
    ]);
  });

  it("is the same from source, the first time, and from bytecode afterwards", () => {
    const source =
      "return table.foreach({ a = 1 }, function(k, v) return k .. v end), table.foreach(1, print)";
    const errors = [1, 2].map(() => runLua(source).error);
    expect(errors).toEqual(
      Array(2).fill("chunk:1: bad argument #1 to 'foreach' (table expected, got number)"),
    );
  });
});

describe("what no code gets hold of", () => {
  it.each([
    ["the end of the process", "os.exit"],
    ["other programs", "os.execute"],
    ["other programs, through a pipe", "io.popen"],
    ["native libraries", "package.loadlib"],
    ["the hook that enforces limits", "debug.sethook"],
    ["the registry", "debug.getregistry"],
    ["the terminal", "debug.debug"],
    ["JavaScript, through Fengari's interop library", "js"],
    ["Fengari's own table", "fengari"],
  ])("%s", (_, path) => {
    expect(runLua(`return ${path}`).values).toEqual(["nil"]);
  });

  it("the globals of JavaScript, as the environment of anything", () => {
    const run = runLua(`
      local found = {}
      for _, name in ipairs { "process", "globalThis", "eval", "Function", "require", "window", "Buffer" } do
        found[#found + 1] = tostring(_G[name] or getfenv(0)[name] or getfenv(print)[name])
      end
      return table.concat(found, " ")`);
    expect(run.values).toEqual(["nil nil nil nil nil nil nil"]);
  });

  it("the upvalues of C functions, where wrappers keep what they wrap", () => {
    const run = runLua(`
      local wrapped = coroutine.wrap(function() end)
      return select("#", debug.getupvalue(wrapped, 1)), select("#", debug.setupvalue(wrapped, 1, print)), wrapped()`);
    expect(run.values).toEqual(["0", "0"]);
  });

  it("the secret of the agent in the environment", () => {
    process.env.RELUA_TOKEN = "s3cret";
    process.env.RELUA_TEST_PLAIN = "grün";
    const run = runLua(`return os.getenv "RELUA_TOKEN", os.getenv "RELUA_TEST_PLAIN"`);
    delete process.env.RELUA_TOKEN;
    delete process.env.RELUA_TEST_PLAIN;
    expect(run.values).toEqual(["nil", Buffer.from("grün").toString("latin1")]);
  });

  it("a file behind a userdata that only has the metatable of files", () => {
    const run = runLua(`
      local forged = debug.setmetatable(newproxy(), getmetatable(io.stdout))
      local taken = {}
      for _, name in ipairs { "write", "read", "close", "seek", "lines", "flush", "setvbuf", "__tostring" } do
        taken[#taken + 1] = tostring(pcall(getmetatable(io.stdout)[name], forged))
      end
      return table.concat(taken, " "), io.type(forged), pcall(io.output, forged)`);
    expect(run.values.slice(0, 3)).toEqual(["false ".repeat(8).trim(), "nil", "false"]);
  });
});

describe("bytecode", () => {
  const ways: readonly (readonly [string, string])[] = [
    ["load", "load(code)"],
    ["loadstring", "loadstring(code)"],
    ["load in mode b", "load(code, 'c', 'b')"],
    ["load in mode bt", "load(code, 'c', 'bt')"],
    ["load from a function", "load(function() local piece = code code = nil return piece end)"],
    [
      "load byte by byte",
      "load((function() local i = 0 return function() i = i + 1 return code:sub(i, i) end end)())",
    ],
    ["load in an environment", "load(code, 'c', nil, {})"],
  ];

  it.each(ways)("is refused by %s", (_, way) => {
    const run = runLua(`local code = string.dump(function() return "ran" end) return ${way}`);
    expect(run.values[0]).toBe("nil");
    expect(run.values[1]).toContain("binary chunk");
  });

  it("would run with Fengari's own load", () => {
    const original = (L: lua_State) => {
      lauxlib.luaL_requiref(L, toBytes("original"), lualib.luaopen_base, false);
      lua.lua_getfield(L, -1, toBytes("load"));
      lua.lua_setglobal(L, toBytes("original_load"));
      lua.lua_pop(L, 1);
    };
    const run = runLua(
      `return original_load(string.dump(function() return "ran" end))()`,
      "=chunk",
      original,
    );
    expect(run.values).toEqual(["ran"]);
  });
});

describe("print and the standard streams", () => {
  it("print gives one line with tabs between the values", () => {
    expect(runLua(`print("a", 1, nil, true) print() print("x\\ny")`).lines).toEqual([
      "a\t1\tnil\ttrue",
      "",
      "x\ny",
    ]);
  });

  it("print asks the global tostring, as 5.1 does", () => {
    expect(runLua("tostring = function(v) return '<' .. v .. '>' end print(1, 2)").lines).toEqual([
      "<1>\t<2>",
    ]);
    expect(runLua("tostring = function() end print(1)").error).toBe(
      "chunk:1: 'tostring' must return a string to 'print'",
    );
  });

  it("io.write and io.stdout give whole lines, io.stderr its own", () => {
    const run = runLua(
      `io.write("a", 1, "b\\nc") io.stdout:write("d\\n"):write("e\\n") io.stderr:write("oh\\n")`,
    );
    expect(run.lines).toEqual(["a1b", "cd", "e"]);
    expect(run.errorLines).toEqual(["oh"]);
  });

  it("what has no newline comes out on flush, or when Lua has returned to the event loop", async () => {
    const run = runLua(`io.write("flushed") io.flush() io.write("left")`);
    expect(run.lines).toEqual(["flushed"]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(run.lines).toEqual(["flushed", "left"]);
  });

  it("stdin is at its end, and none of the three can be closed", () => {
    const run = runLua(`return io.read(), io.read("*a"), io.stdin:read(0), io.stdout:close()`);
    expect(run.values).toEqual(["nil", "", "nil", "nil", "cannot close standard file"]);
  });
});

describe("module()", () => {
  it("tells the globals that it made, so that they can be evicted", () => {
    const run = runLua(`module("a.b.c", package.seeall) module("d") `);
    expect(run.moduleGlobals).toEqual(["a.b.c", "d"]);
  });

  it("tells nothing when package.loaded has the table already", () => {
    const run = runLua(`package.loaded.known = {} module("known")`);
    expect(run.moduleGlobals).toEqual([]);
  });

  it("changes the environment of its caller alone", () => {
    const run = runLua(`
      local function other() return type(print) end
      local function caller() module("m") return print end
      return caller() == nil, other()`);
    expect(run.values).toEqual(["true", "function"]);
  });

  it("works when Lua code has replaced setfenv", () => {
    expect(runLua(`setfenv = nil module("m", package.seeall) return _NAME`).values).toEqual(["m"]);
  });
});

describe("environments", () => {
  it("setfenv(0, t) gives a coroutine its own, which load takes for its chunks", () => {
    const run = runLua(`
      local co = coroutine.wrap(function()
        setfenv(0, { x = "mine" })
        return loadstring("return x")(), load("return x", "c", "t", { x = "given" })()
      end)
      local own, given = co()
      return own, given, loadstring("return x")()`);
    expect(run.values).toEqual(["mine", "given", "nil"]);
  });

  it("setfenv on a coroutine's function does not reach the function that made it", () => {
    const run = runLua(`
      name = "global"
      local function outer()
        local function inner() return name end
        setfenv(inner, { name = "own" })
        return inner() .. " " .. name
      end
      return outer()`);
    expect(run.values).toEqual(["own global"]);
  });
});

describe("the collector", () => {
  it("lets a program that waits for a stable count go on", () => {
    const run = runLua(`
      local rounds, before = 0
      repeat
        before = collectgarbage "count"
        collectgarbage()
        rounds = rounds + 1
      until before == collectgarbage "count"
      return rounds < 100, before > 0`);
    expect(run.values).toEqual(["true", "true"]);
  });
});
