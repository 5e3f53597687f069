import { describe, expect, it } from "vitest";
import { openDigest } from "../../src/ngx/digest.ts";
import { luaWithNgx } from "./lua.ts";

const { run, error } = luaWithNgx([openDigest]);
const hex =
  "local function hex(s) return (s:gsub('.', function(c) return ('%02x'):format(c:byte()) end)) end ";

describe("digests", () => {
  it("md5, of RFC 1321's examples", () => {
    expect(run("return ngx.md5(''), ngx.md5('abc'), ngx.md5(nil), ngx.md5(45)")).toEqual([
      "d41d8cd98f00b204e9800998ecf8427e",
      "900150983cd24fb0d6963f7d28e17f72",
      "d41d8cd98f00b204e9800998ecf8427e",
      "6c8349cc7260ae62e3b1396831a8398f",
    ]);
    expect(run(`${hex} return hex(ngx.md5_bin('abc'))`)).toEqual(["900150983cd24fb0d6963f7d28e17f72"]);
  });

  it("sha1_bin, of RFC 3174's example", () => {
    expect(run(`${hex} return hex(ngx.sha1_bin('abc')), #ngx.sha1_bin(nil)`)).toEqual([
      "a9993e364706816aba3e25717850c26c9cd0d89d",
      "20",
    ]);
  });

  it("hmac_sha1, of RFC 2202's second example", () => {
    expect(run(`${hex} return hex(ngx.hmac_sha1('Jefe', 'what do ya want for nothing?'))`)).toEqual([
      "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
    ]);
    expect(error("return (ngx.hmac_sha1('a'))")).toContain("expecting 2 arguments, but got 1");
  });

  it("crc32, which is not negative", () => {
    expect(
      run("return ngx.crc32_short('hello, world') == 4289425978, ngx.crc32_long('123456789') == 3421780262"),
    ).toEqual(["true", "true"]);
    expect(run("return ngx.crc32_short(''), ngx.crc32_long(nil)")).toEqual(["0", "0"]);
  });

  it("bytes, not characters", () => {
    expect(run("return ngx.md5('\\195\\164') == ngx.md5('\\228')")).toEqual(["false"]);
  });
});
