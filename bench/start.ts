/** How long until an agent is ready, beside walking and hashing the same tree? */

import { spawnSync } from "node:child_process";
import { debianProgram } from "../test/debian.ts";
import { inProcess, type Started } from "./in-process.ts";
import { type Answer, median, type Row, roundRobin, spread } from "./question.ts";
import { Tree } from "./tree.ts";

const threads = 2;
/** Ready within this and so many times walk and hash. */
const fixedMs = 400;
const timesWalk = 2;
const trees = [
  { files: 1_000, bytesOfModule: 2_000, rounds: 5 },
  { files: 10_000, bytesOfModule: 2_000, rounds: 5 },
  { files: 100_000, bytesOfModule: 500, rounds: 3 },
] as const;
const roundsWithoutFiles = 7;

const { path: xxhsum } = debianProgram("xxhsum");

/** Ratios: ready beside 0.4 s and twice the walk with xxhash of the same tree, in the same round. */
export async function run(): Promise<Answer> {
  const rows = [await withoutFiles()];
  for (const { files, bytesOfModule, rounds } of trees) {
    const tree = new Tree(files, bytesOfModule);
    try {
      rows.push(await rowOf(tree, files, rounds));
    } finally {
      tree.remove();
    }
  }
  return { question: `How long until an agent with ${threads} VMs is ready?`, rows };
}

async function withoutFiles(): Promise<Row> {
  const empty = new Tree(0);
  try {
    const { agent, node } = await roundRobin(roundsWithoutFiles, {
      agent: () => inProcess({ kind: "agent", prefix: empty.prefix, threads }),
      node: () => inProcess({ kind: "nothing", threads }),
    });
    const ready = agent.map(({ readyMs }) => readyMs);
    const bare = node.map(({ readyMs }) => readyMs);
    const since = agent.map(({ sinceProcessMs }) => sinceProcessMs);
    return {
      name: "no files",
      ratio: median(ready) / median(bare),
      unit: `times ${threads + 2} empty threads of Node (${spread(bare, 0)} ms): ${spread(ready, 0)} ms, ${spread(since, 0)} ms from the start of the process`,
    };
  } finally {
    empty.remove();
  }
}

async function rowOf(tree: Tree, files: number, rounds: number): Promise<Row> {
  const figures = await roundRobin<"agent" | "walk", Started>(rounds, {
    agent: () => inProcess({ kind: "agent", prefix: tree.prefix, threads }),
    walk: () => inProcess({ kind: "walk", prefix: tree.prefix }),
  });
  if (figures.agent[0]?.files !== files || figures.walk[0]?.files !== files)
    throw new Error(
      `${figures.agent[0]?.files} files watched, ${figures.walk[0]?.files} walked, of ${files}`,
    );
  const ready = figures.agent.map(({ readyMs }) => readyMs);
  const walk = figures.walk.map(({ readyMs }) => readyMs);
  const each = ready.map((ms, round) => ms / (fixedMs + timesWalk * (walk[round] ?? Number.NaN)));
  return {
    name: `${files} files`,
    ratio: median(each),
    unit: `of ${fixedMs} ms + ${timesWalk} × walk + xxhash (${spread(each)}): ${spread(ready, 0)} ms; walk + xxhash in one thread ${spread(walk, 0)} ms, ${xxhsumMs(tree)}`,
    aim: { atMost: 1 },
  };
}

/** The same by programs, once: their figure only says that ours is no worse. */
function xxhsumMs(tree: Tree): string {
  if (xxhsum === undefined) return "xxhsum is not installed";
  const began = performance.now();
  const script = `find "$0" -type f -print0 | xargs -0 ${xxhsum} -q > /dev/null`;
  const { status, stderr } = spawnSync("sh", ["-c", script, tree.prefix]);
  if (status !== 0) throw new Error(`xxhsum: ${stderr}`);
  return `find and xxhsum ${(performance.now() - began).toFixed(0)} ms`;
}
