/** How much memory does an agent take: for a VM, for its files, for what its VMs have loaded? */

import { inProcess, type Started } from "./in-process.ts";
import { type Answer, median, type Row, roundRobin, spread } from "./question.ts";
import { Tree } from "./tree.ts";

const threads = 2;
/** VMs more, of which the share of one is told: enough of them that the main thread's own heap does not decide. */
const moreVms = 8;
const rounds = 3;
/** Loaded in every VM. */
const modules = 1_000;
/** Known and not loaded: enough of them that a heap's slack does not decide. */
const files = 10_000;

const mib = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
const rss = ({ memory }: Started) => memory?.rss ?? Number.NaN;

/** Ratios: beside bare Fengari in as many threads, beside the size of the sources. */
export async function run(): Promise<Answer> {
  const loaded = new Tree(modules);
  const known = new Tree(files);
  const lone = new Tree(1);
  try {
    return {
      question: `What does an agent with ${threads} VMs hold, with ${files} files that nobody loads, with ${modules} that every VM has loaded?`,
      rows: [...(await perVm(lone)), ...(await whenKnown(known, lone)), ...(await whenLoaded(loaded, lone))],
    };
  } finally {
    for (const tree of [loaded, known, lone]) tree.remove();
  }
}

/** Each in a fresh process: with few and with many threads of the same kind, as users run them. */
async function perVm(lone: Tree): Promise<readonly Row[]> {
  const agent = (threads: number) => () =>
    inProcess({ kind: "agent", prefix: lone.prefix, threads, load: [lone.name(0)] }).then(rss);
  const bare = (threads: number) => () =>
    inProcess<{ readonly rss: number }>({ kind: "threads", threads }).then(({ rss }) => rss);
  const figures = await roundRobin(rounds, {
    few: agent(threads),
    many: agent(threads + moreVms),
    bareFew: bare(threads),
    bareMany: bare(threads + moreVms),
  });
  const each = (many: readonly number[], few: readonly number[]) =>
    many.map((bytes, round) => (bytes - (few[round] ?? Number.NaN)) / moreVms);
  const vm = each(figures.many, figures.few);
  const state = each(figures.bareMany, figures.bareFew);
  const inMib = (bytes: readonly number[]) =>
    spread(
      bytes.map((each) => each / 1024 ** 2),
      1,
    );
  return [
    {
      name: "one more VM",
      ratio: median(vm) / median(state),
      unit: `times a thread with a bare Fengari state: ${inMib(vm)} MiB of rss, bare ${inMib(state)} MiB`,
      aim: { atMost: 1.5 },
    },
  ];
}

const holding = (tree: Tree, load: readonly string[]) =>
  inProcess({ kind: "agent", prefix: tree.prefix, threads, load, collected: true });
const heap = ({ memory }: Started, vm: number) => new Map(memory?.heaps).get(vm) ?? Number.NaN;

function besideSources(name: string, tree: Tree, more: number, what: string, atMost?: number): Row {
  return {
    name,
    ratio: more / tree.bytes,
    unit: `times the sources (${mib(tree.bytes)}): ${what}`,
    ...(atMost !== undefined && { aim: { atMost } }),
  };
}

/** Each round in fresh processes: where a collection happened to run decides over several MiB. */
async function whenKnown(tree: Tree, lone: Tree): Promise<readonly Row[]> {
  const figures = await roundRobin(rounds, {
    with: () => holding(tree, []),
    without: () => holding(lone, []),
  });
  const more = (of: (started: Started) => number) =>
    median(figures.with.map((each, round) => of(each) - of(figures.without[round]!)));
  const arena = median(figures.with.map(({ memory }) => memory?.arenaBytes ?? Number.NaN));
  const perThousand = mib((more(rss) * 1_000) / files);
  return [
    besideSources(
      `${files} files: rss`,
      tree,
      more(rss),
      `${mib(more(rss))}, ${perThousand} per 1,000 files`,
      2,
    ),
    besideSources(`${files} files: contents in shared memory`, tree, arena, mib(arena)),
    ...([1, 0] as const).map((vm) =>
      besideSources(
        `${files} files: heap of ${vm === 0 ? "the canary" : "a VM"}`,
        tree,
        more((started) => heap(started, vm)),
        mib(more((started) => heap(started, vm))),
      ),
    ),
  ];
}

async function whenLoaded(tree: Tree, lone: Tree): Promise<readonly Row[]> {
  const names = Array.from({ length: modules }, (_, module) => tree.name(module));
  const without = await holding(lone, []);
  const loaded = await holding(tree, names);
  const files = names.map((_, module) => tree.path(module));
  const { bytes: bare } = await inProcess<{ readonly bytes: number }>({ kind: "fengari", files });
  const inVm = heap(loaded, 1) - heap(without, 1);
  return [
    {
      name: `${modules} modules loaded in a VM`,
      ratio: inVm / bare,
      unit: `times the same in bare Fengari: ${mib(inVm)} of heap, bare ${mib(bare)}`,
      aim: { atMost: 1.5 },
    },
    besideSources(
      `${modules} modules loaded in ${threads} VMs: rss`,
      tree,
      rss(loaded) - rss(without),
      mib(rss(loaded) - rss(without)),
    ),
  ];
}
