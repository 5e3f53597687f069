/** os.date and os.time of the patched Fengari answer as C's do, in UTC and in zones with summer time. */

import * as fc from "fast-check";
import { afterEach, describe, expect } from "vitest";
import { debianProgram, itWithDebian } from "../debian.ts";
import { evaluateOn, evaluateWith, patched, stock } from "./fengari-runs.ts";

const luajit = debianProgram("luajit", "luajit2");

/** 1920 to 2200: well across 1970 and 2038. */
const time = fc.integer({ min: -1_577_923_200, max: 7_258_118_400 });
const letters = [..."aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYz%", "Ec", "EY", "Od", "OH", "P", "k", "l"];
const format = fc
  .array(fc.constantFrom(...letters), { minLength: 1, maxLength: 5 })
  .map((it) => `%${it.join("|%")}`);
const fields = ["sec", "min", "hour", "day", "month", "year", "wday", "yday", "isdst"];

/** Years in which summer time lasted the whole year are not told from standard time: none since 1980. */
const recently = fc.integer({ min: 315_532_800, max: 4_102_444_800 });

const date = fc
  .tuple(fc.constantFrom("", "!"), format, time)
  .map(([utc, it, at]) => `os.date("${utc}${it}", ${at})`);
const table = fc
  .tuple(fc.constantFrom("*t", "!*t"), recently)
  .map(
    ([it, at]) =>
      `(function(t) return ${fields.map((field) => `t.${field}`).join(", ")} end)(os.date("${it}", ${at}))`,
  );
const part = (most: number) => fc.integer({ min: -most, max: most });
const composed = fc
  .tuple(fc.integer({ min: 1930, max: 2150 }), part(30), part(70), part(100), part(200), part(5000))
  .map(([year, month, day, hour, min, sec]) => ({ year, month, day, hour, min, sec }))
  .map((it) =>
    Object.entries(it)
      .map(([name, value]) => `${name} = ${value}`)
      .join(", "),
  )
  .map((it) => `os.time{${it}}, os.time{${it.replace(/year = (\d+)/, 'year = "$1"')}}`);

function alike(expression: fc.Arbitrary<string>, program: string, fengari: typeof patched) {
  const reference = evaluateWith(program);
  const candidate = evaluateOn(fengari);
  return fc.property(fc.array(expression, { minLength: 60, maxLength: 90 }), (expressions) => {
    const wanted = reference(expressions);
    const got = candidate(expressions);
    expect(expressions.map((it, i) => `${it}: ${got[i]}`)).toEqual(
      expressions.map((it, i) => `${it}: ${wanted[i]}`),
    );
  });
}

describe("dates", () => {
  const zone = process.env.TZ;
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  for (const [what, tz, expression] of [
    ["os.date in UTC", "UTC", date],
    ["os.date('%s')", "UTC", time.map((at) => `os.date("%s", ${at}), os.date("!%Z")`)],
    ["os.date in Berlin", "Europe/Berlin", date],
    ["os.date in New York", "America/New_York", date],
    ["os.date('*t') in Berlin", "Europe/Berlin", table],
    ["os.time", "UTC", composed],
  ] as const) {
    itWithDebian(`${what} is C's; that of npm's Fengari is not (control)`, [luajit], (program) => {
      process.env.TZ = tz;
      fc.assert(alike(expression, program as string, patched), { numRuns: 10 });
      expect(() =>
        fc.assert(alike(expression, program as string, stock), { numRuns: 10, endOnFailure: true }),
      ).toThrow();
    });
  }
});
