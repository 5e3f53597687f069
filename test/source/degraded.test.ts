/** What a source does when its folders cannot be watched, and what it says on the way. */

import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { Disk } from "../../src/source/disk.ts";
import type { OpenHints } from "../../src/source/hints.ts";
import type { SourceToMain } from "../../src/source/messages.ts";
import { slowProgress } from "../../src/source/slow-progress.ts";
import { cleanUp, makeTree, optionsFor, write } from "./tree.ts";

afterEach(cleanUp);

/** Fails for every folder with this code. */
const failing = (code: string): OpenHints => {
  return (listener) => ({
    watch: (folder) => queueMicrotask(() => listener.failed(folder, code)),
    unwatch: () => {},
    close: async () => {},
  });
};

const rethrow = (error: unknown) => {
  throw error;
};

async function withDisk(
  sweepMs: number,
  hints: OpenHints,
  test: (root: string, said: readonly SourceToMain[]) => Promise<void>,
): Promise<void> {
  const root = makeTree({ "a.lua": "1", "b/c.lua": "2", "d/e.lua": "3" });
  const said: SourceToMain[] = [];
  const options = optionsFor(root, { watch: { settleMs: 5, maxWaitMs: 100, polling: false, sweepMs } });
  const disk = new Disk(
    { options, known: [], nextArena: 1 },
    (message) => said.push(message),
    rethrow,
    hints,
  );
  try {
    await disk.start();
    await test(root, said);
  } finally {
    await disk.close();
  }
}

const statuses = (said: readonly SourceToMain[]) =>
  said.flatMap((message) => (message.type === "status" ? [message.status] : []));
const changedPaths = (said: readonly SourceToMain[]) =>
  said
    .flatMap((message) => (message.type === "step" && message.id !== 0 ? message.present : []))
    .map(({ path }) => path);

describe("folders that cannot be watched for want of watches", () => {
  it("are swept instead, often, also where sweeps are off; one warning says what to raise", async () => {
    await withDisk(0, failing("ENOSPC"), async (root, said) => {
      write(join(root, "b/c.lua"), "new");
      while (changedPaths(said).length === 0) await setTimeout(5);
      expect(changedPaths(said)).toEqual([join(root, "b/c.lua")]);
      expect(statuses(said).at(-1)).toMatchObject({ mode: "sweep", live: true });
      const warnings = said.flatMap((message) => (message.type === "warning" ? [message.message] : []));
      expect(warnings).toEqual([expect.stringContaining("fs.inotify.max_user_watches")]);
    });
  });
});

describe("a folder that cannot be watched for want of rights", () => {
  it("leaves the others to their events", async () => {
    await withDisk(0, failing("EACCES"), async (_root, said) => {
      while (!said.some((message) => message.type === "warning")) await setTimeout(5);
      expect(statuses(said).at(-1)).toMatchObject({ mode: "events" });
    });
  });
});

describe("a watcher that is silent", () => {
  it("is found out by the sweep, which counts what it found and says so once", async () => {
    const silent: OpenHints = (listener) => ({
      watch: (folder) => queueMicrotask(() => listener.opened(folder)),
      unwatch: () => {},
      close: async () => {},
    });
    await withDisk(20, silent, async (root, said) => {
      const missed = () => statuses(said).at(-1)?.sweep.missed ?? 0;
      // Second looks at what was just opened may find the first of them.
      for (let count = 0; missed() < 2; count += 1) {
        write(join(root, "b/c.lua"), `new ${count}`);
        const seen = changedPaths(said).length;
        while (changedPaths(said).length === seen) await setTimeout(5);
        await setTimeout(5);
      }
      const warnings = said.filter((message) => message.type === "warning");
      expect(warnings).toMatchObject([{ message: expect.stringContaining("watch.polling") }]);
    });
  });
});

describe("progress", () => {
  it("is told after a second, then four times a second", () => {
    let nowMs = 0;
    const told: number[] = [];
    const progress = slowProgress(
      (done) => told.push(done),
      () => nowMs,
    );
    for (; nowMs < 2000; nowMs += 10) progress(nowMs, 5000);
    expect(told).toEqual([1000, 1250, 1500, 1750]);
  });
});
