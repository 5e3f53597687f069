/** More writing than a settle window holds: thousands of files, writers that get into each other, one that never stops. */

import { performance } from "node:perf_hooks";
import { describe, expect, it } from "vitest";
import { Place, report, startWriter, type Writer } from "../../support/arrival.ts";

const answer = "ngx.print(require 'app')";

/** Runs writers side by side, to their ends. */
async function together(writers: readonly Writer[]): Promise<void> {
  await Promise.all(writers.map((writer) => writer.go()));
}

describe("a burst", () => {
  it("of 10,000 files is as few generations as maxWaitMs allows", async () => {
    const folders = 100;
    const perFolder = 100;
    const files: Record<string, string> = {
      // The last ones to be written; the others are changed all the same, and loaded by no VM.
      "app.lua": `return require "m.d0.f0" .. require "m.d50.f50" .. require "m.d99.f99"`,
    };
    for (let d = 0; d < folders; d += 1)
      for (let f = 0; f < perFolder; f += 1) files[`m/d${d}/f${f}.lua`] = `return "a" -- ${d} ${f}`;
    const place = await Place.open({ files, answer });
    const writer = await startWriter(
      `const [root, folders, perFolder] = [args[0], Number(args[1]), Number(args[2])];
for (let d = 0; d < folders; d += 1) for (let f = 0; f < perFolder; f += 1) {
  const to = path.join(root, "m/d" + d, "f" + f + ".lua");
  fs.writeFileSync(to + ".tmp", 'return "b" -- ' + d + " " + f);
  fs.renameSync(to + ".tmp", to);
}`,
      [place.tree.root, `${folders}`, `${perFolder}`],
    );
    const begunMs = performance.now();
    let wroteMs = 0;
    const write = async () => {
      await writer.go();
      wroteMs = performance.now() - begunMs;
    };
    const { generations } = await place.perform("10,000 files by rename", write, "bbb");
    const changed = generations.map(({ changes }) => changes.length);
    report(`  written in ${wroteMs.toFixed(0)} ms; files by generation: ${changed.join(" + ")}`);
    expect(changed.reduce((sum, count) => sum + count, 0)).toBe(folders * perFolder);
    // One for each window of maxWaitMs and one for the rest; half as many more where the machine made the writer wait.
    expect(generations.length).toBeLessThanOrEqual(Math.ceil((1.5 * wroteMs) / 1000) + 1);
  }, 90_000);

  it("of two processes that write their own files and one in common", async () => {
    const files = { "common.lua": "return 'none'", "app.lua": "return require 'common'" };
    const place = await Place.open({
      files,
      answer: `local a, b = pcall(require, "of.a.f199"), pcall(require, "of.b.f199")
ngx.print(tostring(a), " ", tostring(b), " ", #require("app"))`,
    });
    const script = `const [root, name] = args;
fs.mkdirSync(path.join(root, "of", name), { recursive: true });
for (let i = 0; i < 200; i += 1) {
  fs.writeFileSync(path.join(root, "of", name, "f" + i + ".lua"), "return '" + name + "'");
  const common = path.join(root, "common.lua");
  fs.writeFileSync(common + "." + name, "return '" + name.repeat(1000) + "'");
  fs.renameSync(common + "." + name, common);
}`;
    const writers = await Promise.all(["a", "b"].map((name) => startWriter(script, [place.tree.root, name])));
    const begunMs = performance.now();
    let wroteMs = 0;
    const write = async () => {
      await together(writers);
      wroteMs = performance.now() - begunMs;
    };
    const { generations, answers } = await place.perform("two processes", write, "true true 1000", {
      sample: true,
    });
    report(`  files by generation: ${generations.map(({ changes }) => changes.length).join(" + ")}`);
    // Where one of them begins late, the first files of the other may be alone; a machine that makes both wait ends a
    // settle window, which is five times settleMs by then.
    expect(generations.length).toBeLessThanOrEqual(2 + Math.floor(wroteMs / 100));
    for (const text of answers) expect(text).toMatch(/ (4|1000)$/);
  });
});

describe("a generator that never stops writing", () => {
  it("is committed every maxWaitMs, each file whole, and never once for each file", async () => {
    const maxWaitMs = 200;
    const wanted = 6;
    const place = await Place.open({
      files: { "n0.lua": "return 0", "app.lua": "return #require('long') .. ''", "long.lua": "return ''" },
      answer,
      watch: { maxWaitMs },
    });
    const writer = await startWriter(
      `for (let i = 1; !(await stopped()); i += 1) {
  fs.writeFileSync(path.join(args[0], "n" + (i % 50) + ".lua"), "return " + i);
  const text = "return '" + "x".repeat(i % 2 === 0 ? 20000 : 30000) + "'";
  fs.writeFileSync(path.join(args[0], "long.lua.tmp"), text);
  fs.renameSync(path.join(args[0], "long.lua.tmp"), path.join(args[0], "long.lua"));
}
fs.writeFileSync(path.join(args[0], "long.lua"), "return 'end'");`,
      [place.tree.root],
    );
    const begunMs = performance.now();
    let seen = 0;
    let tookMs = 0;
    const generate = async () => {
      const ended = writer.go();
      place.site.agent.on("outcome", () => {
        if (tookMs > 0 || place.commits.length < wanted) return;
        seen = place.commits.length;
        tookMs = performance.now() - begunMs;
        writer.stop();
      });
      await ended;
    };
    const { answers } = await place.perform("never stops", generate, "3", { sample: true });
    report(`  ${seen} generations in ${tookMs.toFixed(0)} ms, maxWaitMs ${maxWaitMs}`);
    expect(seen).toBe(wanted);
    // However slow the machine: no more than one for each window, and one for the beginning.
    expect(seen).toBeLessThanOrEqual(tookMs / maxWaitMs + 1);
    for (const text of answers) expect(["0", "20000", "30000", "3"]).toContain(text);
  });
});
