import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatNumber } from "../../src/ngx/cjson/number.ts";

/** C's own answers, by way of PUC Lua's string.format, which calls sprintf (LuaJIT has its own, rounding ties up). */
function printf(values: readonly number[], precision: number): string[] | undefined {
  const literals = values.map((value) => (Object.is(value, -0) ? "-0.0" : String(value)));
  const code = `for number in ("${literals.join(" ")}"):gmatch("%S+") do
    print(string.format("%.${precision}g", tonumber(number))) end`;
  const done = spawnSync("lua5.1", ["-"], { input: code, encoding: "utf8" });
  return done.status === 0 ? done.stdout.trim().split("\n") : undefined;
}

describe("formatNumber", () => {
  it.each([
    [0, 14, "0"],
    [-0, 14, "-0"],
    [1e14, 14, "1e+14"],
    [99999999999999, 14, "99999999999999"],
    [123456, 3, "1.23e+05"],
    [0.0001, 14, "0.0001"],
    [0.00001, 14, "1e-05"],
    [1e-100, 14, "1e-100"],
    [2 ** -21, 14, "4.7683715820312e-07"],
    [0.5, 1, "0.5"],
    [2.5, 1, "2"],
    [3.5, 1, "4"],
    [-2.5, 1, "-2"],
    [0.1, 16, "0.1"],
    [5e-324, 14, "4.9406564584125e-324"],
    [100, 1, "1e+02"],
  ])("writes %d with %d digits as %s", (value, precision, text) => {
    expect(formatNumber(value, precision)).toBe(text);
  });

  it.skipIf(printf([1], 14) === undefined)("agrees with C on every double", () => {
    const values = fc.sample(
      fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        // Few bits below the point: where ties are.
        fc
          .tuple(fc.integer({ min: -100_000, max: 100_000 }), fc.integer({ min: 0, max: 30 }))
          .map(([n, e]) => n / 2 ** e),
      ),
      6000,
    );
    for (const precision of [1, 3, 6, 14, 15, 16]) {
      expect(values.map((value) => formatNumber(value, precision))).toEqual(printf(values, precision));
    }
  });
});
