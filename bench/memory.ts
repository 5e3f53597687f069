/** How much memory does an agent take: for a VM, for its files, for what its VMs have loaded? */

import { inProcess, type Started } from "./in-process.ts";
import { type Answer, median, type Row, roundRobin, spread } from "./question.ts";
import { Tree } from "./tree.ts";

const threads = 2;
/** VMs more, of which the share of one is told. */
const moreVms = 4;
const rounds = 3;
const modules = 1_000;

const mib = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
const rss = ({ memory }: Started) => memory?.rss ?? Number.NaN;

/** Ratios: beside bare Fengari in as many threads, beside the size of the sources. */
export async function run(): Promise<Answer> {
  const tree = new Tree(modules);
  const lone = new Tree(1);
  try {
    return {
      question: `What does an agent with ${threads} VMs and ${modules} files hold?`,
      rows: [...(await perVm(lone)), ...(await perFiles(tree, lone))],
    };
  } finally {
    tree.remove();
    lone.remove();
  }
}

/** Each in a fresh process: with two, and with six threads of the same kind. */
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

async function perFiles(tree: Tree, lone: Tree): Promise<readonly Row[]> {
  const names = Array.from({ length: modules }, (_, module) => tree.name(module));
  const agent = (of: Tree, load: readonly string[]) =>
    inProcess({ kind: "agent", prefix: of.prefix, threads, load });
  const without = await agent(lone, []);
  const idle = await agent(tree, []);
  const loaded = await agent(tree, names);
  const files = names.map((_, module) => tree.path(module));
  const { bytes: bare } = await inProcess<{ readonly bytes: number }>({ kind: "fengari", files });
  const heap = ({ memory }: Started, vm: number) => new Map(memory?.heaps).get(vm) ?? Number.NaN;
  const row = (name: string, more: number, what: string, atMost?: number): Row => ({
    name,
    ratio: more / tree.bytes,
    unit: `times the sources (${mib(tree.bytes)}): ${what}`,
    ...(atMost !== undefined && { aim: { atMost } }),
  });
  const arena = loaded.memory?.arenaBytes ?? Number.NaN;
  return [
    row("contents in shared memory", arena, mib(arena)),
    row(
      `${modules} files, none loaded`,
      rss(idle) - rss(without),
      `${mib(rss(idle) - rss(without))} of rss more than with one file (${mib(rss(without))})`,
      2,
    ),
    row("heap of a VM for them, none loaded", heap(idle, 1) - heap(without, 1), mib(heap(idle, 1))),
    row("heap of the canary, none loaded", heap(idle, 0) - heap(without, 0), mib(heap(idle, 0))),
    row(
      `${modules} files, all loaded in ${threads} VMs`,
      rss(loaded) - rss(without),
      `${mib(rss(loaded) - rss(without))} of rss more than with one file`,
    ),
    {
      name: "loaded modules in a VM",
      ratio: (heap(loaded, 1) - heap(without, 1)) / bare,
      unit: `times the same in bare Fengari: ${mib(heap(loaded, 1) - heap(without, 1))}, bare ${mib(bare)}`,
      aim: { atMost: 1.5 },
    },
  ];
}
