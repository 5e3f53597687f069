/** How long until an agent is ready, and how much memory does it take, beside its sources alone? */

import { fork } from "node:child_process";
import { once } from "node:events";
import { type Answer, median, type Row, roundRobin, spread } from "./question.ts";
import { Tree } from "./tree.ts";

const threads = 2;
const rounds = 3;

interface Started {
  /** From `start` until it resolved; for the walk, from its first call to its end. */
  readonly readyMs: number;
  /** From the start of the process. */
  readonly sinceProcessMs: number;
  readonly files: number;
  readonly memory?: {
    readonly rss: number;
    readonly heaps: readonly (readonly [vm: number, bytes: number])[];
    readonly arenaBytes: number;
  };
}

/** Ratios: ready beside walking and hashing the same tree; memory beside the size of the sources. */
export async function run(): Promise<Answer> {
  const rows: Row[] = [];
  const empty = new Tree(0);
  const small = new Tree(1_000);
  const large = new Tree(10_000);
  try {
    const agent = (tree: Tree) => () => inProcess({ kind: "agent", prefix: tree.prefix, threads });
    const walk = (tree: Tree) => () => inProcess({ kind: "walk", prefix: tree.prefix });
    const started = await roundRobin(rounds, {
      empty: agent(empty),
      walkSmall: walk(small),
      small: agent(small),
      walkLarge: walk(large),
      large: agent(large),
    });
    const ready = (of: readonly Started[]) => of.map((each) => each.readyMs);
    const withoutFiles = median(ready(started.empty));
    rows.push({
      name: "no files",
      ratio: Number.NaN,
      unit: `${spread(ready(started.empty), 0)} ms, ${spread(
        started.empty.map((each) => each.sinceProcessMs),
        0,
      )} ms from the start of the process`,
    });
    for (const [agents, walks] of [
      [started.small, started.walkSmall],
      [started.large, started.walkLarge],
    ] as const) {
      const { files } = agents[0]!;
      if (files !== walks[0]!.files) throw new Error(`${files} files watched of ${walks[0]!.files}`);
      const beyond = ready(agents).map((ms) => ms - withoutFiles);
      rows.push({
        name: `${files} files`,
        ratio: median(ready(agents)) / median(ready(walks)),
        unit: `times walk + xxhash: ${spread(ready(agents), 0)} ms, walk + xxhash ${spread(ready(walks), 0)} ms; ${(median(beyond) / median(ready(walks))).toFixed(2)} times it beyond a start without files`,
      });
    }
    rows.push(...(await memoryRows(small)));
    return { question: `How long until an agent with ${threads} VMs is ready, and what does it hold?`, rows };
  } finally {
    for (const tree of [empty, small, large]) tree.remove();
  }
}

async function memoryRows(tree: Tree): Promise<readonly Row[]> {
  const names = Array.from({ length: 1_000 }, (_, module) => tree.name(module));
  const lone = new Tree(1);
  const without = await inProcess({ kind: "agent", prefix: lone.prefix, threads, load: [] });
  const idle = await inProcess({ kind: "agent", prefix: tree.prefix, threads, load: [] });
  const loaded = await inProcess({ kind: "agent", prefix: tree.prefix, threads, load: names });
  lone.remove();
  const files = names.map((_, module) => tree.path(module));
  const { bytes: bare } = await inProcess<{ readonly bytes: number }>({ kind: "fengari", files });
  const mib = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
  const heap = ({ memory }: Started, vm: number) => new Map(memory?.heaps).get(vm) ?? Number.NaN;
  const rss = (of: Started) => of.memory?.rss ?? Number.NaN;
  const row = (name: string, more: number, what: string): Row => ({
    name,
    ratio: more / tree.bytes,
    unit: `times the sources (${mib(tree.bytes)}): ${what}`,
  });
  return [
    row(
      "memory: contents in shared memory",
      loaded.memory?.arenaBytes ?? Number.NaN,
      mib(loaded.memory?.arenaBytes ?? 0),
    ),
    row(
      "memory: rss for 1,000 files, none loaded",
      rss(idle) - rss(without),
      `${mib(rss(idle))}, ${mib(rss(without))} with one file`,
    ),
    row(
      "memory: rss for 1,000 files, all loaded in 2 VMs",
      rss(loaded) - rss(without),
      `${mib(rss(loaded))}`,
    ),
    row(
      "memory: heap of a VM, none loaded",
      heap(idle, 1) - heap(without, 1),
      `${mib(heap(idle, 1))}, ${mib(heap(without, 1))} with one file`,
    ),
    row("memory: heap of a VM, all loaded", heap(loaded, 1) - heap(without, 1), mib(heap(loaded, 1))),
    row("memory: the same modules loaded in bare Fengari", bare, mib(bare)),
    {
      name: "memory: loaded modules in a VM",
      ratio: (heap(loaded, 1) - heap(without, 1)) / bare,
      unit: "times the same in bare Fengari",
    },
    row("memory: heap of the canary, none loaded", heap(idle, 0) - heap(without, 0), mib(heap(idle, 0))),
  ];
}

async function inProcess<Told = Started>(order: object): Promise<Told> {
  const child = fork(new URL("./start-process.mjs", import.meta.url), [JSON.stringify(order)], {
    execArgv: [],
  });
  const exit = once(child, "exit");
  const [started] = (await Promise.race([
    once(child, "message"),
    exit.then(([code]) => Promise.reject(new Error(`the process ended with ${code}`))),
  ])) as [Told];
  child.disconnect();
  await exit;
  return started;
}
