import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type EscapeKind,
  escapeUri,
  openEncoding,
  quoteSqlString,
  unescapeUri,
} from "../../src/ngx/encoding.ts";
import { luaWithNgx } from "./lua.ts";

const anyBytes = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const start = () => luaWithNgx([openEncoding]);

describe("escape_uri", () => {
  it.each([
    ["a 你", "a%20%E4%BD%A0"],
    ["a+b", "a%2Bb"],
    ['"a/b={}:<>;&[]\\^', "%22a%2Fb%3D%7B%7D%3A%3C%3E%3B%26%5B%5D%5C%5E"],
    ["abc-._~!'()*", "abc-._~!'()*"],
    ["", ""],
  ])("%j becomes %s", (text, escaped) => {
    expect(start().run("return ngx.escape_uri((...))", Buffer.from(text).toString("latin1"))).toEqual([
      escaped,
    ]);
  });

  it("takes nil, numbers and booleans as lua-resty-core does", () => {
    const { run } = start();
    expect(run("return ngx.escape_uri(nil), ngx.escape_uri(32), ngx.escape_uri(false)")).toEqual([
      "",
      "32",
      "",
    ]);
    expect(run("return ngx.escape_uri(true), ngx.unescape_uri(nil), ngx.unescape_uri(32)")).toEqual([
      "true",
      "",
      "32",
    ]);
  });

  it("escapes a whole URI with type 0, and refuses other types", () => {
    const { run, error } = start();
    expect(run("return ngx.escape_uri('/a b?c#d%e&f=+\\127é', 0)")).toEqual([
      "/a%20b%3Fc%23d%25e&f=+%7F%C3%A9",
    ]);
    expect(run("return ngx.escape_uri('a/b c', 2)")).toEqual(["a%2Fb%20c"]);
    expect(error("return (ngx.escape_uri('a', 7))")).toBe('app/test.lua:1: "esc_type" 7 out of range');
    expect(error("return (ngx.escape_uri('a', '0'))")).toBe('app/test.lua:1: "esc_type" is not number');
  });

  it("comes back by unescape_uri, whatever the bytes", () => {
    fc.assert(
      fc.property(anyBytes, (text) => {
        expect(unescapeUri(escapeUri(text))).toBe(text);
      }),
    );
    // Control: type 0 leaves `+` alone, which unescape_uri takes for a space.
    const broken = fc.check(
      fc.property(anyBytes, (text) => unescapeUri(escapeUri(text, 0)) === text),
      { numRuns: 1000 },
    );
    expect(broken.failed).toBe(true);
  });

  it.each([0, 1, 2, 3, 4, 5, 6] as EscapeKind[])(
    "type %d leaves no space, percent sign or control byte",
    (kind) => {
      const all = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
      const left = escapeUri(all, kind).replace(/%[0-9A-F]{2}/g, "");
      expect([...left].filter((char) => char <= " " || char === "%")).toEqual([]);
    },
  );
});

describe("unescape_uri", () => {
  it.each([
    ["a%20%e4%bd%a0", "a 你"],
    ["b%zz%2", "b%zz%2"],
    ["%%41+%2B", "%A +"],
  ])("%s becomes %j", (text, plain) => {
    expect(start().run("return ngx.unescape_uri((...))", text)).toEqual([
      Buffer.from(plain).toString("latin1"),
    ]);
  });
});

describe("base64", () => {
  it("encodes with and without padding", () => {
    const { run, error } = start();
    expect(run("return ngx.encode_base64('hello'), ngx.encode_base64('hello', true)")).toEqual([
      "aGVsbG8=",
      "aGVsbG8",
    ]);
    expect(
      run("return ngx.encode_base64(nil), ngx.encode_base64(12), ngx.encode_base64('\\0\\255>')"),
    ).toEqual(["", "MTI=", "AP8+"]);
    expect(error("return (ngx.encode_base64('a', 1))")).toContain(
      "bad no_padding: boolean expected, got number",
    );
  });

  it.each([
    ["aGVsbG8=", "hello"],
    ["aGVsbG8", "hello"],
    ["aGVs=bG8!", "hel"],
    ["", ""],
    ["aGVsb", "nil"],
    ["aGV sbG8=", "nil"],
    ["aGVsbG8-", "nil"],
    ["_w==", "nil"],
  ])("decodes %j to %s", (text, plain) => {
    expect(start().run("return ngx.decode_base64((...))", text)).toEqual([plain]);
  });

  it("decodes MIME bodies: line ends and foreign characters are skipped", () => {
    const { run } = start();
    expect(run("return ngx.decode_base64mime('aGV\\r\\nsb-G8=')")).toEqual(["hello"]);
    expect(run("return ngx.decode_base64mime('aGVsb')")).toEqual(["nil"]);
  });

  it("decodes strings only", () => {
    expect(start().error("return (ngx.decode_base64(nil))")).toBe("app/test.lua:1: string argument only");
  });

  it("brings every byte back", () => {
    const { run } = start();
    fc.assert(
      fc.property(anyBytes, (text) => {
        expect(run("return ngx.decode_base64(ngx.encode_base64((...)))", text)).toEqual([text]);
      }),
    );
  });
});

describe("quote_sql_str", () => {
  it("quotes by MySQL's rules", () => {
    expect(quoteSqlString("a'b\"c\\d\0e\nf\rg\th\bi\x1aj é")).toBe(
      "'a\\'b\\\"c\\\\d\\0e\\nf\\rg\\th\\bi\\Zj é'",
    );
    const { run, error } = start();
    expect(run("return ngx.quote_sql_str(''), ngx.quote_sql_str(5)")).toEqual(["''", "'5'"]);
    expect(error("return (ngx.quote_sql_str())")).toBe("app/test.lua:1: expecting one argument");
  });
});
