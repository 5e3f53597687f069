/** What a source does when its folders cannot be watched, and what it says on the way. */

import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { Changes } from "../../src/source/changes.ts";
import { openChokidarHints } from "../../src/source/chokidar-hints.ts";
import { Disk } from "../../src/source/disk.ts";
import { DiskIndex } from "../../src/source/disk-index.ts";
import type { HintListener, OpenHints } from "../../src/source/hints.ts";
import type { SourceToMain } from "../../src/source/messages.ts";
import { type FileSystemType, fileSystemType, SharedMounts } from "../../src/source/shared-mounts.ts";
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
  typeOf: FileSystemType = () => undefined,
): Promise<void> {
  const root = makeTree({ "a.lua": "1", "b/c.lua": "2", "d/e.lua": "3" });
  const said: SourceToMain[] = [];
  const options = optionsFor(root, { watch: { settleMs: 5, maxWaitMs: 100, polling: false, sweepMs } });
  const disk = new Disk(
    { options, known: [], nextArena: 1 },
    (message) => said.push(message),
    rethrow,
    hints,
    typeOf,
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

/** Modes in the order in which they were told, each once. */
const modes = (said: readonly SourceToMain[]) =>
  statuses(said)
    .map(({ mode }) => mode)
    .filter((mode, at, all) => mode !== all[at - 1]);
const warnings = (said: readonly SourceToMain[]) =>
  said.flatMap((message) => (message.type === "warning" ? [message.message] : []));

/** Saves `b/c.lua` and waits until a step tells of it. */
async function saved(root: string, said: readonly SourceToMain[], text: string): Promise<void> {
  const seen = changedPaths(said).length;
  write(join(root, "b/c.lua"), text);
  while (changedPaths(said).length === seen) await setTimeout(2);
  // A second look at what was young has found nothing.
  await setTimeout(100);
}

describe("folders that cannot be watched for want of watches", () => {
  it("are tried again, and swept until they are watched", async () => {
    let refusals = 5;
    const watched = new Set<string>();
    const lacking: OpenHints = (listener) => {
      const hints = openChokidarHints(listener);
      return {
        ...hints,
        watch: (folder) => {
          if (refusals-- > 0) queueMicrotask(() => listener.failed(folder, "ENOSPC"));
          else {
            watched.add(folder);
            hints.watch(folder);
          }
        },
      };
    };
    await withDisk(0, lacking, async (root, said) => {
      while (modes(said).length < 3) await setTimeout(5);
      expect(modes(said)).toEqual(["events", "sweep", "events"]);
      expect([...watched].sort()).toEqual([root, join(root, "b"), join(root, "d")]);
      expect(statuses(said).at(-1)).toMatchObject({ live: true });
      await saved(root, said, "told by an event");
      // Without sweeps again: nothing else could have told of it.
      expect(statuses(said).at(-1)).toMatchObject({ mode: "events", sweep: { missed: 0 } });
    });
  });

  it("are swept instead, often, also where sweeps are off; one warning says what to raise", async () => {
    await withDisk(0, failing("ENOSPC"), async (root, said) => {
      write(join(root, "b/c.lua"), "new");
      while (changedPaths(said).length === 0) await setTimeout(5);
      expect(changedPaths(said)).toEqual([join(root, "b/c.lua")]);
      expect(statuses(said).at(-1)).toMatchObject({ mode: "sweep", live: true });
      expect(warnings(said)).toEqual([expect.stringContaining("fs.inotify.max_user_watches")]);
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
      expect(warnings(said)).toEqual([expect.stringContaining("watch.polling")]);
    });
  });
});

describe("events that do not come", () => {
  it("are replaced by frequent sweeps after three steps, and relied on again when they come", async () => {
    let listener: HintListener | undefined;
    const hints: OpenHints = (told) => {
      listener = told;
      return {
        watch: (folder) => queueMicrotask(() => told.opened(folder)),
        unwatch: () => {},
        close: async () => {},
      };
    };
    await withDisk(20, hints, async (root, said) => {
      while (statuses(said).at(-1)?.live !== true) await setTimeout(2);
      // The looks at what was opened are over.
      await setTimeout(100);
      for (let step = 0; modes(said).at(-1) === "events"; step += 1) await saved(root, said, `${step}`);
      expect(statuses(said).at(-1)?.sweep.missed).toBeGreaterThanOrEqual(3);
      expect(warnings(said)).toEqual([
        expect.stringContaining("found by the sweep"),
        expect.stringContaining("again and again"),
      ]);
      for (let step = 0; modes(said).at(-1) === "sweep"; step += 1) {
        queueMicrotask(() => listener?.hint(join(root, "b"), "c.lua", "change"));
        await saved(root, said, `told ${step}`);
      }
      expect(modes(said)).toEqual(["events", "sweep", "events"]);
    });
  });
});

describe("a file system that others write to as well", () => {
  const nfs = 0x6969;

  it("is swept often from the start, with a warning that names it; its events are of use all the same", async () => {
    const typeOf: FileSystemType = () => nfs;
    await withDisk(
      60_000,
      openChokidarHints,
      async (root, said) => {
        while (statuses(said).at(-1)?.live !== true) await setTimeout(2);
        expect(statuses(said).at(-1)?.mode).toBe("sweep");
        expect(warnings(said)).toEqual([expect.stringContaining(`${root} is on a file system (NFS)`)]);
        const sweptAt = () => statuses(said).at(-1)?.sweep.lastAt;
        while (sweptAt() === undefined) await setTimeout(5);
        await saved(root, said, "new");
        expect(changedPaths(said)).toEqual([join(root, "b/c.lua")]);
      },
      typeOf,
    );
  });

  it("is asked for once for each device, and forgotten with its last folder", () => {
    const asked: string[] = [];
    const types: Readonly<Record<string, number>> = { "/local": 0xef53, "/remote": 0xff534d42 };
    const mounts = new SharedMounts((folder) => {
      asked.push(folder);
      return types[folder];
    });
    const index = new DiskIndex();
    const add = (path: string, identity: string) => {
      const node = index.addFolder(path, undefined, path);
      index.identify(node, identity, path);
      return node;
    };
    add("/local", "1:2:3");
    expect(mounts.first(index)).toBeUndefined();
    const remote = add("/remote", "40:2:3");
    add("/remote/a", "40:4:3");
    expect(mounts.first(index)).toEqual({ folder: "/remote", kind: "CIFS" });
    for (const node of [remote, index.folder("/remote/a")!]) index.removeFolder(node, new Changes());
    expect(mounts.first(index)).toBeUndefined();
    expect(asked).toEqual(["/local", "/remote"]);
    add("/remote", "40:2:3");
    expect(mounts.first(index)?.kind).toBe("CIFS");
    expect(asked).toEqual(["/local", "/remote", "/remote"]);
  });

  it("is none of those that a machine has for itself", () => {
    for (const folder of ["/dev/shm", "/proc", "/nowhere"]) {
      const mounts = new SharedMounts(fileSystemType);
      const index = new DiskIndex();
      index.identify(index.addFolder(folder, undefined, folder), "1:2:3", folder);
      expect(mounts.first(index)).toBeUndefined();
    }
  });
});

describe("progress", () => {
  const pass = () => {
    const time = { nowMs: 0 };
    const told: string[] = [];
    const progress = slowProgress(
      (done, total) => told.push(`${done} of ${total}`),
      () => time.nowMs,
    );
    return { time, told, progress };
  };

  it("is told after a second, then four times a second, and once more at the end", () => {
    const { time, told, progress } = pass();
    for (; time.nowMs < 2000; time.nowMs += 10) progress.report(time.nowMs, 5000);
    expect(told).toEqual(["1000 of 5000", "1250 of 5000", "1500 of 5000", "1750 of 5000"]);
    progress.end();
    expect(told.at(-1)).toBe("5000 of 5000");
  });

  it("of a quick pass is not told, nor its end", () => {
    const { time, told, progress } = pass();
    for (; time.nowMs < 1000; time.nowMs += 10) progress.report(time.nowMs, 5000);
    progress.end();
    expect(told).toEqual([]);
  });

  it("does not say that all is done while folders are still being listed", () => {
    const { time, told, progress } = pass();
    time.nowMs = 1500;
    progress.report(0, 0);
    progress.report(7, 7);
    expect(told).toEqual([]);
    progress.report(7, 9);
    expect(told).toEqual(["7 of 9"]);
  });
});
