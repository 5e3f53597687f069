/** Which texts are Lua: as luajit and lua5.3 see it, the more lenient of the two. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import luaparse from "luaparse";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseLua } from "../../src/check/parse-lua.ts";
import { debianProgram, itWithDebian } from "../debian.ts";

const accepts = (text: string) => "chunk" in parseLua(text);

describe("what is Lua", () => {
  it.each([
    ["nothing", ""],
    ["goto and labels", "for i = 1, 3 do goto continue ::continue:: end"],
    ["empty statements", "local a = 1;; ; return a"],
    ["bitwise operators and integer division of 5.3", "return 1 // 2 & 3 | ~4 << 5"],
    ["LuaJIT's 64-bit numbers", "return 1LL, 2ULL, 3LLU, 0x4ll, -5LL"],
    ["LuaJIT's imaginary numbers", "return 2i, 0x1p4i, .5e1I"],
    ["empty statements beside a 64-bit number", "local a = 1LL;; return a"],
    ["hexadecimal floats", "return 0x.8p1, 0xA.8, 0x1P-2"],
    ["escapes of 5.2 and 5.3", "return '\\x41\\z\n   b\\u{20AC}\\065'"],
    ["a variable called goto, as in 5.1", "local goto = 1 return goto"],
    ["names beyond ASCII, as LuaJIT takes them", "local gr\xc3\xb6\xc3\x9fe = 1"],
    ["a first line for the shell", "#!/usr/bin/lua\nreturn 1"],
    ["a byte order mark, and a first line for the shell", "\xef\xbb\xbf# x\nreturn 1"],
    ["bytecode", "\x1bLJ\x02 anything"],
    ["strings that say keywords", "local function f() return \"end\" end if f'then' then return 'do' end"],
    ["a comma inside an argument's comment", "f(--[[,]] 1) return --,\n 2"],
    ["a chain of 100,000 operators", `return 1${"+1".repeat(100_000)}`],
  ])("%s", (_, text) => expect(accepts(text)).toBe(true));

  it.each([
    ["an unfinished call", "f(", 2, "<eof>"],
    ["a stray comma in a call", "f(, 1)", 2, "unexpected symbol near ','"],
    ["a stray comma behind return", "return , 1", 7, "unexpected symbol near ','"],
    ["numbers that run on", "return 0for", 7, "malformed number near '0for'"],
    ["numbers with two dots", "return 1..2", 7, "malformed number near '1..2'"],
    ["an unknown escape", "return '\\q'", 9, "invalid escape sequence"],
    ["a string as a statement", "local x = 1 ';'", 12, "unexpected string"],
    ["a jump to nowhere", "goto nowhere", 0, "nowhere"],
    ["a break outside of loops", "break", 5, "no loop to break"],
    ["an end too many", "do end end", 7, "end"],
  ])("not %s", (_, text, offset, message) => {
    const parsed = parseLua(text);
    expect(parsed).toMatchObject({ fault: { offset, message: expect.stringContaining(message) } });
  });

  it("not what is nested more deeply than any stack", () => {
    for (const text of [
      "(".repeat(200_000),
      "{".repeat(200_000),
      "do ".repeat(200_000),
      `x = ${"not ".repeat(200_000)}`,
    ])
      expect(accepts(text)).toBe(false);
    expect(parseLua(`x = ${"(".repeat(200_000)}`)).toMatchObject({ fault: { message: /syntax levels/ } });
  });

  it("tells the fault of the dialect that got furthest", () => {
    // Lua 5.3 stops at 1LL already.
    expect(parseLua("local a = 1LL\nlocal b = = 2")).toMatchObject({ fault: { offset: 24 } });
  });
});

/** Programs from the pieces that dialects differ in; some whole, some broken. `goto` is no variable in them. */
const expression = fc.constantFrom(
  ...["x", "1", "'s'", "f(x)", "{x,1;y=2,[3]=4}", "function(...) return ... end", "x[1]", "-x", "x..y..1"],
  ...[
    "x and y or z",
    "x:m{1}",
    "2^3^-4",
    "...",
    "nil",
    "'\\z \n b'",
    '"\\x41"',
    "#x",
    "1LL",
    "0x.8p1",
    "x//y",
  ],
  ...["x|y", "~x", "f(,x)", "0and", "1.5.5", "1or x", "'\\q'", "{,}", "{1,}", "f{x}'end'", "(x)", "x.y.z"],
);
const statement = fc
  .tuple(
    fc.constantFrom(
      ...["local x = E", "x = E", "x.y, z = E, E", "f(E, E)", "if E then B elseif E then B else B end"],
      ...[
        "while E do B end",
        "repeat B until E",
        "for i = 1, E do B end",
        "for k, v in E do B end",
        "do B end",
      ],
      ...[
        "function a.b:c(x, ...) B end",
        "local function g() B end",
        "::l0::",
        "goto l0",
        "break",
        "return E, E",
      ],
      ...["return", "return 'end'", "local a, b", "end", "local", "x.y = E", "f(x) = E", "f 'x' = E"],
    ),
    fc.array(expression, { minLength: 2, maxLength: 2 }),
    fc.constantFrom("", "break", "return", "local x = 1", "f()", "goto l0 ::l0::", "::l0:: local q"),
  )
  .map(([form, expressions, block]) => {
    const left = [...expressions];
    return form.replace(/[EB]/g, (piece) => (piece === "B" ? block : (left.pop() ?? "x")));
  });
const program = fc
  .array(statement, { minLength: 1, maxLength: 4 })
  .map((statements) => statements.join("\n"));

/** Prints 1 for each text that compiles. */
const judge = `
local file = assert(io.open(arg[1], "rb"))
local verdicts = {}
for length in file:lines() do
  local text = file:read(tonumber(length)) or ""
  file:read("*l")
  verdicts[#verdicts + 1] = (loadstring or load)(text) and "1" or "0"
end
io.write(table.concat(verdicts))
`;

describe("compared with the real ones", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "relua-parse-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** True for each text that the program compiles. */
  const judged = (program: string, texts: readonly string[]): readonly boolean[] => {
    const [script, input] = [join(folder, "judge.lua"), join(folder, "texts")];
    writeFileSync(script, judge);
    writeFileSync(input, texts.map((text) => `${text.length}\n${text}\n`).join(""), "latin1");
    return [...execFileSync(program, [script, input], { encoding: "latin1" })].map(
      (verdict) => verdict === "1",
    );
  };

  itWithDebian(
    "accepts what luajit or lua5.3 compile, and nothing else",
    [debianProgram("luajit"), debianProgram("lua5.3")],
    (luajit, lua53) => {
      const texts = fc.sample(program, { numRuns: 6_000, seed: 5 });
      const [byLuaJit, byLua53] = [judged(luajit!, texts), judged(lua53!, texts)];
      const real = texts.map((_, index) => byLuaJit[index] === true || byLua53[index] === true);
      expect(real.filter(Boolean).length).toBeGreaterThan(400);
      expect(texts.filter((text, index) => accepts(text) !== real[index])).toEqual([]);

      // Control: luaparse as it comes, in both dialects, is not good enough for this test.
      const bare = (text: string) =>
        (["5.3", "LuaJIT"] as const).some((luaVersion) => {
          try {
            luaparse.parse(text, { luaVersion, encodingMode: "pseudo-latin1" });
            return true;
          } catch {
            return false;
          }
        });
      expect(texts.filter((text, index) => bare(text) !== real[index]).length).toBeGreaterThan(100);
    },
  );
});
