/** Saves and what becomes of them: waits for outcomes, and asks every VM which version it answers. */

import type { Agent } from "./built.ts";

type Outcome = Awaited<ReturnType<Agent["reload"]>>;

/** The next outcome of an agent that is not `unchanged`; to be asked for before the save. */
export function nextOutcome(agent: Agent): Promise<{ readonly outcome: Outcome; readonly atMs: number }> {
  return new Promise((resolve) => {
    waiting.set(agent, resolve);
    if (listening.has(agent)) return;
    listening.add(agent);
    agent.on("outcome", (outcome) => {
      if (outcome.outcome === "unchanged") return;
      waiting.get(agent)?.({ outcome, atMs: performance.now() });
      waiting.delete(agent);
    });
  });
}

const waiting = new WeakMap<Agent, (told: { readonly outcome: Outcome; readonly atMs: number }) => void>();
const listening = new WeakSet<Agent>();

/**
 * Asks until every VM has answered once, at most `tries` times in a turn of `threads` calls.
 * @throws when a VM answers another version: the save was reported before it was everywhere
 */
export async function everyVmAnswers(agent: Agent, module: string, version: string): Promise<void> {
  const { threads } = agent.config;
  const heard = new Set<string>();
  while (heard.size < threads) {
    const calls = Array.from({ length: threads * 2 }, () => agent.call(module, "where"));
    for (const answer of await Promise.all(calls)) {
      const [vm, answered] = String(answer).split(" ");
      if (answered !== version) throw new Error(`VM ${vm} answers ${answered} after ${version} was reported`);
      heard.add(vm as string);
    }
  }
}
