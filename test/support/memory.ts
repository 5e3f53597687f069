/** What an agent needs in memory after a collection: its main thread, its content store, and each of its VMs. */

import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { BroadcastChannel } from "node:worker_threads";

/** What a VM of `test/fixtures/e2e/inspected-vm.mjs` says of itself. */
export interface VmMemory {
  /** 0 is the canary. */
  readonly vm: number;
  /** Generations that it holds. */
  readonly size: number;
  /** Heap and external memory of its thread. */
  readonly bytes: number;
}

interface Said extends Partial<VmMemory> {
  readonly answerTo?: number;
}

let asked = 0;

/** Asks `count` VMs; in the order of their numbers. */
export async function measureVms(count: number): Promise<readonly VmMemory[]> {
  const question = ++asked;
  const channel = new BroadcastChannel("relua-inspect");
  const answers = await new Promise<readonly VmMemory[]>((resolve) => {
    const all: VmMemory[] = [];
    channel.onmessage = (event) => {
      const said = (event as { readonly data: Said }).data;
      if (said.answerTo === question) all.push(said as VmMemory);
      if (all.length === count) resolve(all);
    };
    channel.postMessage({ ask: question });
  });
  channel.close();
  return answers.toSorted((a, b) => a.vm - b.vm);
}

/** Heap and external memory of this thread, in bytes. */
export async function measureMain(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  // What finalisers let go of is collected the second time.
  await delay(0);
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
