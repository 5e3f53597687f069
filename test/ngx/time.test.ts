import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cookieTime, httpTime, parseHttpTime } from "../../src/ngx/http-date.ts";
import { openTime, wallClock } from "../../src/ngx/time.ts";
import { luaWithNgx } from "./lua.ts";

const { run, error } = luaWithNgx([openTime]);

describe("HTTP dates", () => {
  it("are written as nginx writes them", () => {
    expect(httpTime(1290079655)).toBe("Thu, 18 Nov 2010 11:27:35 GMT");
    expect(cookieTime(1290079655)).toBe("Thu, 18-Nov-10 11:27:35 GMT");
    expect(cookieTime(2147483648)).toBe("Tue, 19-Jan-2038 03:14:08 GMT");
    expect(run("return ngx.http_time(1290079655.9), ngx.cookie_time(0)")).toEqual([
      "Thu, 18 Nov 2010 11:27:35 GMT",
      "Thu, 01-Jan-70 00:00:00 GMT",
    ]);
    expect(error("return (ngx.http_time('1'))")).toBe("app/test.lua:1: number argument only");
  });

  it.each([
    ["Sun, 06 Nov 1994 08:49:37 GMT", 784111777],
    ["Sunday, 06-Nov-94 08:49:37 GMT", 784111777],
    ["Sun Nov  6 08:49:37 1994", 784111777],
    ["Thu, 18 Nov 2010 11:27:35", 1290079655],
    ["Tue, 29 Feb 2000 00:00:00 GMT", 951782400],
  ])("%s is read", (text, seconds) => {
    expect(parseHttpTime(text)).toBe(seconds);
    expect(run(`return ngx.parse_http_time((...)) == ${seconds}`, text)).toEqual(["true"]);
  });

  it.each([
    "",
    "yesterday",
    "Thu, 29 Feb 2001 00:00:00 GMT",
    "Thu, 18 nov 2010 11:27:35 GMT",
    "Thu, 18 Nov 2010 24:00:00 GMT",
    "Thu, 32 Jan 2010 00:00:00 GMT",
  ])("%j is none", (text) => {
    expect(run("return ngx.parse_http_time((...))", text)).toEqual(["nil"]);
  });

  it("come back from every second of 400 years", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 * 365 * 86400 }), (seconds) => {
        expect(parseHttpTime(httpTime(seconds))).toBe(seconds);
      }),
    );
    const twoDigits = fc.check(
      fc.property(
        fc.integer({ min: 0, max: 400 * 365 * 86400 }),
        (seconds) => parseHttpTime(cookieTime(seconds)) === seconds,
      ),
    );
    expect(twoDigits.failed).toBe(true);
  });
});

describe("clocks", () => {
  it("tell the time in Lua's units", () => {
    const before = Date.now();
    const [now, time, same] = run(
      "ngx.update_time() return ngx.now() * 1000, ngx.time(), ngx.time() == math.floor(ngx.time())",
    ) as [string, string, string];
    const after = Date.now();
    expect(Math.round(Number(now))).toBeGreaterThanOrEqual(before);
    expect(Math.round(Number(now))).toBeLessThanOrEqual(after);
    expect(Number(time)).toBeGreaterThanOrEqual(Math.floor(before / 1000));
    expect(same).toBe("true");
  });

  it("are written as nginx writes them", () => {
    const [today, local, utc] = run("return ngx.today(), ngx.localtime(), ngx.utctime()") as [
      string,
      string,
      string,
    ];
    expect(today).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(local).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(Math.abs(Date.parse(`${utc.replace(" ", "T")}Z`) - Date.now())).toBeLessThan(60_000);
    expect(wallClock(new Date("2010-11-18T11:27:35.9Z"), "utc")).toBe("2010-11-18 11:27:35");
  });
});
