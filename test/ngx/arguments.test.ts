import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openArguments, parseArguments } from "../../src/ngx/arguments.ts";
import { openNull } from "../../src/ngx/null.ts";
import { luaWithNgx } from "./lua.ts";

const start = () => luaWithNgx([openArguments, openNull]);

describe("parseArguments", () => {
  it.each([
    [
      "a=1&b=2",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    [
      "a&b=",
      [
        ["a", true],
        ["b", ""],
      ],
    ],
    [
      "a=1&a=2&a",
      [
        ["a", "1"],
        ["a", "2"],
        ["a", true],
      ],
    ],
    [
      "=1&&c=%26%3D&d+e=f%20g",
      [
        ["c", "&="],
        ["d e", "f g"],
      ],
    ],
    ["a=b=c&=", [["a", "b=c"]]],
    ["", []],
  ])("%s", (query, entries) => {
    expect(parseArguments(query, 100)).toEqual({ entries, truncated: false });
  });

  it("says when more stand there than were read", () => {
    expect(parseArguments("a=1&b=2&c=3", 2)).toEqual({
      entries: [
        ["a", "1"],
        ["b", "2"],
      ],
      truncated: true,
    });
    expect(parseArguments("a=1&b=2", 2).truncated).toBe(false);
    expect(parseArguments("a=1&b=2&", 2).truncated).toBe(false);
    const many = Array.from({ length: 200 }, (_, index) => `a${index}`).join("&");
    expect(parseArguments(many, 0)).toMatchObject({ entries: { length: 200 }, truncated: false });
  });

  it("counts dropped arguments too, so that a flood of them is bounded", () => {
    expect(parseArguments(`${"&".repeat(1000)}a=1`, 100)).toEqual({ entries: [], truncated: true });
  });
});

describe("encode_args", () => {
  it.each([
    ["{foo = 3}", "foo=3"],
    ["{['b r'] = 'hello world'}", "b%20r=hello%20world"],
    ["{a = true}", "a"],
    ["{a = false}", ""],
    ["{a = {'x', true, false, 7}}", undefined],
    ["{}", ""],
  ])("%s", (table, query) => {
    const [encoded] = start().run(`return ngx.encode_args(${table})`) as [string];
    // A table's order is the VM's own.
    if (query === undefined) expect(encoded.split("&").sort()).toEqual(["a", "a=7", "a=x"]);
    else expect(encoded).toBe(query);
  });

  it.each([
    ["{'x'}", 'attempt to use a non-string key in the "args" option table'],
    ["{a = print}", "attempt to use function as query arg value"],
    ["{a = ngx.null}", "attempt to use userdata as query arg value"],
    ["{a = {{}}}", "attempt to use table as query arg value"],
    ["{}, 2", "expecting 1 argument but seen 2"],
    ["'a'", "bad argument #1 to 'encode_args' (table expected, got string)"],
  ])("of %s raises an error", (argument, message) => {
    expect(start().error(`local s = ngx.encode_args(${argument}) return s`)).toBe(
      `app/test.lua:1: ${message}`,
    );
  });
});

describe("decode_args", () => {
  it("gathers a name that occurs several times, and keeps true for bare names", () => {
    const { run } = start();
    expect(
      run("local t = ngx.decode_args('a=1&b&a=2&a') return t.a[1], t.a[2], t.a[3], #t.a, t.b, t.c"),
    ).toEqual(["1", "2", "true", "3", "true", "nil"]);
    expect(run("return select('#', ngx.decode_args('a=1'))")).toEqual(["1"]);
  });

  it("reads 100 arguments unless told otherwise, and says when there were more", () => {
    const { run } = start();
    const code = "local t, e = ngx.decode_args(('x=1&'):rep(150), ...) return #t.x, e";
    expect(run(code)).toEqual(["100", "truncated"]);
    expect(run(code.replace("...", "5"))).toEqual(["5", "truncated"]);
    expect(run(code.replace("...", "0"))).toEqual(["150", "nil"]);
  });

  it("checks what it is given", () => {
    const { error } = start();
    expect(error("local t = ngx.decode_args() return t")).toContain("expecting 1 or 2 arguments but seen 0");
    expect(error("local t = ngx.decode_args({}) return t")).toContain("string expected, got table");
    expect(error("local t = ngx.decode_args('a', 'b') return t")).toContain("number expected, got string");
  });

  it("is the inverse of encode_args for any bytes", () => {
    const { run } = start();
    const bytes = fc
      .uint8Array({ minLength: 1, maxLength: 30 })
      .map((list) => Buffer.from(list).toString("latin1"));
    const code =
      "local k, v = ... local t = ngx.decode_args(ngx.encode_args({[k] = {v, true, v}})) return #t[k], t[k][1] == v or t[k][1]";
    fc.assert(
      fc.property(bytes, bytes, (name, value) => {
        const [count, first] = run(code, name, value);
        expect(count).toBe("3");
        expect(first).toBe("true");
      }),
    );
    // Control: without escaping, an ampersand or percent sign breaks it.
    const naive = fc.property(
      bytes,
      bytes,
      (name, value) =>
        run("local k, v = ... return ngx.decode_args(k .. '=' .. v)[k] == v", name, value)[0] === "true",
    );
    expect(fc.check(naive, { numRuns: 1000 }).failed).toBe(true);
  });
});
