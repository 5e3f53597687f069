import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openCjson } from "../../src/ngx/cjson.ts";
import { openNull } from "../../src/ngx/null.ts";
import { luaWithNgx } from "./lua.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * JSON that survives Lua: 14 digits are written, and an object whose keys are all numbers from 1 on could be an
 * array, so numbers are short and keys start with a letter. Empty arrays are left out: to Lua they are objects.
 */
const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => Number(value.toPrecision(13)) + 0),
    fc.string({ unit: "binary" }),
    fc.array(tie("value"), { minLength: 1, maxLength: 6 }),
    fc.dictionary(
      fc.string({ unit: "binary" }).map((key) => `k${key}`),
      tie("value"),
      { maxKeys: 6 },
    ),
  ),
})).value;

const { run } = luaWithNgx([openNull, openCjson]);
const latin1 = (text: string) => Buffer.from(text, "utf8").toString("latin1");
const utf8 = (text: string) => Buffer.from(text, "latin1").toString("utf8");
const again = (text: string, change = "") =>
  JSON.parse(
    utf8(
      run(
        `local c = require "cjson" local v = c.decode((...)) ${change} return c.encode(v)`,
        latin1(text),
      )[0] as string,
    ),
  );

const same = (left: unknown, right: unknown) => {
  try {
    expect(left).toEqual(right);
    return true;
  } catch {
    return false;
  }
};

describe("cjson, against JavaScript's JSON", () => {
  it("decodes what JSON.stringify wrote, and encodes what JSON.parse reads back as the same", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(again(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("… a property that a lost value does not have", () => {
    const broken = fc.check(
      fc.property(json, (value) =>
        same(again(JSON.stringify({ k: value }), "v.k = nil"), JSON.parse(JSON.stringify({ k: value }))),
      ),
    );
    expect(broken.failed).toBe(true);
  });

  it("refuses whatever JSON.parse refuses, but for what C's strtod and C's strings let through", () => {
    const lenient = /\d\.(?!\d)|(?<![\d.])0\d|0[xX]|\+|[iI][nN][fF]|[nN][aA][nN]|\\u[dD][89a-fA-F]/;
    const strict = (text: string) => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    const pieces = [
      "[",
      "]",
      "{",
      "}",
      ",",
      ":",
      '"',
      "\\",
      "null",
      "true",
      "fals",
      "1",
      "-",
      ".5",
      "e3",
      " ",
      "a",
      '"k"',
      '"k":',
    ];
    let refused = 0;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 8 }), (parts) => {
        const text = parts.join("");
        if (lenient.test(text)) return;
        const accepted =
          run('return (require "cjson.safe".decode((...))) ~= nil', latin1(text))[0] === "true";
        expect(accepted).toBe(strict(text));
        if (!accepted) refused += 1;
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  it("keeps every byte of a string, UTF-8 or not", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = Buffer.from(bytes).toString("latin1");
        expect(run('local c = require "cjson" return c.decode(c.encode((...)))', text)).toEqual([text]);
      }),
    );
  });
});
