/** The search path agrees with the searches of real Lua 5.1, real Lua 5.3 and Fengari, over generated paths and names. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lauxlib, lua, lualib } from "#fengari";
import {
  type Candidate,
  candidates,
  missedText,
  namesOf,
  parsePackagePath,
  parseSearchPath,
  resolve,
  type SearchPath,
} from "../../src/core/search-path.ts";
import { pushText, textAt, toBytes } from "../../src/lua/stack.ts";
import { debianProgram, itWithDebian } from "../debian.ts";

/** What is under test, so that a broken variant can take its place. */
interface Search {
  readonly candidates: (searchPath: SearchPath, name: string) => readonly Candidate[];
  readonly resolve: typeof resolve;
  readonly expand: (text: string, defaultPath: string) => string;
}

const real: Search = {
  candidates,
  resolve,
  expand: (text, defaultPath) => parseSearchPath(text, { prefix: "/", cwd: "/", defaultPath }).text,
};

interface Question {
  readonly path: string;
  readonly name: string;
}

const segment = fc.constantFrom("a", "b", "c", "sub");
const name = fc
  .array(fc.oneof({ weight: 3, arbitrary: segment }, fc.constantFrom(".", "/", "-", "%", "?", "_")), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => parts.join(""));
/** `..` only behind a folder that exists: real Lua asks the system about the way there, the manifest cannot. */
const start = fc.constantFrom("", "", "./", "sub/", "sub/../", "sub//.././");
const rest = fc
  .array(fc.constantFrom("?", "a", "b", ".", "/", "./", ".lua", "/init.lua", "?.lua", "-", "%", "$"), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => parts.join(""))
  .filter((text) => !text.includes(".."));
const template = fc.tuple(start, rest).map((parts) => parts.join(""));
const path = fc
  .array(fc.oneof({ weight: 5, arbitrary: template }, fc.constant("")), { maxLength: 4 })
  .map((all) => all.join(";"));
const questions: fc.Arbitrary<readonly Question[]> = fc.array(fc.record({ path, name }), {
  minLength: 20,
  maxLength: 60,
});

/** A tree in which many of the names exist, some of them in several places. */
const universe = [
  "a.lua",
  "b.lua",
  "a/b.lua",
  "a/init.lua",
  "sub/a.lua",
  "sub/b/init.lua",
  "sub/a/b.lua",
  "-a.lua",
  "b/a",
  "c",
];

let tree = "";
let home = "";
beforeAll(() => {
  tree = realpathSync(mkdtempSync(join(tmpdir(), "relua-search-")));
  home = process.cwd();
  mkdirSync(join(tree, "sub"));
  for (const file of universe) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), "");
  }
});
afterAll(() => {
  process.chdir(home);
  rmSync(tree, { recursive: true, force: true });
});

/** Lua's answer: the file it opens, or the text of its failure. */
type Answer = { readonly found: string } | { readonly missing: string };

/** Both scripts read lines "path name" and write lines "found|missing text", all in hexadecimal digits. */
const script51 = `
  local function hex(s) return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
  local function text(s) return (s:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)) end
  package.cpath = ""
  for line in io.lines() do
    local path, name = line:match("^(%x*) (%x*)$")
    package.path = text(path)
    local ok, found = pcall(package.loaders[2], text(name))
    if type(found) == "function" then
      print("found " .. hex(debug.getinfo(found, "S").source:sub(2)))
    elseif ok then
      local _, message = pcall(require, text(name))
      print("missing " .. hex(message))
    else
      print("found " .. hex(found:match("from file '(.-)':\\n")))
    end
  end`;
const script53 = `
  local function hex(s) return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
  local function text(s) return (s:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)) end
  for line in io.lines() do
    local path, name = line:match("^(%x*) (%x*)$")
    local found, message = package.searchpath(text(name), text(path))
    print(found and "found " .. hex(found) or "missing " .. hex(message))
  end`;

function ask(program: string, script: string, asked: readonly Question[]): readonly Answer[] {
  const hex = (text: string) => Buffer.from(text, "latin1").toString("hex");
  const input = asked.map((question) => `${hex(question.path)} ${hex(question.name)}\n`).join("");
  const { stdout, stderr } = spawnSync(program, ["-e", script], { cwd: tree, input, encoding: "latin1" });
  expect(stderr).toBe("");
  const answers = stdout
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [kind, digits = ""] = line.split(" ");
      const text = Buffer.from(digits, "hex").toString("latin1");
      return kind === "found" ? { found: text } : { missing: text };
    });
  expect(answers).toHaveLength(asked.length);
  return answers;
}

function askFengari(asked: readonly Question[]): readonly Answer[] {
  process.chdir(tree);
  try {
    const L = lauxlib.luaL_newstate();
    lualib.luaL_openlibs(L);
    return asked.map((question) => {
      lua.lua_settop(L, 0);
      lua.lua_getglobal(L, toBytes("package"));
      lua.lua_getfield(L, -1, toBytes("searchpath"));
      pushText(L, question.name);
      pushText(L, question.path);
      lua.lua_call(L, 2, 2);
      const found = textAt(L, -2);
      return found === undefined ? { missing: textAt(L, -1) ?? "" } : { found };
    });
  } finally {
    process.chdir(home);
  }
}

/** What Relua says, in the form of Lua's answer. */
function answer(search: Search, question: Question, whole: boolean): Answer {
  const searchPath = parsePackagePath(question.path, tree);
  const all = search.candidates(searchPath, question.name);
  const { path, probes } = search.resolve(searchPath, question.name, existsSync);
  // Probes are the candidates before the match, or all of them.
  expect(probes).toEqual(all.slice(0, probes.length).map((candidate) => candidate.path));
  const match = all[probes.length];
  expect(match?.path).toBe(path);
  if (match !== undefined) return { found: match.text };
  return {
    missing: whole
      ? `module '${question.name}' not found:\n\tno field package.preload['${question.name}']${missedText(all)}`
      : missedText(all),
  };
}

/** For each question the same answer, the text of the file or the failure included. */
function agrees(search: Search, reference: (asked: readonly Question[]) => readonly Answer[], whole = false) {
  return fc.property(questions, (asked) => {
    const answers = asked.map((question) => answer(search, question, whole));
    expect(answers).toEqual(reference(asked));
    for (const [index, { found }] of (answers as { found?: string }[]).entries()) {
      const { path } = search.resolve(
        parsePackagePath(asked[index]!.path, tree),
        asked[index]!.name,
        existsSync,
      );
      if (found === undefined) continue;
      expect(path?.replace(/(?<=.)\/$/, "")).toBe(posix.resolve(tree, found));
      // The normalised path names the same file for the system as Lua's own text does.
      const text = found.startsWith("/") ? found : `${tree}/${found}`;
      expect(realpathSync.native(path!)).toBe(realpathSync.native(text));
    }
  });
}

/** The real search with another way to put a name into a template. */
function filling(fill: (template: string, name: string) => string): Search {
  const broken: Search["candidates"] = ({ templates, cwd }, text) =>
    templates.map((part) => ({
      text: fill(part.text, text),
      path: posix.resolve(cwd, fill(part.text, text)),
    }));
  return { ...real, candidates: broken };
}

const broken: Readonly<Record<string, Search>> = {
  "fills in the first ? only": filling((part, text) => part.replace("?", () => text.replaceAll(".", "/"))),
  "turns the first dot into a slash only": filling((part, text) =>
    part.replaceAll("?", () => text.replace(".", "/")),
  ),
  "searches from the end": {
    ...real,
    resolve: (searchPath, text, exists) =>
      resolve({ ...searchPath, templates: searchPath.templates.toReversed() }, text, exists),
  },
};

describe("the search agrees with", () => {
  itWithDebian("Lua 5.1's require", [debianProgram("lua5.1")], (program) => {
    fc.assert(
      agrees(real, (asked) => ask(program!, script51, asked), true),
      { numRuns: 40 },
    );
  });

  itWithDebian("Lua 5.3's package.searchpath", [debianProgram("lua5.3")], (program) => {
    fc.assert(
      agrees(real, (asked) => ask(program!, script53, asked)),
      { numRuns: 40 },
    );
  });

  it("Fengari's package.searchpath", () => {
    fc.assert(agrees(real, askFengari), { numRuns: 60 });
  });

  it.each(Object.entries(broken))("control: not when it %s", (_, variant) => {
    expect(fc.check(agrees(variant, askFengari), { numRuns: 100 }).failed).toBe(true);
  });
});

describe("the expansion of ;; agrees with", () => {
  const text = fc
    .array(fc.constantFrom(";", ";;", "a/?.lua", "?", "./", "%1", "é"), { maxLength: 6 })
    .map((parts) => parts.join(""))
    .filter((parts) => /[^;]|;;/.test(parts));

  const expands = (program: string, expand: Search["expand"]) => {
    const print = (env: Record<string, string>) =>
      spawnSync(program, ["-e", "io.write(package.path)"], { env, encoding: "utf8" }).stdout;
    const defaultPath = print({});
    return fc.property(text, (path) => {
      expect(expand(path, defaultPath)).toBe(print({ LUA_PATH: path }));
    });
  };

  itWithDebian("Lua 5.1's LUA_PATH", [debianProgram("lua5.1")], (program) => {
    fc.assert(expands(program!, real.expand), { numRuns: 60 });
  });

  itWithDebian("control: not when only the first is expanded", [debianProgram("lua5.1")], (program) => {
    const firstOnly: Search["expand"] = (path, defaultPath) => path.replace(";;", () => `;${defaultPath};`);
    expect(fc.check(expands(program!, firstOnly), { numRuns: 300 }).failed).toBe(true);
  });
});

describe("the names of a file are those that a search finds it by", () => {
  /** Every canonical name of up to three segments. */
  const segments = ["a", "b", "init", "lib"];
  const names = [1, 2, 3].flatMap((length) =>
    Array.from({ length: segments.length ** length }, (_, n) =>
      Array.from({ length }, (_, i) => segments[Math.floor(n / segments.length ** i) % segments.length]).join(
        ".",
      ),
    ),
  );
  const templates = [
    "./?.lua",
    "/t/?.lua",
    "/t/?/init.lua",
    "/t/lib/?.lua",
    "/t/lib/?/?.lua",
    "/t/a-?.lua",
    "/t//./?/b.lua",
    "/t/a.lua",
  ];
  const paths = names.flatMap((text) => {
    const at = text.replaceAll(".", "/");
    return [`/t/${at}.lua`, `/t/${at}/init.lua`, `/t/a-${at}.lua`];
  });
  const world = fc.record({
    text: fc.shuffledSubarray(templates, { minLength: 1 }).map((parts) => parts.join(";")),
    files: fc.subarray(paths, { minLength: 1, maxLength: 12 }),
  });

  const inverts = (inverse: typeof namesOf) =>
    fc.property(world, ({ text, files }) => {
      const searchPath = parsePackagePath(text, "/t");
      const exists = (path: string) => files.includes(path);
      for (const file of files) {
        const found = inverse(searchPath, file, exists);
        const short = (all: readonly string[]) => all.filter((each) => names.includes(each)).sort();
        const fixed = searchPath.templates.findIndex((part) => part.fixed && part.absolute === file);
        const throughFixed = (each: string) =>
          fixed >= 0 &&
          candidates(searchPath, each).findIndex((candidate) => candidate.path === file) === fixed;
        const reaching = names.filter(
          (each) => !throughFixed(each) && resolve(searchPath, each, exists).path === file,
        );
        const leading = names.filter((each) =>
          candidates(searchPath, each).some(({ path }) => path === file),
        );
        const reported = found.filter((each) => !throughFixed(each.name));
        expect(
          short(reported.filter((each) => each.shadowedBy === undefined).map((each) => each.name)),
        ).toEqual(reaching.sort());
        expect(short(reported.map((each) => each.name))).toEqual(
          leading.filter((each) => !throughFixed(each)).sort(),
        );
        for (const each of reported) {
          if (each.shadowedBy !== undefined)
            expect(resolve(searchPath, each.name, exists).path).toBe(each.shadowedBy);
        }
      }
    });

  it("in every order of templates", () => {
    fc.assert(inverts(namesOf), { numRuns: 100 });
  });

  it("control: not when shadows are overlooked, or all but the first template", () => {
    const blind: typeof namesOf = (searchPath, file) => namesOf(searchPath, file, () => false);
    const first: typeof namesOf = (searchPath, file, exists) => namesOf(searchPath, file, exists).slice(0, 1);
    expect(fc.check(inverts(blind), { numRuns: 200 }).failed).toBe(true);
    expect(fc.check(inverts(first), { numRuns: 200 }).failed).toBe(true);
  });
});
