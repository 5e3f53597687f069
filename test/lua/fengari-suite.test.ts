/**
 * Fengari's own tests, which its package carries, run against the patched copy: all pass, but for those that state
 * what Relua means to have otherwise. These are listed with the reason, and must fail: a list that is too long is
 * a mistake, too.
 */

import { cpSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** Titles of tests that cannot hold, by reason; `(2)` is the second of that title in its file, `file: ` makes it that file's. */
const otherwise: Readonly<Record<string, readonly string[]>> = {
  "32-bit integers do not wrap around, and bit operators take large numbers": [
    "[test-suite] api: errors in arithmetic",
    "[test-suite] attrib: test of large float/integer indices ",
    "[test-suite] bitwise: testing bitwise operations",
    "[test-suite] bitwise: out-of-range numbers",
    "[test-suite] bitwise: some special cases",
    "[test-suite] bitwise: testing extract/replace",
    "[test-suite] bitwise: testing conversion of floats",
    "[test-suite] code: constant folding",
    "[test-suite] errors: float->integer conversions",
    "[test-suite] math: int bits",
    "[test-suite] math: integer arithmetic",
    "[test-suite] math: testing floor division and conversions",
    "[test-suite] math: comparison between floats and integers (border cases)",
    "[test-suite] math: order between floats and integers",
    "[test-suite] math: testing order (floats can represent all integers)",
    "[test-suite] math: testing overflow errors when converting from float to integer (runtime)",
    "[test-suite] math: Literal integer Overflows (new behavior in 5.3.3)",
    "[test-suite] math: 'tonumber' with strings",
    "[test-suite] math: testing hexadecimal numerals",
    "[test-suite] math: testing unsigned comparisons",
    "[test-suite] math: testing floor & ceil",
    "[test-suite] math: test random for large intervals",
    "[test-suite] sort: testing unpack (2)",
    "[test-suite] sort: testing move",
    "[test-suite] sort: testing long move",
    "[test-suite] strings: large numbers for format",
    "[test-suite] tpack: minimum behavior for integer formats (3)",
    "[test-suite] tpack: minimum behavior for integer formats (4)",
    "[test-suite] tpack: Lua integer size",
  ],
  "division by 0 is nan or inf": [
    "[test-suite] math: avoiding errors at compile time",
    "[test-suite] math: testing mod operator",
    "[test-suite] math: testing fmod for integers",
  ],
  "integral floats print as integers": [
    "[test-suite] math: basic float notation",
    "[test-suite] strings: tostring",
  ],
  "math.max without a number says so": ["[test-suite] math: testing max/min"],
  "%s with a width takes zeros": ["[test-suite] strings: embedded zeros error"],
  "functions of the host are C functions, as are the levels of their calls": [
    "[test-suite] db: getinfo, ...line...",
    "[test-suite] errors: tests for errors in coroutines",
    "[test-suite] errors: testing syntax limits",
  ],
  "list constructors fill in order: these look at the order of the entries": [
    "lvm.test.js: SETLIST",
    "lvm.test.js: Variable SETLIST",
    "lvm.test.js: Long SETLIST",
    "lexparse.test.js: Long SETLIST",
  ],
  "evaluating a function twice gives two functions, as in 5.1": ["[test-suite] closure: testing equality"],
  "chunk names are whole in messages": [
    "[test-suite] db: test file and string names truncation",
    "[test-suite] errors: testing size of 'source' info",
  ],
  "no JavaScript is run by path": ["[test-suite] attrib: testing require", "package.loadlib"],
};

/** Loops that would take minutes: until 2^i wraps around to 0; five tables of a million entries. */
const endless = [
  "[test-suite] locals: old test for limits for special instructions (now just a generic test)",
  "[test-suite] coroutine: stack overflow",
];

const installed = join(import.meta.dirname, "..", "..", "node_modules", "fengari", "test");
const patched = join(import.meta.dirname, "..", "..", "dist", "fengari");

/** The tests find Fengari at `../src`; that is the patched copy here. */
const folder = realpathSync(mkdtempSync(join(tmpdir(), "relua-fengari-")));
cpSync(installed, join(folder, "test"), { recursive: true });
symlinkSync(patched, join(folder, "src"));
symlinkSync(join(installed, "..", ".."), join(folder, "node_modules"));
const home = process.cwd();
beforeAll(() => process.chdir(folder));
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

type Body = () => void;
/** Stand-ins for jest's globals that only note the tests. */
function testsOf(file: string): readonly (readonly [title: string, body: Body])[] {
  const tests: (readonly [string, Body])[] = [];
  const add = (title: string, body: Body): void => {
    const same = tests.filter(([it]) => it.replace(/ \(\d\)$/, "") === title).length;
    tests.push([same === 0 ? title : `${title} (${same + 1})`, body]);
  };
  const note = Object.assign(add, { skip: () => undefined });
  Object.assign(globalThis, { test: note, it: note, expect, describe: (_: string, body: Body) => body() });
  createRequire(file)(file);
  return tests;
}

const expectedToFail = new Set(Object.values(otherwise).flat());
const files = readdirSync(join(folder, "test"), { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".test.js"),
);

describe.each(files.sort())("%s", (name) => {
  for (const [title, body] of testsOf(join(folder, "test", name))) {
    if (endless.includes(title)) it.skip(title, body);
    else if (expectedToFail.has(title) || expectedToFail.has(`${name}: ${title}`)) it.fails(title, body);
    else it(title, body);
  }
});
