import { describe, expect, it } from "vitest";
import { openCjson } from "../../src/ngx/cjson.ts";
import { openNull } from "../../src/ngx/null.ts";
import { luaWithNgx } from "./lua.ts";

const start = () => luaWithNgx([openNull, openCjson]);
const head = 'local cjson = require "cjson" ';

describe("cjson.encode", () => {
  it.each([
    ["{}", "{}"],
    ["{1, 2, 3}", "[1,2,3]"],
    ["{a = 1}", '{"a":1}'],
    ["'text'", '"text"'],
    ["nil", "null"],
    ["cjson.null", "null"],
    ["ngx.null", "null"],
    ["true", "true"],
    ["cjson.empty_array", "[]"],
    ["{arr = cjson.empty_array}", '{"arr":[]}'],
    ["setmetatable({}, cjson.empty_array_mt)", "[]"],
    ["setmetatable({'a'}, cjson.empty_array_mt)", '["a"]'],
    ["setmetatable({}, cjson.array_mt)", "[]"],
    ["setmetatable({'foo', 'bar', x = 1}, cjson.array_mt)", '["foo","bar"]'],
    ["{[2] = 'b', [1] = 'a'}", '["a","b"]'],
    ["{[1] = 1, [3] = 3}", "[1,null,3]"],
    ["{[10] = 1}", "[null,null,null,null,null,null,null,null,null,1]"],
    ["{1, x = setmetatable({}, {})}", '{"x":{},"1":1}'],
    ["{[1.5] = 1}", '{"1.5":1}'],
    ["{[0] = 1}", '{"0":1}'],
    [`'a/b"\\\\\\n\\0\\127'`, '"a\\/b\\"\\\\\\n\\u0000\\u007f"'],
    ["'\\255\\228'", '"\xff\xe4"'],
    ["{{{}}}", "[[{}]]"],
    ["1e15", "1e+15"],
    ["2^53", "9.007199254741e+15"],
    ["0.1", "0.1"],
    ["1/3", "0.33333333333333"],
    ["-0.00001", "-1e-05"],
    ["100", "100"],
    ["5.0", "5"],
  ])("%s is %s", (value, json) => {
    expect(start().run(`${head} return cjson.encode(${value})`)).toEqual([json]);
  });

  it.each([
    ["cjson.encode(print)", "Cannot serialise function: type not supported"],
    ["cjson.encode({a = {coroutine.create(print)}})", "Cannot serialise thread: type not supported"],
    ["cjson.encode({[true] = 1})", "Cannot serialise boolean: table key must be a number or string"],
    ["cjson.encode({[1] = 1, [100] = 2})", "Cannot serialise table: excessively sparse array"],
    ["cjson.encode(0/0)", "Cannot serialise number: must not be NaN or Infinity"],
    ["cjson.encode()", "bad argument #1 to 'encode' (expected 1 argument)"],
    [
      "cjson.encode_max_depth(0)",
      "bad argument #1 to 'encode_max_depth' (expected integer between 1 and 2147483647)",
    ],
    ["cjson.encode_max_depth(1, 2)", "bad argument #2 to 'encode_max_depth' (found too many arguments)"],
    ["cjson.encode_keep_buffer('no')", "bad argument #1 to 'encode_keep_buffer' (invalid option 'no')"],
  ])("%s raises %s", (call, message) => {
    expect(start().error(`${head} local _ = ${call} return _`)).toBe(`app/test.lua:1: ${message}`);
  });

  it("stops at the nesting it is told, and in time for JavaScript's own stack", () => {
    const nest = (depth: number) => `local t = {} for _ = 2, ${depth} do t = {t} end`;
    const { run, error } = start();
    expect(run(`${head} ${nest(1000)} return #cjson.encode(t)`)).toEqual(["2000"]);
    expect(error(`${head} ${nest(1001)} return cjson.encode(t)`)).toContain(
      "Cannot serialise, excessive nesting (1001)",
    );
    expect(error(`${head} local t = {} t.t = t return cjson.encode(t)`)).toContain(
      "excessive nesting (1001)",
    );
    const loop = `${head} cjson.encode_max_depth(1e9) local t = {} t[1] = t return cjson.encode(t)`;
    expect(error(loop)).toContain("Cannot serialise, excessive nesting (1001)");
  });

  it("does as its settings say", () => {
    const { run } = start();
    const encode = (settings: string, value: string) =>
      run(`local cjson = require "cjson".new() ${settings} return cjson.encode(${value})`)[0];
    expect(encode("cjson.encode_empty_table_as_object(false)", "{a = {}}")).toBe('{"a":[]}');
    expect(encode("cjson.encode_sparse_array(true)", "{[1] = 1, [100] = 2}")).toBe('{"1":1,"100":2}');
    expect(encode("cjson.encode_sparse_array(false, 0)", "{[12] = 1}")).toBe(`[${"null,".repeat(11)}1]`);
    expect(encode("cjson.encode_number_precision(3)", "{2/3, 12345}")).toBe("[0.667,1.23e+04]");
    expect(encode("cjson.encode_number_precision(16)", "2^53")).toBe("9007199254740992");
    expect(encode("cjson.encode_invalid_numbers(true)", "{1/0, -1/0, 0/0}")).toBe("[Infinity,-Infinity,NaN]");
    expect(encode("cjson.encode_invalid_numbers('null')", "{1/0}")).toBe("[null]");
    expect(encode("cjson.encode_escape_forward_slash(false)", "'a/\"'")).toBe('"a/\\""');
    expect(encode("cjson.encode_keep_buffer(false)", "{'x'}")).toBe('["x"]');
  });

  it("returns the settings, and keeps those of each module apart", () => {
    const { run } = start();
    expect(run(`${head} return cjson.encode_sparse_array()`)).toEqual(["false", "2", "10"]);
    expect(run(`${head} return cjson.encode_sparse_array(true, 3, 4)`)).toEqual(["true", "3", "4"]);
    expect(run(`return require "cjson.safe".encode_sparse_array()`)).toEqual(["false", "2", "10"]);
    expect(run(`${head} return cjson.new().encode_sparse_array()`)).toEqual(["false", "2", "10"]);
    expect(
      run(`${head} return cjson.encode_invalid_numbers(), cjson.encode_invalid_numbers("null")`),
    ).toEqual(["false", "null"]);
    expect(
      run(
        `${head} return cjson.encode_number_precision(), cjson.encode_max_depth(), cjson.decode_max_depth()`,
      ),
    ).toEqual(["14", "1000", "1000"]);
    expect(
      run(`${head} return cjson._NAME, cjson.null == ngx.null, cjson.null == require "cjson.safe".null`),
    ).toEqual(["cjson", "true", "true"]);
  });

  it("calls no metamethod", () => {
    const mt = "{__index = error, __pairs = error, __len = error, __tostring = error}";
    expect(start().run(`${head} return cjson.encode(setmetatable({1, 2}, ${mt}))`)).toEqual(["[1,2]"]);
  });
});

describe("cjson.decode", () => {
  const show = `
    local function show(v)
      if type(v) ~= "table" then return type(v) == "string" and "<" .. v .. ">" or tostring(v) end
      local keys, parts = {}, {}
      for k in pairs(v) do keys[#keys + 1] = k end
      table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
      for i, k in ipairs(keys) do parts[i] = show(k) .. "=" .. show(v[k]) end
      return "{" .. table.concat(parts, " ") .. "}"
    end `;

  it.each([
    ['{"a":[1,2.5,-3e2],"b":{}}', "{<a>={1=1 2=2.5 3=-300.0} <b>={}}"],
    ["[]", "{}"],
    [" [ true , false , null ] ", "{1=true 2=false 3=userdata: NULL}"],
    ['"\\u00e4\\u20ac\\ud83d\\ude00\\n\\/\\"\\\\"', '<\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n/"\\>'],
    ['"\xc3\xa4\xff"', "<\xc3\xa4\xff>"],
    ['{"a":1,"a":2}', "{<a>=2}"],
    ["-12", "-12"],
    ["0", "0"],
    ["0x1F", "31"],
    ["007", "7"],
    ["+1", "1"],
    ["1.", "1"],
    ['"a\\u0000b"', "<a\0b>"],
    ["12\0 what follows a zero byte is not seen", "12"],
    [`"${'\\"x'.repeat(40)}"`, `<${'"x'.repeat(40)}>`],
  ])("%s is %s", (json, shown) => {
    const result = start().run(`${show} return show(require "cjson".decode((...)))`, json)[0];
    expect(result?.replace("300.0", "300")).toBe(shown.replace("300.0", "300"));
  });

  it.each([
    ["", "Expected value but found T_END at character 1"],
    ["x", "Expected value but found invalid token at character 1"],
    ["tru", "Expected value but found invalid token at character 1"],
    ["[1,]", "Expected value but found T_ARR_END at character 4"],
    ["[1 2]", "Expected comma or array end but found T_NUMBER at character 4"],
    ["[1", "Expected comma or array end but found T_END at character 3"],
    ['{"a" 1}', "Expected colon but found T_NUMBER at character 6"],
    ['{"a":1 "b"}', "Expected comma or object end but found T_STRING at character 8"],
    ['{"a":1,}', "Expected object key string but found T_OBJ_END at character 8"],
    ["{1:2}", "Expected object key string but found T_NUMBER at character 2"],
    ["{null:2}", "Expected object key string but found T_NULL at character 2"],
    ["1 true", "Expected the end but found T_BOOLEAN at character 3"],
    ['"abc', "Expected value but found unexpected end of string at character 5"],
    ['"a\\x"', "Expected value but found invalid escape code at character 3"],
    ['"\\ud800"', "Expected value but found invalid unicode escape code at character 2"],
    ['"\\udc00"', "Expected value but found invalid unicode escape code at character 2"],
    ['"\\u12g4"', "Expected value but found invalid unicode escape code at character 2"],
    ['["a" "b\\x"]', "Expected comma or array end but found invalid escape code at character 8"],
    ["-", "Expected value but found invalid number at character 1"],
    ["\0\x31", "JSON parser does not support UTF-16 or UTF-32"],
  ])("%j raises %s", (json, message) => {
    const { error, run } = start();
    expect(error('local v = require "cjson".decode((...)) return v', json)).toBe(
      `app/test.lua:1: ${message}`,
    );
    expect(run('return require "cjson.safe".decode((...))', json)).toEqual(["nil", message]);
  });

  it("stops at the nesting it is told, and in time for JavaScript's own stack", () => {
    const { run, error } = start();
    expect(run(`${head} return type(cjson.decode((...)))`, "[".repeat(1000) + "]".repeat(1000))).toEqual([
      "table",
    ]);
    expect(error(`${head} return cjson.decode((...))`, "[".repeat(1001))).toContain(
      "Found too many nested data structures (1001) at character 1001",
    );
    expect(
      error(`${head} cjson.decode_max_depth(1e9) return cjson.decode((...))`, "[".repeat(100_000)),
    ).toContain("Found too many nested data structures (1001)");
  });

  it("does as its settings say", () => {
    const { run, error } = start();
    const strict =
      'local cjson = require "cjson".new() cjson.decode_invalid_numbers(false) return cjson.decode((...))';
    for (const json of ["0x1F", "007", "-inf", "-01"])
      expect(error(strict, json)).toContain("found invalid number at character 1");
    for (const json of ["+1", "nan", "inf"])
      expect(error(strict, json)).toContain("found invalid token at character 1");
    for (const json of ["0", "-0.5", "1e5", "10"]) expect(Number(run(strict, json)[0])).toBe(Number(json));
    expect(
      run(`${head} cjson.decode_array_with_array_mt(true) return cjson.encode(cjson.decode("[[]]"))`),
    ).toEqual(["[[]]"]);
    expect(
      run(`${head} cjson.decode_json_null(false) return cjson.encode(cjson.decode('{"a":null,"b":1}'))`),
    ).toEqual(['{"b":1}']);
  });

  it("reads numbers that only C's strtod knows", () => {
    const { run } = start();
    expect(run(`${head} return cjson.decode("-Infinity") == -1/0, cjson.decode("inf") == 1/0`)).toEqual([
      "true",
      "true",
    ]);
    expect(run(`${head} local v = cjson.decode("nan") return v ~= v`)).toEqual(["true"]);
    expect(run(`${head} return cjson.decode("-0x1.8p1") == -3, 1 / cjson.decode("-0") == -1/0`)).toEqual([
      "true",
      "true",
    ]);
  });

  it("takes a string or a number, and nothing else", () => {
    const { error, run } = start();
    expect(run(`${head} return cjson.decode(15)`)).toEqual(["15"]);
    expect(error(`${head} return cjson.decode({})`)).toContain("string expected, got table");
    expect(error('return require "cjson.safe".decode()')).toContain("expected 1 argument");
  });
});
