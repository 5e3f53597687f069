/** How many agent.call of an empty Lua function a second, beside what crossing to a thread costs alone? */

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { createAgent } from "./built.ts";
import { type Answer, median, type Row, ratios, roundRobin, spread } from "./question.ts";
import { Tree } from "./tree.ts";

const rounds = 5;
const roundMs = 700;
const inFlight = 64;

/** Ratios: calls per second beside an empty message to a bare thread and back, as many in flight. */
export async function run(): Promise<Answer> {
  const tree = new Tree(1);
  const name = tree.name(0);
  const agents = [1, 2].map((threads) => createAgent({ prefix: tree.prefix, threads }));
  const echo = new Echo();
  try {
    for (const agent of agents) await agent.start();
    const call = (agent: (typeof agents)[number]) => () => asked(() => agent.call(name, "empty"));
    const subjects = {
      "bare thread": () => asked(() => echo.call()),
      "agent.call, 1 VM": call(agents[0]!),
      "agent.call, 2 VMs": call(agents[1]!),
    };
    const perSecond = await roundRobin(rounds, subjects, (subject) => subjects[subject]());
    const rows = Object.entries(perSecond).map(([subject, figures]): Row => {
      const each = ratios(figures, perSecond["bare thread"]);
      return {
        name: subject,
        ratio: median(each),
        unit: `of the bare thread (${spread(each)}): ${spread(figures, 0)} a second`,
      };
    });
    return { question: `How many calls of an empty function a second, ${inFlight} in flight?`, rows };
  } finally {
    await echo.close();
    for (const agent of agents) await agent.close();
    tree.remove();
  }
}

/** Calls per second with `inFlight` of them under way. */
async function asked(call: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  let calls = 0;
  const one = async () => {
    while (performance.now() - began < roundMs) {
      await call();
      calls++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  return (calls * 1000) / (performance.now() - began);
}

/** A thread that sends every message back. */
class Echo {
  readonly #thread = new Worker(
    "const { parentPort } = require('node:worker_threads'); parentPort.on('message', (id) => parentPort.postMessage(id));",
    { eval: true },
  );
  readonly #waiting = new Map<number, () => void>();
  #lastId = 0;

  constructor() {
    this.#thread.on("message", (id: number) => {
      this.#waiting.get(id)?.();
      this.#waiting.delete(id);
    });
  }

  call(): Promise<void> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#thread.postMessage(id);
    });
  }

  async close(): Promise<void> {
    const exit = once(this.#thread, "exit");
    await this.#thread.terminate();
    await exit;
  }
}
