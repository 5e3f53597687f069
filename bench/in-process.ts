/** Something measured in a fresh process: a start, or what a process holds. */

import { fork } from "node:child_process";
import { once } from "node:events";

/** What `start-process.mjs` tells of a start. */
export interface Started {
  /** From `start` until it resolved; for the walk, from its first call to its end. */
  readonly readyMs: number;
  /** From the start of the process. */
  readonly sinceProcessMs: number;
  /** Processor time from the start of the process, all threads together. */
  readonly cpuMs?: number;
  readonly files: number;
  readonly memory?: {
    readonly rss: number;
    readonly heaps: readonly (readonly [vm: number, bytes: number])[];
    readonly arenaBytes: number;
  };
}

/** Runs one order of `start-process.mjs`. @throws when the process ends without an answer */
export async function inProcess<Told = Started>(order: object): Promise<Told> {
  const child = fork(new URL("./start-process.mjs", import.meta.url), [JSON.stringify(order)], {
    execArgv: [],
  });
  const exit = once(child, "exit");
  const [told] = (await Promise.race([
    once(child, "message"),
    exit.then(([code]) => Promise.reject(new Error(`the process ended with ${code}`))),
  ])) as [Told];
  child.disconnect();
  await exit;
  return told;
}
