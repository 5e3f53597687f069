/** What belongs together is one step, though it goes on while the disk is being looked at. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { Disk } from "../../src/source/disk.ts";
import { DiskIndex } from "../../src/source/disk-index.ts";
import type { HintListener } from "../../src/source/hints.ts";
import type { SourceToMain } from "../../src/source/messages.ts";
import { folderNow } from "../../src/source/pass.ts";
import type { ScanResult } from "../../src/source/scan.ts";
import { Territory } from "../../src/source/territory.ts";
import { Watcher } from "../../src/source/watcher.ts";
import { cleanUp, makeTree, optionsFor, write } from "./tree.ts";

afterEach(cleanUp);

const rethrow = (error: unknown) => {
  throw error;
};

/** A disk that is told of nothing but what the test tells it. */
class ToldDisk {
  readonly root: string;
  readonly disk: Disk;
  readonly said: SourceToMain[] = [];
  /** Folders that were asked to be watched since the start, and were not answered yet. */
  readonly opening: string[] = [];
  #listener: HintListener | undefined;
  #started = false;

  private constructor(files: Readonly<Record<string, string>>, maxWaitMs: number) {
    this.root = makeTree(files);
    const watch = { settleMs: 20, maxWaitMs, polling: false, sweepMs: 0 };
    this.disk = new Disk(
      { options: optionsFor(this.root, { watch }), known: [], nextArena: 1 },
      (message) => this.said.push(message),
      rethrow,
      (listener) => {
        this.#listener = listener;
        return {
          watch: (folder) => {
            if (this.#started) this.opening.push(folder);
            else queueMicrotask(() => listener.opened(folder));
          },
          unwatch: () => {},
          close: async () => {},
        };
      },
    );
  }

  static async start(files: Readonly<Record<string, string>>, maxWaitMs: number): Promise<ToldDisk> {
    const told = new ToldDisk(files, maxWaitMs);
    await told.disk.start();
    // The looks at what was opened are over as well.
    await told.until(() => told.said.some((message) => message.type === "status" && message.status.live));
    told.#started = true;
    return told;
  }

  hint(folder: string): void {
    this.#listener?.hint(folder, undefined, "rename");
  }

  opened(folder: string): void {
    this.#listener?.opened(folder);
  }

  /** Paths of each step after the first, sorted. */
  steps(): string[][] {
    return this.said.flatMap((message) =>
      message.type === "step" && message.id !== 0
        ? [[...message.present.map(({ path }) => path), ...message.absent].sort()]
        : [],
    );
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await setTimeout(1);
  }

  /** Resolves when nothing is left to be told. */
  quiet(): Promise<void> {
    const pending = () => this.said.filter((message) => message.type === "pending").at(-1)?.pending;
    return this.until(() => pending() === false);
  }
}

describe("a folder that somebody is filling", () => {
  it("is one step: what happens before it is watched is waited for", async () => {
    const told = await ToldDisk.start({ "a.lua": "1" }, 10_000);
    const folder = join(told.root, "new");
    write(join(folder, "a.lua"), "1");
    told.hint(told.root);
    await told.until(() => told.opening.length > 0);
    expect(told.opening).toEqual([folder]);
    writeFileSync(join(folder, "b.lua"), "2");
    // Several quiet times long.
    await setTimeout(150);
    expect(told.steps()).toEqual([]);
    told.opened(folder);
    await told.quiet();
    expect(told.steps()).toEqual([[join(folder, "a.lua"), join(folder, "b.lua")]]);
    await told.disk.close();
  });

  it("is not waited for longer than maxWaitMs", async () => {
    const told = await ToldDisk.start({ "a.lua": "1" }, 100);
    write(join(told.root, "new/a.lua"), "1");
    told.hint(told.root);
    await told.until(() => told.steps().length > 0);
    expect(told.opening.length).toBe(1);
    await told.disk.close();
  });

  it("is answered for at once when somebody asks, with all of it or with nothing but the path", async () => {
    for (const paths of ["all", ["a.lua"]] as const) {
      const told = await ToldDisk.start({ "a.lua": "1" }, 10_000);
      write(join(told.root, "new/a.lua"), "1");
      told.hint(told.root);
      await told.until(() => told.opening.length > 0);
      writeFileSync(join(told.root, "a.lua"), "2");
      const asked = paths === "all" ? paths : paths.map((path) => join(told.root, path));
      await told.disk.receive({ type: "reconcile", id: 7, paths: asked, force: false });
      const both = [join(told.root, "a.lua"), join(told.root, "new/a.lua")];
      expect(told.steps()).toEqual(paths === "all" ? [both] : [[both[1]], [both[0]]]);
      await told.disk.close();
    }
  });
});

describe("what is found", () => {
  it("waits for the quiet when something happens during the pass, or when nobody told of it", async () => {
    const root = makeTree();
    const index = new DiskIndex();
    const territory = new Territory(optionsFor(root));
    index.identify(index.addFolder(root, undefined, root), folderNow(root)?.identity, root);
    const nothing: ScanResult = {
      present: [],
      absent: [],
      arenas: new Map(),
      fresh: [],
      again: new Map(),
      awaiting: false,
    };
    const found = { ...nothing, absent: [join(root, "a.lua")] };
    const passes: ((result: ScanResult) => boolean)[] = [];
    let hint = (_folder: string) => {};
    const watcher = new Watcher(
      {
        settings: { settleMs: 5, maxWaitMs: 10_000, polling: false, sweepMs: 0 },
        territory,
        index,
        pass: (_scope, settled) =>
          new Promise((resolve) => {
            passes.push((result) => {
              const isSettled = settled(result);
              resolve(result);
              return isSettled;
            });
          }),
        changed: () => {},
        warning: () => {},
        failed: rethrow,
      },
      (listener) => {
        hint = (folder) => listener.hint(folder, undefined, "rename");
        return {
          watch: (folder) => queueMicrotask(() => listener.opened(folder)),
          unwatch: () => {},
          close: async () => {},
        };
      },
      () => undefined,
    );
    const nextPass = async () => {
      while (passes.length === 0) await setTimeout(1);
      return passes.pop()!;
    };
    watcher.begin();
    watcher.passed(nothing);
    // The look at what was opened finds what nobody told of.
    expect((await nextPass())(found)).toBe(false);
    expect((await nextPass())(found)).toBe(true);
    hint(root);
    const during = await nextPass();
    hint(root);
    expect(during(found)).toBe(false);
    expect(watcher.pending).toBe(true);
    const after = await nextPass();
    expect(after(found)).toBe(true);
    hint(root);
    expect((await nextPass())(nothing)).toBe(true);
    await watcher.close();
  });
});
