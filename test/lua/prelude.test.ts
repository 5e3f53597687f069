/** The prelude against the real thing: what LuaJIT answers, Relua answers, and every difference has its reason. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { debianProgram, itWithDebian } from "../debian.ts";
import { runLua } from "./lua-run.ts";
import { installTestRequire } from "./test-require.ts";

const fixture = (name: string): string =>
  readFileSync(new URL(`../fixtures/prelude/${name}`, import.meta.url), "latin1");

const probes = fixture("probes.lua")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("--"));

interface Difference {
  readonly probe: string;
  /** What Relua answers, as batch.lua prints it. */
  readonly ours: string;
  readonly why: string;
}

const differences: readonly Difference[] = [
  {
    probe: `return load(string.dump(function() return 1 end))`,
    ours: `ok nil, "attempt to load a binary chunk (mode is 't')"`,
    why: "bytecode from user code is not verified, so it is refused",
  },
  {
    probe: `return load("return 1", "c", "b")`,
    ours: `ok nil, "attempt to load a binary chunk: load takes source text only (mode is 'b')"`,
    why: "as above",
  },
  {
    probe: `return type(os.exit), type(os.execute), type(io.popen), type(package.loadlib), type(debug.sethook)`,
    ours: `ok "nil", "nil", "nil", "nil", "nil"`,
    why: "a server must not have them",
  },
  {
    probe: `return type(debug.getregistry), (debug.gethook())`,
    ours: `ok "nil", "external hook"`,
    why: "the registry holds internals, the hook belongs to the limits",
  },
  {
    probe: `return jit.version:match("^%a+"), (jit.status())`,
    ours: `ok "Relua", false`,
    why: "there is no compiler, and jit says so",
  },
  {
    probe: `return type(utf8), type(table.pack), type(rawlen), type(math.mod), type(string.gfind)`,
    ours: `ok "table", "function", "function", "function", "function"`,
    why: "5.2's, 5.3's and 5.1's own additions do no harm",
  },
  {
    probe: `return type(table.new), type(table.clear), type(table.nkeys)`,
    ours: `ok "function", "function", "function"`,
    why: "LuaJIT has them after the first require",
  },
  {
    probe: `return ("abc"):find("", 10)`,
    ours: "ok nil",
    why: "as in LuaJIT with 5.2 compatibility, which OpenResty builds",
  },
  {
    probe: `return math.random(0)`,
    ours: `error "bad argument #1 to '?' (interval is empty)"`,
    why: "as in PUC Lua 5.1",
  },
  {
    probe: `return table.concat({1, nil, 3})`,
    ours: `error "invalid value (nil) at index 2 in table for 'concat'"`,
    why: "the length of a table with holes is any border; PUC Lua 5.1 finds the same one",
  },
  {
    probe: `return pcall(function() local x = nil; return x.y end)`,
    ours: `ok false, "attempt to index a nil value (local 'x')"`,
    why: "5.3's wording",
  },
  {
    probe: `return pcall(function() undefinedfunction() end)`,
    ours: `ok false, "attempt to call a nil value (global 'undefinedfunction')"`,
    why: "5.3's wording",
  },
];

/** One line for each probe: what it returned, or its error. */
function batch(lines: readonly string[]): string {
  const list = lines.map((line) => `[==[${line}]==]`).join(",\n");
  return `return (function(...) ${fixture("batch.lua")}\nend)({${list}})`;
}

function answersOfLuaJit(luajit: string, lines: readonly string[]): readonly string[] {
  const input = `io.write((function() ${batch(lines)} end)())`;
  return execFileSync(luajit, ["-"], { input: Buffer.from(input, "latin1"), encoding: "latin1" }).split("\n");
}

function answersOfRelua(lines: readonly string[]): readonly string[] {
  const run = runLua(batch(lines), "=batch", (L) => installTestRequire(L, ""));
  expect(run.error).toBeUndefined();
  return run.values[0]?.split("\n") ?? [];
}

function side(lines: readonly string[], answers: readonly string[]): string {
  return lines.map((line, i) => `${line}\n  ${answers[i]}`).join("\n");
}

describe("LuaJIT and Relua", () => {
  itWithDebian("answer the probes alike", [debianProgram("luajit", "luajit2")], (luajit = "") => {
    expect(side(probes, answersOfRelua(probes))).toBe(side(probes, answersOfLuaJit(luajit, probes)));
  });

  itWithDebian("differ where it is meant", [debianProgram("luajit", "luajit2")], (luajit = "") => {
    const lines = differences.map(({ probe }) => probe);
    const theirs = answersOfLuaJit(luajit, lines);
    const equal = differences.filter(({ ours }, i) => ours === theirs[i]).map(({ probe }) => probe);
    expect(equal, "no difference any more: move it to probes.lua").toEqual([]);
  });
});

describe("a meant difference", () => {
  const answers = answersOfRelua(differences.map(({ probe }) => probe));
  it.each(differences.map((difference, i) => ({ ...difference, answer: answers[i] })))(
    "$probe: $why",
    ({ ours, answer }) => {
      expect(answer).toBe(ours);
    },
  );
});
