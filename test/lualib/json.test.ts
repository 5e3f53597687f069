import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { debianProgram, itWithDebian } from "../debian.ts";
import { lualib } from "../support/nginx.ts";

describe.each([
  ["lua5.1", "lua5.1"],
  ["luajit", "luajit2"],
])("lualib/resty/relua/json.lua on %s", (name, packageName) => {
  const parts = [debianProgram(name, packageName)];
  /** What the Lua code prints, with the texts in `lines`, one per line of hex digits. */
  const run = (program: string, code: string, lines: readonly string[]): readonly string[] =>
    execFileSync(
      program,
      [
        "-e",
        `package.path = "${lualib}/?.lua" local json = require "resty.relua.json"
        local function unhex(line) return (line:gsub("%x%x", function(d) return string.char(tonumber(d, 16)) end)) end
        local function hex(text) return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
        for line in io.lines() do local text = unhex(line) ${code} end`,
      ],
      { input: lines.map((line) => `${Buffer.from(line).toString("hex")}\n`).join("") },
    )
      .toString()
      .split("\n")
      .slice(0, -1)
      .map((line) => Buffer.from(line, "hex").toString());

  const roundTrip =
    "local value, wrong = json.decode(text) print(hex(value == nil and wrong or json.encode(value)))";

  const naive = `(json.encode(value):gsub('\\\\"', '"'))`;

  const givesEverythingBack = (program: string, code: string) => {
    const unit = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom('"', "\\", "\n", "\0", "\x7f", "é", "😀", "a") }),
      fc.string({ unit: "binary" }).map((text) => Buffer.from(text).toString()),
    );
    const leaf = fc.oneof(
      unit,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => Number(n.toPrecision(14)) || 0),
    );
    const { document } = fc.letrec((tie) => ({
      document: fc.oneof(
        { depthSize: "small" },
        leaf,
        fc.array(tie("document")),
        fc.dictionary(
          unit.filter((key) => key !== "__proto__"),
          tie("document"),
        ),
      ),
    }));
    fc.assert(
      fc.property(
        fc.array(document, { minLength: 1, maxLength: 30 }),
        fc.constantFrom(0, 1),
        (documents, indent) => {
          const texts = documents.map((value) => JSON.stringify(value, undefined, indent));
          expect(run(program, code, texts).map((text) => JSON.parse(text))).toEqual(documents);
        },
      ),
      { numRuns: 40 },
    );
  };

  itWithDebian("gives every document back", parts, (program = "") => givesEverythingBack(program, roundTrip));

  itWithDebian("control: an encoder that forgets to escape is found out", parts, (program = "") =>
    expect(() => givesEverythingBack(program, roundTrip.replace("json.encode(value)", naive))).toThrow(),
  );

  itWithDebian("reads escapes, and refuses what is no JSON", parts, (program = "") => {
    const good = [
      '"\\u00e9\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\"\\\\"',
      " [ 1 , -0.5e-3 , 1E2 ] ",
      "[]",
      "{}",
      '{"a":[]}',
      "null",
    ];
    expect(run(program, roundTrip, good).map((text) => JSON.parse(text))).toEqual(
      good.map((text) => JSON.parse(text)),
    );
    expect(run(program, roundTrip, ['"\\ud83d"', '"\\ude00x"'])).toEqual(['"\ufffd"', '"\ufffdx"']);
    const bad = [
      "",
      " ",
      "nul",
      "truee",
      "01",
      "-",
      "+1",
      ".5",
      "1.",
      "1e",
      "[1,]",
      "[1 2]",
      "{a:1}",
      '{"a" 1}',
      '{"a":1,}',
      '{"a":1',
      '"',
      '"\n"',
      '"\\x"',
      '"\\u12"',
      "[",
      "'a'",
      "1 1",
      "[".repeat(65) + "]".repeat(65),
      "NaN",
    ];
    for (const text of bad) expect(() => JSON.parse(text.startsWith("[[") ? "x" : text)).toThrow();
    expect(
      run(
        program,
        "local value, wrong = json.decode(text) print(value == nil and hex(wrong) or hex('taken: ' .. text))",
        bad,
      ).filter((line) => line.startsWith("taken")),
    ).toEqual([]);
  });
});
