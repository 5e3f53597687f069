import { describe, expect, it } from "vitest";
import { openLog } from "../../src/ngx/log.ts";
import { openNull } from "../../src/ngx/null.ts";
import { luaWithNgx } from "./lua.ts";

const start = () => luaWithNgx([openNull, openLog]);

describe("ngx.log", () => {
  it("names the level, the place and the function", () => {
    const { run, logged } = start();
    run(
      "local function check()\n  ngx.log(ngx.ERR, 'no ', 'luck')\nend\ncheck()\nngx.log(ngx.DEBUG, 'main')",
    );
    expect(logged).toEqual([
      { level: "error", message: "[lua] test.lua:2: check(): no luck" },
      { level: "debug", message: "[lua] test.lua:5: main" },
    ]);
  });

  it("keeps the whole name of an inline chunk", () => {
    const { run, logged } = start();
    run("(load or loadstring)('ngx.log(ngx.WARN, 1)', '=content_by(/a/b)')()");
    expect(logged).toEqual([{ level: "warn", message: "[lua] content_by(/a/b):1: 1" }]);
  });

  it("joins what can be a text", () => {
    const { run, logged } = start();
    run(
      "ngx.log(ngx.INFO, nil, true, false, 12, ' ', ngx.null, setmetatable({}, {__tostring = function() return '!' end}))",
    );
    expect(logged[0]?.message).toBe("[lua] test.lua:1: niltruefalse12 null!");
    run("ngx.log(ngx.INFO)");
    expect(logged[1]?.message).toBe("[lua] test.lua:1: ");
  });

  it.each([
    ["ngx.ERR, {}", "bad argument #1 to 'log' (expected table to have __tostring metamethod)"],
    [
      "ngx.ERR, 'a', print",
      "bad argument #2 to 'log' (string, number, boolean, or nil expected, got function)",
    ],
    ["9, 'a'", "bad argument #1 to 'log' (bad log level: 9)"],
    ["-1, 'a'", "bad argument #1 to 'log' (bad log level: -1)"],
    ["'x'", "bad argument #1 to 'log' (number expected, got string)"],
  ])("of %s raises an error and logs nothing", (args, message) => {
    const { error, logged } = start();
    expect(error(`ngx.log(${args})`)).toBe(`app/test.lua:1: ${message}`);
    expect(logged).toEqual([]);
  });

  it("carries every byte", () => {
    const { run, logged } = start();
    run("ngx.log(ngx.ERR, '\\0\\255')");
    expect(logged[0]?.message).toBe("[lua] test.lua:1: \0\xff");
  });

  it("has nginx's numbers for the levels", () => {
    expect(
      start().run(
        "return ngx.STDERR, ngx.EMERG, ngx.ALERT, ngx.CRIT, ngx.ERR, ngx.WARN, ngx.NOTICE, ngx.INFO, ngx.DEBUG",
      ),
    ).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
  });
});

describe("print", () => {
  it("logs at notice", () => {
    const { run, logged } = start();
    run("print('a', 1, nil)");
    expect(logged).toEqual([{ level: "notice", message: "[lua] test.lua:1: a1nil" }]);
  });
});
