// One way to watch a tree, in a fresh process. Tells over IPC: time to ready, inotify watches, memory, idle CPU.
import { readdirSync, readFileSync, watch as watchFolder } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

const { kind, folder, idleMs } = JSON.parse(process.argv[2]);

/** Each resolves when changes from then on are noticed; `idle` when long enough for idle CPU has passed. */
const ways = {
  async relua() {
    const { createSource } = await import(new URL("../dist/source/source.js", import.meta.url));
    const source = createSource({
      roots: [{ folder, suffixes: [".lua"] }],
      files: [],
      ignore: [],
      maxFileBytes: 8 * 1024 * 1024,
      watch: { settleMs: 20, maxWaitMs: 1000, polling: false, sweepMs: 5000 },
    });
    let progress = 0;
    source.on("progress", () => {
      progress++;
    });
    const settled = () => source.status().live && !source.status().pending;
    const untilSwept = async () => {
      const { lastAt } = source.status().sweep;
      while (source.status().sweep.lastAt === lastAt) await setTimeout(50);
    };
    let files = 0;
    let readMs = 0;
    return {
      async ready(sinceMs) {
        files = (await source.start()).present.length;
        readMs = sinceMs();
        while (!settled()) await setTimeout(2);
      },
      // From the end of a sweep to the end of the next one: a whole period, and not the first.
      async idle(measure) {
        await untilSwept();
        await untilSwept();
        await measure(untilSwept);
      },
      told: () => ({ files, readMs, progress, sweepMs: source.status().sweep.costMs }),
      close: () => source.close(),
    };
  },

  async chokidar() {
    const { watch } = await import("chokidar");
    let watcher;
    let files = 0;
    return {
      ready: () =>
        new Promise((resolve) => {
          watcher = watch(folder);
          watcher.on("add", () => {
            files++;
          });
          watcher.on("ready", resolve);
        }),
      idle,
      told: () => ({ files }),
      close: () => watcher.close(),
    };
  },

  async parcel() {
    const { default: parcel } = await import("@parcel/watcher");
    let subscription;
    return {
      ready: async () => {
        subscription = await parcel.subscribe(folder, () => {}, { backend: "inotify" });
      },
      idle,
      told: () => ({}),
      close: () => subscription.unsubscribe(),
    };
  },

  /** The least that events from each folder can cost. */
  async folders() {
    const watchers = [];
    const walk = (path) => {
      watchers.push(watchFolder(path, () => {}));
      for (const entry of readdirSync(path, { withFileTypes: true }))
        if (entry.isDirectory()) walk(join(path, entry.name));
    };
    return {
      ready: async () => walk(folder),
      idle,
      told: () => ({}),
      close: () => watchers.map((watcher) => watcher.close()),
    };
  },
};

async function idle(measure) {
  await setTimeout(500);
  await measure(() => setTimeout(idleMs));
}

function inotifyWatches() {
  let watches = 0;
  for (const fd of readdirSync("/proc/self/fdinfo")) {
    try {
      watches += readFileSync(`/proc/self/fdinfo/${fd}`, "latin1").split("inotify wd:").length - 1;
    } catch {
      // Closed since the folder was listed.
    }
  }
  return watches;
}

const way = await ways[kind]();
global.gc();
const rssBefore = process.memoryUsage().rss;
const began = performance.now();
const sinceMs = () => performance.now() - began;
await way.ready(sinceMs);
const readyMs = sinceMs();
global.gc();
const rssBytes = process.memoryUsage().rss - rssBefore;
const watches = inotifyWatches();
let idleShare = 0;
await way.idle(async (pause) => {
  const before = process.cpuUsage();
  const fromMs = performance.now();
  await pause();
  const { user, system } = process.cpuUsage(before);
  idleShare = (user + system) / 1000 / (performance.now() - fromMs);
});
process.send({ readyMs, rssBytes, watches, idleShare, ...way.told() });
await way.close();
process.disconnect();
