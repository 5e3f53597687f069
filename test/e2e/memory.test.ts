/** Memory is flat over thousands of reloads: in the main thread, the content store, each VM and the canary. */

import { describe, expect, it, vi } from "vitest";
import { ManifestStore } from "../../src/reload/manifest-store.ts";
import { startSite } from "../support/agent.ts";
import { ask } from "../support/http.ts";
import { measureMain, measureVms } from "../support/memory.ts";

/** `RELUA_MEMORY_RELOADS=10000 npx vitest run test/e2e/memory` is the long run, which prints its figures. */
const longRun = process.env.RELUA_MEMORY_RELOADS;
const reloads = Number(longRun ?? 800);

/**
 * What a reload may leave behind in one thread. The module below costs 30 KiB compiled; caches of the engine that are
 * still filling cost some hundred bytes.
 */
const leftBytes = 3 * 1024;

const fixture = (name: string) => new URL(`../fixtures/e2e/${name}.mjs`, import.meta.url).pathname;

function moduleSource(version: number): string {
  const functions = Array.from(
    { length: 12 },
    (_, index) => `function M.f${index}(a) return { a, ${index} } end`,
  );
  return [`local M = { v = ${version} }`, ...functions, "return M", ""].join("\n");
}

interface Figures {
  readonly arenaBytes: number;
  readonly generations: readonly number[];
  /** Main thread, canary, VM 1, VM 2. */
  readonly bytes: readonly number[];
}

/** Reloads one module again and again with requests across the commits; figures at a third, two thirds and the end. */
async function reloadAgainAndAgain(vmEntry: string, times: number): Promise<readonly Figures[]> {
  const beginning = vi.spyOn(ManifestStore.prototype, "begin");
  const { agent, tree, url } = await startSite({
    files: {
      "app.lua": `local mid = require "mid"
        return { v = function(ms) if ms > 0 then ngx.sleep(ms / 1000) end return mid.base.v end }`,
      "mid.lua": `return { base = require "base" }`,
      "base.lua": moduleSource(0),
    },
    locations: { "/": "ngx.print(require('app').v(0))" },
    config: { reload: { history: 20 } },
    substitutes: { vmEntry },
  });
  const store = beginning.mock.contexts[0] as ManifestStore;
  beginning.mockRestore();
  const figures: Figures[] = [];
  for (let version = 1; version <= times; version++) {
    const across = [agent.call("app", "v", 1), agent.call("app", "v", 0)];
    tree.write({ "base.lua": moduleSource(version) });
    const { outcome } = await agent.reload();
    expect(outcome).toBe("committed");
    await Promise.all(across);
    expect(await Promise.all([agent.call("app", "v", 0), agent.call("app", "v", 0)])).toEqual([
      version,
      version,
    ]);
    if (version % 100 === 0) expect((await ask(url)).body).toBe(String(version));
    if (version % Math.floor(times / 3) !== 0) continue;
    const vms = await measureVms(3);
    figures.push({
      arenaBytes: store.arenaBytes,
      generations: vms.map(({ size }) => size),
      bytes: [await measureMain(), ...vms.map(({ bytes }) => bytes)],
    });
  }
  return figures;
}

/** What each thread kept of each reload between two figures, in bytes. */
function keptPerReload([, middle, end]: readonly Figures[], times: number): readonly number[] {
  return end!.bytes.map((bytes, thread) => (bytes - middle!.bytes[thread]!) / Math.floor(times / 3));
}

describe("memory", () => {
  it(`is flat over ${reloads} reloads`, async () => {
    const figures = await reloadAgainAndAgain(fixture("inspected-vm"), reloads);
    const kept = keptPerReload(figures, reloads);
    if (longRun) console.log(JSON.stringify({ figures, kept }, undefined, 1));
    for (const { generations } of figures) expect(generations).toEqual([1, 1, 1]);
    const [first, , last] = figures;
    expect(last!.arenaBytes).toBeLessThan(1.05 * first!.arenaBytes);
    for (const bytes of kept) expect(bytes).toBeLessThan(leftBytes);
  }, 3_600_000);

  it("(control) is found to grow where VMs keep what they compiled", async () => {
    const times = 240;
    const kept = keptPerReload(await reloadAgainAndAgain(fixture("hoarding-vm"), times), times);
    for (const bytes of kept.slice(1)) expect(bytes).toBeGreaterThan(leftBytes);
  });
});
