/** `relua check`: what it looks at, what it writes in each form, and how it exits. */

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folderWith, relua } from "./relua.ts";

const broken = {
  "app/main.lua": 'local lib = require "lib"\nlocal none = require "no.such"\nhits = 1\n',
  "app/lib.lua": "return {}\n",
};

const config = (text: string) => `export default { luaPackagePath: "$prefix/app/?.lua", ${text} };`;

interface Told {
  readonly file: string;
  readonly rule: string;
  readonly severity: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly related: readonly object[];
}

/** Runs it with --json; `file:line rule` for each finding. */
async function found(args: readonly string[], cwd: string) {
  const { code, out, err } = await relua(["check", ...args, "--json"], { cwd });
  const findings = (JSON.parse(out) as readonly Told[]).map(
    ({ file, line, rule }) => `${file}:${line} ${rule}`,
  );
  return { code, err, findings };
}

describe("relua check", () => {
  it("shows a person where and what, with the line and a sum", async () => {
    const { code, out, err } = await relua(["check", "app"], { cwd: folderWith(broken) });
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(out.replace(/\d+ ms/, "5 ms")).toBe(
      [
        "app/main.lua:2:14: error unresolved-require: module 'no.such' is not at app/no/such.lua, app/no/such/init.lua",
        '  2 | local none = require "no.such"',
        "    |              ^",
        "",
        "app/main.lua:3:1: warning global-write: writes the global 'hits'; is a local missing?",
        "  3 | hits = 1",
        "    | ^",
        "",
        "1 error, 1 warning in 2 files (5 ms)",
        "",
      ].join("\n"),
    );
  });

  it("has colours for a terminal, and the caret below the place whatever is before it", async () => {
    const cwd = folderWith({ "m.lua": "\tlocal s = '€\x1b[31m' x = 1" });
    const { out } = await relua(["check"], { cwd, env: { FORCE_COLOR: "1" } });
    expect(out).toContain("\x1b[33mwarning global-write\x1b[39m");
    expect(out).not.toContain("\x1b[31m");
    const plain = (await relua(["check"], { cwd })).out.split("\n");
    expect(plain[2]?.indexOf("^")).toBe(plain[1]?.indexOf("x = 1"));
  });

  it("exits 0 without errors, 1 with them, and with --strict on warnings too", async () => {
    const cwd = folderWith({ "m.lua": "hits = 1" });
    expect((await relua(["check"], { cwd })).code).toBe(0);
    expect((await relua(["check", "--strict"], { cwd })).code).toBe(1);
    expect((await relua(["check"], { cwd: folderWith({ "m.lua": "return 1" }) })).out).toMatch(
      /^nothing found in 1 file/,
    );
  });

  it("writes JSON and SARIF, and nothing else, to stdout", async () => {
    const cwd = folderWith(broken);
    const json = JSON.parse(
      (await relua(["check", "app", "--format", "json"], { cwd })).out,
    ) as readonly Told[];
    expect(json[0]).toMatchObject({
      file: "app/main.lua",
      rule: "unresolved-require",
      severity: "error",
      line: 2,
      column: 14,
      related: [],
    });
    const { code, out } = await relua(["check", "app", "--sarif"], { cwd });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      version: "2.1.0",
      runs: [{ results: [{ ruleId: "unresolved-require" }, { ruleId: "global-write" }] }],
    });
    expect(JSON.parse((await relua(["check", "--json"], { cwd: folderWith() })).out)).toEqual([]);
  });

  it.each<[string, readonly string[], RegExp]>([
    ["a path where nothing is", ["nowhere"], /nowhere: there is no such file or folder/],
    ["a config that is not there", ["-c", "other.config.ts"], /other.config.ts.*there is no such file/],
    ["two forms at once", ["--json", "--sarif"], /--json and --sarif contradict each other/],
    ["an unknown form", ["--format", "xml"], /format, Given: "xml"/],
  ])("%s exits 2", async (_, args, message) => {
    const { code, out, err } = await relua(["check", ...args], { cwd: folderWith() });
    expect(err).toMatch(message);
    expect({ code, out }).toEqual({ code: 2, out: "" });
  });
});

describe("what is checked", () => {
  it("is the project's own part of the config's search path, and its handlers", async () => {
    const cwd = folderWith({
      "watch.config.ts": `export default {
        luaPackagePath: "$prefix/app/?.lua;;",
        servers: [{ listens: ["127.0.0.1:0"], locations: [{ location: "/", lua: { content_by_file: "handlers/h.lua" } }] }],
      };`,
      "app/main.lua": 'require "main2"',
      "handlers/h.lua": 'require "none"',
      "tools/t.lua": "x =",
    });
    expect(await found([], cwd)).toMatchObject({
      code: 1,
      findings: ["app/main.lua:1 unresolved-require", "handlers/h.lua:1 unresolved-require"],
    });
  });

  it("is what is named: a folder, a file, on the search path or not", async () => {
    const cwd = folderWith({
      ...broken,
      "watch.config.ts": config(""),
      "tools/t.lua": "x =",
      "tools/u.txt": "x =",
    });
    expect((await found(["tools"], cwd)).findings).toEqual(["tools/t.lua:1 syntax-error"]);
    expect((await found(["app/main.lua"], cwd)).findings).toEqual([
      "app/main.lua:2 unresolved-require",
      "app/main.lua:3 global-write",
    ]);
    expect((await found(["app/lib.lua", "tools/u.txt"], cwd)).findings).toEqual([
      "tools/u.txt:1 syntax-error",
    ]);
  });

  it("is listed as the agent lists it: without what the config ignores", async () => {
    const cwd = folderWith({
      "watch.config.ts": config('watch: { ignore: ["vendor"], maxFileBytes: "1k" }'),
      "app/vendor/v.lua": "x =",
      "app/.git/g.lua": "x =",
      "app/node_modules/n.lua": "x =",
      "app/large.lua": `x = ${" ".repeat(2_000)}`,
    });
    const { code, err, findings } = await found([], cwd);
    expect({ code, findings }).toEqual({ code: 0, findings: [] });
    expect(err).toMatch(/^app\/large.lua: not checked: /);
  });

  it("resolves C modules beside the sources", async () => {
    const cwd = folderWith({
      "m.lua": 'require "native" require "native.part" require "other"',
      "native.so": "",
    });
    const { findings } = await found([], cwd);
    expect(findings).toEqual(["m.lua:1 unresolved-require"]);
  });
});

describe("the config", () => {
  it("leaves out rules, everywhere or in some files, and declares globals and modules", async () => {
    const files = {
      "app/main.lua": 'require "host.x"\nhits = 1\nreturn conf',
      "app/old/a.lua": "hits = 2",
      "app/new.lua": "sum = 1",
    };
    const all = { ...files, "watch.config.ts": config("") };
    expect((await found([], folderWith(all))).findings).toHaveLength(5);
    const check = `check: {
      modules: ["host.*"], globals: ["conf"],
      ignore: [{ rule: "global-write", files: ["old/**", "main.lua"] }, "shadowed-file"],
    }`;
    const cwd = folderWith({ ...files, "watch.config.ts": config(check) });
    expect(await found([], cwd)).toEqual({ code: 0, err: "", findings: ["app/new.lua:1 global-write"] });
  });

  it("that names a rule which is none is refused", async () => {
    const cwd = folderWith({ "watch.config.ts": config('check: { ignore: ["globl-write"] }') });
    const { code, err } = await relua(["check"], { cwd });
    expect(code).toBe(2);
    expect(err).toMatch(/check\.ignore\[0\] is "globl-write"; it takes .*global-write/);
  });

  it("says what aliases are", async () => {
    const files = { "app/m.lua": 'require "x" require "./x"', "app/x.lua": "" };
    const severity = async (text: string) => {
      const cwd = folderWith({ ...files, "watch.config.ts": config(`reload: { aliases: "${text}" }`) });
      return (JSON.parse((await relua(["check", "--json"], { cwd })).out) as readonly Told[]).map(
        (told) => told.severity,
      );
    };
    expect([await severity("warn"), await severity("error"), await severity("off")]).toEqual([
      ["warning"],
      ["error"],
      [],
    ]);
  });

  it("is not needed where apps/ is the search path", async () => {
    const cwd = folderWith({
      "apps/shop/init.lua": 'return require "shop.tax"\n',
      "apps/shop/tax.lua": "rate = 1\n",
    });
    expect((await found([], cwd)).findings).toEqual(["apps/shop/tax.lua:1 global-write"]);
  });

  it("is not needed", async () => {
    const cwd = folderWith({
      "one/a.lua": 'require "b" require "sub"',
      "two/b.lua": "",
      "one/sub/init.lua": "",
    });
    expect((await found(["one", "two"], cwd)).findings).toEqual([]);
    expect((await found([join(cwd, "one")], folderWith())).findings).toHaveLength(1);
  });
});
