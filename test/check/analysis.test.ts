/** The analysis in its thread: each content is read once, a thread that dies is replaced, nothing waits for ever. */

import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { type Analysis, type AnalysisOptions, createAnalysis } from "../../src/check/analysis.ts";

const open: Analysis[] = [];
afterEach(async () => {
  for (const analysis of open.splice(0)) await analysis.close();
});

/** An analysis whose threads are counted; `kill` ends the one that runs. */
function counted(options: AnalysisOptions & { readonly poison?: boolean } = {}) {
  const threads: Worker[] = [];
  const start = () => {
    const entry = createRequire(import.meta.url).resolve("#check-thread");
    const worker = new Worker(options.poison ? "throw new Error('out of luck')" : entry, {
      eval: options.poison ?? false,
    });
    threads.push(worker);
    return worker;
  };
  const analysis = createAnalysis({ ...options, thread: start });
  open.push(analysis);
  return { analysis, threads };
}

/** Texts in one arena, by hash. */
function contents(texts: Readonly<Record<string, string>>) {
  const memory = new SharedArrayBuffer(Object.values(texts).join("").length);
  let offset = 0;
  const files = Object.entries(texts).map(([hash, text]) => {
    const content = { arena: 7, offset, length: Buffer.from(memory, offset).write(text, "latin1") };
    offset += text.length;
    return { hash, content };
  });
  return { files, arenas: new Map([[7, memory]]) };
}

const names = (facts: ReadonlyMap<string, { readonly requires: readonly { readonly name: string }[] }>) =>
  Object.fromEntries([...facts].map(([hash, { requires }]) => [hash, requires.map(({ name }) => name)]));

describe("an analysis", () => {
  it("gives the facts of every content", async () => {
    const { analysis } = counted();
    const { files, arenas } = contents({ h1: 'require "a"', h2: 'require "b" require "c"', h3: "x = = 1" });
    const facts = await analysis.facts(files, arenas);
    expect(names(facts)).toEqual({ h1: ["a"], h2: ["b", "c"], h3: [] });
    expect(facts.get("h3")?.error).toMatchObject({ line: 1, column: 5 });
  });

  it("reads a content once, whoever asks, and however many at once", async () => {
    const { analysis, threads } = counted();
    const { files, arenas } = contents({ h1: 'require "a"', h2: 'require "b"' });
    const [one, two] = await Promise.all([
      analysis.facts(files, arenas),
      analysis.facts([files[0]!], arenas),
    ]);
    expect(names(two)).toEqual({ h1: ["a"] });
    expect(two.get("h1")).toBe(one.get("h1"));
    await threads[0]?.terminate();
    expect(await analysis.facts(files, new Map())).toEqual(one);
    expect(threads.length).toBe(1);
  });

  it("is large without asking for more than a thread", async () => {
    const { analysis, threads } = counted();
    const texts = Array.from({ length: 3_000 }, (_, i) => [`h${i}`, `require "m${i}"`] as const);
    const { files, arenas } = contents(Object.fromEntries(texts));
    const facts = await analysis.facts(files, arenas);
    expect(facts.size).toBe(3_000);
    expect(facts.get("h2999")?.requires[0]?.name).toBe("m2999");
    expect(threads.length).toBe(1);
  });

  it("starts no thread before it is asked, and ends it when it is idle", async () => {
    const { analysis, threads } = counted({ idleMs: 1 });
    const { files, arenas } = contents({ h1: 'require "a"' });
    expect(threads.length).toBe(0);
    await analysis.facts(files, arenas);
    await new Promise((resolve) => threads[0]?.once("exit", resolve));
    const more = contents({ h2: 'require "b"' });
    expect(names(await analysis.facts(more.files, more.arenas))).toEqual({ h2: ["b"] });
    expect(threads.length).toBe(2);
  });

  it("goes on in another thread when one dies", async () => {
    const { analysis, threads } = counted();
    const { files, arenas } = contents({ h1: 'require "a"' });
    const asked = analysis.facts(files, arenas);
    await threads[0]?.terminate();
    expect(names(await asked)).toEqual({ h1: ["a"] });
    expect(threads.length).toBe(2);
  });

  it("fails, and does not try for ever, when every thread dies", async () => {
    const { analysis, threads } = counted({ poison: true });
    const { files, arenas } = contents({ h1: 'require "a"' });
    await expect(analysis.facts(files, arenas)).rejects.toMatchObject({
      code: "analysis-failed",
      message: expect.stringContaining("out of luck"),
    });
    expect(threads.length).toBe(2);
  });

  it("refuses what is asked when it is closed, and what was being read", async () => {
    const { analysis } = counted();
    const { files, arenas } = contents({ h1: 'require "a"' });
    const asked = expect(analysis.facts(files, arenas)).rejects.toMatchObject({ code: "analysis-failed" });
    await analysis.close();
    await asked;
    await expect(analysis.facts(files, arenas)).rejects.toMatchObject({ code: "analysis-failed" });
  });
});
