/** Real trees: Debian's Lua packages are checked and drawn without a crash, and with what stands in them. */

import { existsSync, readFileSync } from "node:fs";
import { expect } from "vitest";
import { checkTree } from "../../src/check/check-tree.ts";
import { createStaticGraph } from "../../src/check/static-graph.ts";
import { loadTree } from "../../src/cli/checking/load-tree.ts";
import { checkScope } from "../../src/cli/checking/scope.ts";
import { canonicalName } from "../../src/core/search-path.ts";
import { type DebianPart, debianLuaFolder, debianLuaLibrary, itWithDebian } from "../debian.ts";

/** A literal require that a line begins with, as a person would look for it. */
const plainRequire = /^(?:local [\w, ]+ *= *)?require *\(?["']([\w./]+)["']\)?/;

/** Checks the paths from a folder, and draws them; every require that can be seen by eye must be an edge. */
async function readTree(cwd: string, paths: readonly string[]) {
  const scope = await checkScope(paths, undefined, cwd);
  const { parts } = await loadTree(
    { ...scope, searchPath: (await checkScope([cwd], undefined, cwd)).searchPath },
    cwd,
  );
  const findings = checkTree(parts, () => false);
  const files = parts.checked.map(({ source }) => source);
  const graph = createStaticGraph({ searchPath: parts.searchPath, prefix: cwd });
  graph.update(
    { present: files, absent: [] },
    new Map(parts.checked.map(({ source, reading }) => [source.hash, reading.facts])),
  );

  const edges = new Set([...graph.edges()].map(({ from, to }) => `${from} -> ${to}`));
  let seen = 0;
  for (const { path } of files) {
    const names = [...readFileSync(path, "latin1").split("\n")].flatMap(
      (line) => plainRequire.exec(line)?.[1] ?? [],
    );
    for (const from of graph.namesOf(path)) {
      for (const name of names) {
        seen += 1;
        if (canonicalName(name) !== from) expect(edges).toContain(`${from} -> ${canonicalName(name)}`);
      }
    }
  }
  const count = (rule: string) => findings.filter((finding) => finding.rule === rule).length;
  return { files: files.length, edges: edges.size, seen, findings, count, graph };
}

const prosody: DebianPart = {
  package: "prosody",
  path: existsSync("/usr/lib/prosody/core") ? "/usr/lib/prosody" : undefined,
};

itWithDebian("lua-penlight", [debianLuaLibrary("pl", "lua-penlight")], async (folder) => {
  const tree = await readTree(debianLuaFolder, [folder!]);
  expect(tree.files).toBeGreaterThan(30);
  expect(tree.seen).toBeGreaterThan(50);
  expect(tree.count("syntax-error")).toBe(0);
  expect(tree.count("require-cycle")).toBe(0);
  expect(tree.graph.module("pl.List")?.requires.map(({ to }) => to)).toContain("pl.tablex");
});

itWithDebian("lua-json", [debianLuaLibrary("json", "lua-json")], async (folder) => {
  const tree = await readTree(debianLuaFolder, [folder!, "json.lua"]);
  expect(tree.count("syntax-error")).toBe(0);
  expect([...(tree.graph.module("json")?.requires ?? [])].map(({ to, kind }) => `${to} ${kind}`)).toEqual([
    "json.decode load",
    "json.encode load",
    "json.util load",
  ]);
});

itWithDebian("lua-unit", [debianLuaLibrary("luaunit.lua", "lua-unit")], async (file) => {
  const tree = await readTree(debianLuaFolder, [file!]);
  expect(tree.files).toBe(1);
  expect(tree.count("syntax-error")).toBe(0);
});

itWithDebian("prosody", [prosody], async (folder) => {
  const tree = await readTree(folder!, [folder!]);
  expect(tree.files).toBeGreaterThan(200);
  expect(tree.seen).toBeGreaterThan(500);
  expect(tree.edges).toBeGreaterThan(800);
  expect(tree.count("syntax-error")).toBe(0);
  expect(tree.count("require-cycle")).toBe(0);
  // Its C modules stand beside its Lua files.
  expect(tree.findings.filter(({ message }) => message.includes("util.encodings"))).toEqual([]);
});
