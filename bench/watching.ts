/** What does watching take: time until ready, inotify watches, memory and idle CPU, beside other ways to watch? */

import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Answer, median, type Row, ratios, roundRobin, spread } from "./question.ts";
import { Tree } from "./tree.ts";

/** Files, and how often each way is measured. */
const sizes = [
  [1_000, 3],
  [10_000, 3],
  [100_000, 1],
] as const;
const bytesOfModule = 500;
const idleMs = 5_000;

interface Watching {
  /** From the first call until changes are noticed. */
  readonly readyMs: number;
  readonly rssBytes: number;
  readonly watches: number;
  /** Of one core, while nothing happens. */
  readonly idleShare: number;
}

interface SourceWatching extends Watching {
  readonly files: number;
  /** Until all files were read and hashed. */
  readonly readMs: number;
  /** Times that progress was told of. */
  readonly progress: number;
  /** What one sweep takes. */
  readonly sweepMs: number;
}

/** Ratios: time until ready, beside plain chokidar with its defaults. The source reads and hashes all files, others do not. */
export async function run(): Promise<Answer> {
  const rows: Row[] = [];
  for (const [files, rounds] of sizes) {
    const tree = new Tree(files, bytesOfModule);
    try {
      rows.push(...(await rowsFor(tree, files, rounds)));
    } finally {
      tree.remove();
    }
  }
  return { question: "What does it take to watch a tree, beside plain chokidar and @parcel/watcher?", rows };
}

async function rowsFor(tree: Tree, files: number, rounds: number): Promise<readonly Row[]> {
  const folder = join(tree.prefix, "apps");
  const way = (kind: string) => () => inProcess<Watching>({ kind, folder, idleMs });
  const { relua, chokidar, parcel, folders } = await roundRobin(rounds, {
    relua: () => inProcess<SourceWatching>({ kind: "relua", folder, idleMs }),
    chokidar: way("chokidar"),
    parcel: way("parcel"),
    folders: way("folders"),
  });
  for (const each of relua as readonly SourceWatching[]) {
    if (each.files !== files) throw new Error(`${each.files} files read of ${files}`);
    if (each.readMs > 1_500 && each.progress === 0)
      throw new Error(`no progress in ${each.readMs.toFixed(0)} ms`);
  }
  const beside = ready(chokidar);
  const row = (name: string, figures: readonly Watching[], more = ""): Row => ({
    name: `${files} files: ${name}`,
    ratio: median(ratios(ready(figures), beside)),
    unit: `times chokidar's time until ready: ${spread(ready(figures), 0)} ms; ${median(figures.map((each) => each.watches))} watches, ${mib(median(figures.map((each) => each.rssBytes)))}, idle ${percent(figures)} of a core${more}`,
  });
  const sources = relua as readonly SourceWatching[];
  const middle = (of: (each: SourceWatching) => number) => median(sources.map(of));
  return [
    row(
      "Relua's source",
      relua,
      `; all read and hashed after ${middle((each) => each.readMs).toFixed(0)} ms, ${mib(tree.bytes)} of it contents, a sweep takes ${middle((each) => each.sweepMs).toFixed(0)} ms, progress told ${middle((each) => each.progress)} times`,
    ),
    row("chokidar, as it is", chokidar),
    row("@parcel/watcher", parcel),
    row("fs.watch for each folder", folders),
  ];
}

const ready = (figures: readonly Watching[]) => figures.map((each) => each.readyMs);
const mib = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(0)} MiB`;
const percent = (figures: readonly Watching[]) =>
  `${(median(figures.map((each) => each.idleShare)) * 100).toFixed(2)} %`;

async function inProcess<Told>(order: object): Promise<Told> {
  const child = fork(new URL("./watching-process.mjs", import.meta.url), [JSON.stringify(order)], {
    execArgv: ["--expose-gc"],
  });
  const exit = once(child, "exit");
  const [told] = (await Promise.race([
    once(child, "message"),
    exit.then(([code]) => Promise.reject(new Error(`the process ended with ${code}`))),
  ])) as [Told];
  await exit;
  return told;
}
