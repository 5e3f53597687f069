/** Invariant 8: whatever the watcher misses, what the source says in the end is what is on the disk. */

import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { setTimeout } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { SourceFile } from "../../src/core/manifest.ts";
import { openChokidarHints } from "../../src/source/chokidar-hints.ts";
import { Disk } from "../../src/source/disk.ts";
import type { HintListener, OpenHints } from "../../src/source/hints.ts";
import type { SourceToMain } from "../../src/source/messages.ts";
import { cleanUp, makeTree, optionsFor } from "./tree.ts";

afterEach(cleanUp);

const names = fc.constantFrom(
  "a.lua",
  "b.lua",
  "c.lua",
  "d/a.lua",
  "d/b.lua",
  "d/e/a.lua",
  "f/a.lua",
  "link/a.lua",
);
const folders = fc.constantFrom("d", "d/e", "f", "g");
const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      path: names,
      text: fc.string({ maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("append" as const), path: names }) },
  // As rsync and tar do: another content of the same size, under the same mtime.
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("swap" as const), path: names }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("rename" as const), path: names, to: names }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("remove" as const), path: fc.oneof(names, folders) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("move" as const), path: folders, to: folders }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("link" as const), target: folders }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("pause" as const), ms: fc.integer({ min: 1, max: 40 }) }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Another process that writes, one for all trees. */
class WritingProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor() {
    const script = join(import.meta.dirname, "writing-process.mjs");
    this.#child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async ready(): Promise<void> {
    const { done = false } = await this.#lines.next();
    if (done) throw new Error("the process that writes has ended");
  }

  perform(root: string, operations: readonly Operation[]): Promise<void> {
    this.#child.stdin!.write(`${JSON.stringify([root, operations])}\n`);
    return this.ready();
  }

  end(): void {
    this.#child.stdin!.end();
  }
}

let writer: WritingProcess;

beforeAll(async () => {
  writer = new WritingProcess();
  await writer.ready();
});

afterAll(() => writer.end());

/** What is on the disk, found out in the plainest way. */
function textsOnDisk(
  folder: string,
  path = folder,
  found: Record<string, string> = {},
): Record<string, string> {
  for (const name of readdirSync(path)) {
    const at = join(path, name);
    try {
      if (statSync(at).isDirectory()) textsOnDisk(folder, at, found);
      else if (name.endsWith(".lua")) found[at] = readFileSync(at, "latin1");
    } catch {
      // A link to nothing.
    }
  }
  return found;
}

/** Chokidar's hints, of which some are dropped, some come late, and some twice. */
function faultyHints(faults: readonly number[]): OpenHints {
  let at = 0;
  const next = () => faults[at++ % faults.length] as number;
  return (listener: HintListener) =>
    openChokidarHints({
      hint(folder, name, kind) {
        const fault = next();
        if (fault < 0.4) return;
        listener.hint(folder, name, kind);
        if (fault < 0.6) return;
        globalThis.setTimeout(() => listener.hint(folder, name, kind), fault * 50);
      },
      opened: (folder) => listener.opened(folder),
      failed: (folder, code) => listener.failed(folder, code),
    });
}

/** A disk in this thread, so that the test can stand between watcher and settle. */
class Observed {
  readonly disk: Disk;
  readonly failures: unknown[] = [];
  sweeps = 0;
  pending = true;
  #lastSweep: number | undefined;
  readonly #files = new Map<string, SourceFile>();
  readonly #arenas = new Map<number, SharedArrayBuffer>();

  constructor(root: string, sweepMs: number, hints: OpenHints) {
    const options = optionsFor(root, { watch: { settleMs: 5, maxWaitMs: 100, polling: false, sweepMs } });
    this.disk = new Disk(
      { options, known: [], nextArena: 1 },
      (message) => this.#receive(message),
      (error) => this.failures.push(error),
      hints,
    );
  }

  texts(): Record<string, string> {
    const texts: Record<string, string> = {};
    for (const { path, content } of this.#files.values()) {
      const memory = this.#arenas.get(content.arena) as SharedArrayBuffer;
      texts[path] = Buffer.from(new Uint8Array(memory, content.offset, content.length).slice()).toString(
        "latin1",
      );
    }
    return texts;
  }

  #receive(message: SourceToMain): void {
    if (message.type === "pending") this.pending = message.pending;
    if (message.type === "status" && message.status.sweep.lastAt !== this.#lastSweep) {
      this.#lastSweep = message.status.sweep.lastAt;
      this.sweeps += 1;
    }
    if (message.type !== "step") return;
    for (const [number, memory] of message.arenas) this.#arenas.set(number, memory);
    for (const path of message.absent) this.#files.delete(path);
    for (const file of message.present) this.#files.set(file.path, file);
  }
}

/** True when the source agrees with the disk at last. `sweepMs` 0: without sweeps. */
async function agrees(
  operations: readonly Operation[],
  faults: readonly number[],
  sweepMs: number,
): Promise<boolean> {
  const root = makeTree({ "a.lua": "1", "d/a.lua": "2", "d/e/a.lua": "3", "f/a.lua": "4" });
  const observed = new Observed(root, sweepMs, faultyHints(faults));
  try {
    await observed.disk.start();
    await writer.perform(root, operations);
    const expected = JSON.stringify(Object.entries(textsOnDisk(root)).sort());
    const agreed = () => JSON.stringify(Object.entries(observed.texts()).sort()) === expected;
    const sweeps = observed.sweeps;
    // Without sweeps there is nothing to wait for but hints that are late, and second looks.
    if (sweepMs === 0) await setTimeout(200);
    else while (observed.sweeps < sweeps + 5 || observed.pending) await setTimeout(5);
    return agreed() && observed.failures.length === 0;
  } finally {
    await observed.disk.close();
    rmSync(root, { recursive: true, force: true });
  }
}

const property = (sweepMs: number) =>
  fc.asyncProperty(
    fc.array(operation, { minLength: 10, maxLength: 40 }),
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 20, maxLength: 20 }),
    (operations, faults) => agrees(operations, faults, sweepMs),
  );

describe("the source, with hints that are dropped, delayed and repeated", () => {
  it("agrees with the disk after quiet and a sweep", async () => {
    const run = await fc.check(property(30), { numRuns: 25, endOnFailure: true });
    expect(run.failed, fc.defaultReportMessage(run)).toBe(false);
  }, 120_000);

  it("does not without the sweep, so that the test above means something", async () => {
    const run = await fc.check(property(0), { numRuns: 25, endOnFailure: true });
    expect(run.failed).toBe(true);
  }, 120_000);
});
