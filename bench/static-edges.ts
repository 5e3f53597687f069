/** What reading edges off sources costs: beside the parser alone, in its thread, and as a whole `relua check`. */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import luaparse from "luaparse";
import { createAnalysis } from "../src/check/analysis.ts";
import { extractFacts } from "../src/check/extract-facts.ts";
import { createStaticGraph } from "../src/check/static-graph.ts";
import type { SourceFile } from "../src/core/manifest.ts";
import { parseSearchPath } from "../src/core/search-path.ts";
import { dist } from "./built.ts";
import { type Answer, inTurn, median, ratios, roundRobin, spread } from "./question.ts";
import { Tree } from "./tree.ts";

const rounds = 7;
const checkedFiles = 1_000;
/** Real code says more than generated code; without Debian's it has to do. */
const folders = ["/usr/share/lua/5.1", "/usr/lib/prosody"];

export async function run(): Promise<Answer> {
  const texts = realTexts();
  const isReal = texts.length > 0;
  if (!isReal) texts.push(...generatedTexts());
  const megabytes = texts.join("").length / 1e6;
  const { aMs, bMs } = inTurn(
    rounds,
    () => {
      for (const text of texts)
        luaparse.parse(text.replace(/^#[^\n]*/, ""), {
          luaVersion: "5.3",
          encodingMode: "none",
          comments: false,
        });
    },
    () => {
      for (const text of texts) extractFacts(text);
    },
  );
  const { firstMs, warmMs } = await inThread(texts);
  const { wholeMs, changeMs } = graphOf(texts);
  const check = await commandOf(texts);
  return {
    question: `How fast are requires read off ${isReal ? "Debian's Lua sources" : "generated sources"} (${texts.length} files, ${megabytes.toFixed(1)} MB)?`,
    rows: [
      {
        name: "luaparse alone : facts",
        ratio: aMs / bMs,
        unit: `${(megabytes / (bMs / 1000)).toFixed(0)} MB/s`,
      },
      {
        name: "facts : facts in their thread",
        ratio: bMs / warmMs,
        unit: `${(megabytes / (warmMs / 1000)).toFixed(0)} MB/s; ${firstMs.toFixed(0)} ms the first time, its start included`,
      },
      {
        name: "static graph, one file changed : made anew",
        ratio: changeMs / wholeMs,
        unit: `${(changeMs * 1000).toFixed(0)} µs, ${wholeMs.toFixed(1)} ms`,
      },
      {
        name: `relua check of ${checkedFiles} files : relua --version`,
        ratio: median(check.ratio),
        unit: `${spread(check.ms, 0)} ms, process start included; ${check.megabytes.toFixed(1)} MB`,
      },
    ],
  };
}

function realTexts(): string[] {
  return folders.flatMap((folder) => {
    try {
      return readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".lua"))
        .map((name) => readFileSync(join(folder, name), "latin1"));
    } catch {
      return [];
    }
  });
}

function generatedTexts(): readonly string[] {
  const tree = new Tree(0);
  rmSync(tree.prefix, { recursive: true });
  return Array.from(
    { length: 500 },
    (_, module) => `local m = require "f0.m${module}"\n${tree.source(module, 1)}`,
  );
}

/** The texts as files in one arena, `/srv/d3/m3.lua`. */
function filesOf(texts: readonly string[]) {
  const memory = new SharedArrayBuffer(texts.join("").length);
  let offset = 0;
  const files = texts.map((text, index): SourceFile => {
    const content = { arena: 1, offset, length: Buffer.from(memory, offset).write(text, "latin1") };
    offset += text.length;
    const path = `/srv/d${index % 50}/m${index}.lua`;
    return { path, file: path, hash: `${index}`, content };
  });
  return { files, arenas: new Map([[1, memory]]) };
}

/** One thread, the same texts under new hashes each time; `firstMs` includes its start, when nothing is compiled. */
async function inThread(
  texts: readonly string[],
): Promise<{ readonly firstMs: number; readonly warmMs: number }> {
  const { files, arenas } = filesOf(texts);
  const times: number[] = [];
  const analysis = createAnalysis();
  for (let round = 0; round < rounds; round++) {
    const fresh = files.map((file) => ({ ...file, hash: `${round} ${file.hash}` }));
    const start = performance.now();
    await analysis.facts(fresh, arenas);
    times.push(performance.now() - start);
  }
  await analysis.close();
  const [firstMs = Number.NaN, ...warm] = times;
  return { firstMs, warmMs: median(warm) };
}

function graphOf(texts: readonly string[]): { readonly wholeMs: number; readonly changeMs: number } {
  const { files } = filesOf(texts);
  const facts = new Map(texts.map((text, index) => [`${index}`, extractFacts(text)]));
  const searchPath = parseSearchPath("$prefix/?.lua;$prefix/?/init.lua", { prefix: "/srv", cwd: "/srv" });
  const create = () => createStaticGraph({ searchPath, prefix: "/srv" });
  const graph = create();
  graph.update({ present: files, absent: [] }, facts);
  let next = 0;
  const { aMs, bMs } = inTurn(
    rounds,
    () => create().update({ present: files, absent: [] }, facts),
    () => {
      for (let i = 0; i < 100; i++)
        graph.update({ present: [files[next++ % files.length]!], absent: [] }, facts);
    },
  );
  return { wholeMs: aMs, changeMs: bMs / 100 };
}

/** The command on a folder of its own, beside the shortest command there is. */
async function commandOf(texts: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "relua-bench-"));
  try {
    let bytes = 0;
    for (let i = 0; i < checkedFiles; i++) {
      const text = texts[i % texts.length]!;
      bytes += text.length;
      mkdirSync(join(folder, `d${i % 50}`), { recursive: true });
      writeFileSync(join(folder, `d${i % 50}`, `m${i}.lua`), text, "latin1");
    }
    const command = (args: readonly string[]) => async () => {
      const start = performance.now();
      const { status } = spawnSync(process.execPath, [join(dist, "cli/main.js"), ...args], { cwd: folder });
      if (status !== 0 && status !== 1) throw new Error(`relua ${args.join(" ")} ended with ${status}`);
      return performance.now() - start;
    };
    const { check, version } = await roundRobin(5, {
      check: command(["check", "--json"]),
      version: command(["--version"]),
    });
    return { ms: check, ratio: ratios(check, version), megabytes: bytes / 1e6 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
