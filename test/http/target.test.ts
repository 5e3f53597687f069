/** Request targets: what $uri and $args become, and what is refused. */

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalisePath, parseTarget } from "../../src/http/target.ts";

describe("a target", () => {
  it.each([
    ["/", "/", ""],
    ["/a/b", "/a/b", ""],
    ["/a?x=1&y=%2f", "/a", "x=1&y=%2f"],
    ["/a?", "/a", ""],
    ["/a?b?c", "/a", "b?c"],
    ["/a#f?x", "/a", ""],
    ["/a?x#f", "/a", "x"],
    ["/a//b///c", "/a/b/c", ""],
    ["//", "/", ""],
    ["/./a/./b/.", "/a/b/", ""],
    ["/a/../b", "/b", ""],
    ["/a/b/..", "/a/", ""],
    ["/a/..", "/", ""],
    ["/a/b/../../c", "/c", ""],
    ["/.a/..b/c..", "/.a/..b/c..", ""],
    ["/%61%2Fb", "/a/b", ""],
    ["/a/%2e%2E/b", "/b", ""],
    ["/a%2f%2fb", "/a/b", ""],
    ["/%25%32%35", "/%25", ""],
    ["/a%3fb%23c", "/a?b#c", ""],
    ["/a+b%20c", "/a+b c", ""],
    ["/\xe9%e9", "/\xe9\xe9", ""],
    ["//a/../b%2f", "/b/", ""],
    ["/a%0d%0ab", "/a\r\nb", ""],
  ])("%j is %j with %j", (target, uri, args) => {
    expect(parseTarget(target)).toEqual({ authority: undefined, uri, args });
  });

  it.each([
    ["http://example.com/a/../b?x", "example.com", "/b", "x"],
    ["HTTP://example.com:80", "example.com:80", "/", ""],
    ["http://example.com?x", "example.com", "/", "x"],
    ["https://[::1]:1/", "[::1]:1", "/", ""],
  ])("names a host in the absolute form: %j", (target, authority, uri, args) => {
    expect(parseTarget(target)).toEqual({ authority, uri, args });
  });

  it.each([
    "*",
    "",
    "a",
    "http://",
    "http:///a",
    "http:/a",
    "http://user@host/",
    "1http://host/",
    "/%",
    "/%2",
    "/%2g",
    "/%g0",
    "/%00",
    "/a%",
    "/..",
    "/../a",
    "/a/../../b",
    "/%2e%2e/a",
    "//..",
    "/./..",
  ])("is refused: %j", (target) => {
    expect(parseTarget(target)).toBeUndefined();
  });
});

/** nginx's rules by rewriting the text step by step, as a person would do it on paper. */
function byRewriting(path: string): string | undefined {
  if (/%(?![0-9a-f]{2})/i.test(path) || path.includes("%00")) return undefined;
  let text = path.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  text = text.replace(/\/+/g, "/");
  for (let before = ""; before !== text; ) {
    before = text;
    text = text.replace(/\/\.(\/|$)/, "/");
  }
  for (let before = ""; before !== text; ) {
    before = text;
    if (/^\/\.\.(\/|$)/.test(text)) return undefined;
    text = text.replace(/\/[^/]+\/\.\.(\/|$)/, "/");
  }
  return text;
}

describe("normalising", () => {
  const piece = fc.constantFrom(
    "/",
    "/",
    ".",
    "..",
    "a",
    "b",
    "%2f",
    "%2e",
    "%25",
    "%3f",
    "%61",
    "%00",
    "%",
    "+",
  );
  const path = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join("")}`);
  const agrees = (normalise: (path: string) => string | undefined) =>
    fc.property(path, (path) => {
      expect(normalise(path)).toBe(byRewriting(path));
    });

  it("gives what rewriting step by step gives", () => {
    fc.assert(agrees(normalisePath), { numRuns: 5_000 });
  });

  it("control: decoding after the dots are resolved is noticed", () => {
    const late = (path: string) => {
      const resolved = normalisePath(path.replaceAll("%", "\u0100"));
      if (resolved === undefined) return undefined;
      const text = resolved.replaceAll("\u0100", "%");
      return /%(?![0-9a-f]{2})|%00/i.test(text) ? undefined : decodeURIComponent(text);
    };
    expect(() => fc.assert(agrees(late), { numRuns: 5_000 })).toThrow(/Property failed after/);
  });

  it("is done after one time, for paths without percent signs in what results", () => {
    fc.assert(
      fc.property(path, (path) => {
        const once = normalisePath(path);
        fc.pre(once !== undefined && !once.includes("%"));
        expect(normalisePath(once as string)).toBe(once);
      }),
    );
  });
});
