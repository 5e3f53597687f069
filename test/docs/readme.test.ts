/** The README: what it shows is what happens, and what it names is there. */

import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/index.ts";
import { syntaxError } from "../../src/lua/syntax.ts";
import { folderWith, relua } from "../cli/relua.ts";
import { type Block, blocksOf, codeSpans, readDocument, repository, rowsBelow } from "./markdown.ts";
import { walkThrough } from "./walk-through.ts";

const readme = readDocument("README.md");
const blocks = blocksOf(readme, "README.md");

/** The blocks from one heading to the next of its level. */
function blocksBelow(heading: string): readonly Block[] {
  const [, level] = new RegExp(`^(#+) ${heading}$`, "m").exec(readme) ?? [];
  if (level === undefined) throw new Error(`there is no heading ${heading}`);
  const from = readme.search(new RegExp(`^${level} ${heading}$`, "m"));
  const rest = readme.slice(from + level.length);
  const length = rest.search(new RegExp(`^#{1,${level.length}} `, "m"));
  return blocksOf(length < 0 ? rest : rest.slice(0, length), heading);
}

describe("the quick start", () => {
  it("happens as it is told, command by command", async () => {
    await walkThrough(blocksBelow("Quick start").filter(({ language }) => language !== "sh"));
  });

  it("control: another answer than the one that is shown is noticed", async () => {
    const told = blocksBelow("Quick start").slice(0, 3);
    const wrong = told.map((block) => ({ ...block, text: block.text.replace("version 1", "version 7") }));
    await expect(walkThrough(wrong.filter(({ language }) => language !== "sh"))).rejects.toThrow("version 7");
  });

  it("uses the scripts that package.json has", () => {
    const { scripts } = JSON.parse(readDocument("package.json")) as { scripts: Record<string, string> };
    const used = [...readme.matchAll(/npm (?:run )?(start|test|bench|build|check|format)\b/g)];
    expect(used.length).toBeGreaterThan(2);
    for (const [, script] of used) expect(Object.keys(scripts)).toContain(script);
  });
});

/** What of a command as a document writes it the command line does not know. */
async function unknownTo(command: string): Promise<readonly string[]> {
  const [, name = ""] = /^relua (\S+)/.exec(command) ?? [];
  const { code, out } = await relua([name, "--help"]);
  if (code !== 0 || !out.startsWith(`relua ${name}`)) return [`relua ${name}`];
  const known = new Set(out.match(/(?<=[\s,])--?[a-z][a-z-]*/g));
  const wanted = command.match(/(?<=[\s[])--?[a-z][a-z-]*/g) ?? [];
  const names = /[A-Z]…/.test(command) && !/^relua \w+ [<[](?:names|paths)/.test(out) ? ["names"] : [];
  return [...wanted.filter((option) => !known.has(option)), ...names];
}

describe("the commands", () => {
  const listed = rowsBelow(readme, "Commands").map(([command]) => codeSpans(command!)[0]!);

  it("are all there are", async () => {
    const { out } = await relua(["--help"]);
    const there = [...out.matchAll(/^ {2}relua (\w+)/gm)].map(([, name]) => name);
    expect(listed.map((command) => command.split(" ")[1])).toEqual(there);
  });

  it("take the names and options that are shown", async () => {
    for (const command of listed) expect(await unknownTo(command), command).toEqual([]);
  });

  it("control: a command or an option that is invented is noticed", async () => {
    expect(await unknownTo("relua reload [NAME…] [--everything]")).toEqual(["--everything"]);
    expect(await unknownTo("relua status NAME…")).toEqual(["names"]);
    expect(await unknownTo("relua restart")).toEqual(["relua restart"]);
  });
});

describe("the code", () => {
  it("for watch.config.ts is a configuration", async () => {
    const guides = ["docs/nginx.md", "docs/njet.md"].flatMap((name) => blocksOf(readDocument(name), name));
    const configs = [...blocks, ...guides].filter(({ text }) => text.startsWith("export default"));
    const served = [];
    for (const { text } of configs) {
      const config = await loadConfig("watch.config.ts", folderWith({ "watch.config.ts": text }));
      served.push([config.servers.length, config.targets.map(({ type }) => type)]);
    }
    // To watch beside nginx, to serve; beside nginx by its guide, beside NJet.
    expect(served).toEqual([
      [0, ["nginx"]],
      [1, []],
      [0, ["nginx"]],
      [0, ["njet"]],
    ]);
  });

  it("in Lua compiles", () => {
    const chunks = blocks.filter(({ language }) => language === "lua");
    expect(chunks.length).toBeGreaterThan(0);
    for (const { text, place } of chunks) expect(syntaxError("README", text), place).toBeUndefined();
  });

  it("of the library example prints what is shown", () => {
    const [program, module, printed] = blocksBelow("As a library");
    const folder = folderWith({ "main.mjs": program!.text, "apps/greeting.lua": module!.text });
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(repository, join(folder, "node_modules/relua"));
    const { stdout, stderr } = spawnSync(process.execPath, ["main.mjs"], { cwd: folder, encoding: "utf8" });
    expect(stderr).toBe("");
    expect(stdout.trimEnd()).toBe(printed!.text);
  });
});
