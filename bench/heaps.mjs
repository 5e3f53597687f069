// Heaps of an agent's VMs after a collection, for agents whose threads run gc-thread.mjs.
import { BroadcastChannel } from "node:worker_threads";

/** File of the threads, to be given to the agent. */
export const gcThread = new URL("./gc-thread.mjs", import.meta.url).pathname;

/**
 * Bytes of JavaScript heap and external memory per VM; `vms` of them, the canary (0) included.
 * @param {number} vms
 * @returns {Promise<Map<number, number>>}
 */
export async function collectedHeaps(vms) {
  const channel = new BroadcastChannel("relua-bench-gc");
  const heaps = new Map();
  const all = new Promise((resolve) => {
    channel.onmessage = ({ data: { vm, bytes } }) => {
      heaps.set(vm, bytes);
      if (heaps.size === vms) resolve(undefined);
    };
  });
  // Said again until all have answered: the canary may still be booting.
  const ask = () => channel.postMessage("collect");
  ask();
  const asking = setInterval(ask, 500);
  await all;
  clearInterval(asking);
  channel.close();
  return heaps;
}
