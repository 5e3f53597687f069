/** Is memory flat over reloads: the heap of each VM and the contents that are kept, after 500 and after 10,000? */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createAgent } from "./built.ts";
import { collectedHeaps, gcThread } from "./heaps.mjs";
import type { Answer, Row } from "./question.ts";
import { Tree } from "./tree.ts";

const modules = 50;
const early = 500;
const late = 10_000;
const threads = 2;
/** What a heap may differ by without having grown: code that was compiled meanwhile, fragments. */
const flat = 1.1;
/** Generations that can be gone back to: with all of them kept, contents have reached their size at `early`. */
const history = 100;

interface Memory {
  readonly heaps: ReadonlyMap<number, number>;
  readonly arenaBytes: number;
  readonly mainBytes: number;
}

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** Ratios: after 10,000 reloads beside after 500; 1 is flat. */
export async function run(): Promise<Answer> {
  const tree = new Tree(modules);
  const agent = createAgent(
    { prefix: tree.prefix, threads, watch: false, reload: { history } },
    { vmEntry: gcThread },
  );
  let version = 0;
  const reloadUntil = async (last: number): Promise<Memory> => {
    while (version < last) {
      const file = ++version % modules;
      tree.write(file, version);
      const outcome = await agent.reload({ files: [tree.path(file)] });
      if (outcome.outcome !== "committed") throw new Error(`${outcome.outcome} instead of a commit`);
    }
    const heaps = await collectedHeaps(threads + 1);
    gc();
    gc();
    return { heaps, arenaBytes: agent.arenaBytes, mainBytes: process.memoryUsage().heapUsed };
  };
  try {
    await agent.start();
    await Promise.all(
      Array.from({ length: modules * threads * 2 }, (_, i) => agent.call(tree.name(i % modules), "version")),
    );
    const before = await reloadUntil(early);
    const began = performance.now();
    const after = await reloadUntil(late);
    const perReload = (performance.now() - began) / (late - early);
    const heapOf = (name: string, of: (memory: Memory) => number): Row => {
      const [a, b] = [of(before), of(after)];
      return {
        name,
        ratio: b / a,
        unit: `${megabytes(a)} MiB after ${early}, ${megabytes(b)} MiB after ${late} (${((b - a) / (late - early)).toFixed(0)} bytes per reload)`,
        aim: { atMost: flat },
      };
    };
    return {
      question: `Is memory flat between ${early} and ${late} reloads of 1 of ${modules} loaded modules?`,
      rows: [
        ...[...after.heaps.keys()]
          .sort()
          .map((vm) =>
            heapOf(
              vm === 0 ? "heap of the canary" : `heap of VM ${vm}`,
              ({ heaps }) => heaps.get(vm) ?? Number.NaN,
            ),
          ),
        heapOf("heap of the main thread, the benchmark's own with it", ({ mainBytes }) => mainBytes),
        {
          name: "contents kept in shared memory",
          ratio: after.arenaBytes / before.arenaBytes,
          unit: `${(before.arenaBytes / 1024).toFixed(0)} KiB, ${(after.arenaBytes / 1024).toFixed(0)} KiB; ${((after.arenaBytes - tree.bytes) / history / 1024).toFixed(2)} KiB per kept generation (a file has ${(tree.bytes / modules / 1024).toFixed(2)}), sources ${(tree.bytes / 1024).toFixed(0)} KiB`,
        },
        {
          name: "a reload",
          ratio: Number.NaN,
          unit: `${perReload.toFixed(1)} ms each, one after another`,
        },
      ],
    };
  } finally {
    await agent.close();
    tree.remove();
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1024 ** 2).toFixed(1);
}
