/** How long does the canary take for 1, 50 and 1,000 changed files, beside compiling them in bare Fengari? */

import { type Agent, createAgent } from "./built.ts";
import { compile } from "./fengari-state.ts";
import { type Answer, median, type Row, ratios, roundRobin, spread } from "./question.ts";
import { Tree } from "./tree.ts";

const modules = 1_000;
const plans = [
  { files: 1, rounds: 15 },
  { files: 50, rounds: 7 },
  { files: 1_000, rounds: 3 },
] as const;

/** Ratios: the canary's time beside the compiler's for the same sources, same round. */
export async function run(): Promise<Answer> {
  const rows: Row[] = [];
  for (const loaded of [false, true]) {
    const tree = new Tree(modules);
    const agent = createAgent({ prefix: tree.prefix, threads: 1, watch: false });
    try {
      await agent.start();
      if (loaded)
        await Promise.all(Array.from({ length: modules }, (_, i) => agent.call(tree.name(i), "version")));
      const changes = new Changes(tree, agent);
      await changes.canaryMs(50);
      await changes.canaryMs(50);
      for (const { files, rounds } of plans) {
        const times = await roundRobin(rounds, {
          canary: () => changes.canaryMs(files),
          compiler: async () => changes.compileMs(files),
        });
        const each = ratios(times.canary, times.compiler);
        rows.push({
          name: `${files} changed, ${loaded ? "loaded in a VM" : "loaded nowhere"}`,
          ratio: median(each),
          unit: `times compiling alone (${spread(each)}): ${spread(times.canary, 1)} ms, compiling ${spread(times.compiler, 1)} ms`,
        });
      }
    } finally {
      await agent.close();
      tree.remove();
    }
  }
  return { question: "How long does the canary take?", rows };
}

class Changes {
  readonly #tree: Tree;
  readonly #agent: Agent;
  #version = 0;

  constructor(tree: Tree, agent: Agent) {
    this.#tree = tree;
    this.#agent = agent;
  }

  /** Changes the first `files` files; what their rehearsal took. */
  async canaryMs(files: number): Promise<number> {
    this.#version++;
    for (let file = 0; file < files; file++) this.#tree.write(file, this.#version);
    const outcome = await this.#agent.reload();
    if (outcome.outcome !== "committed" || outcome.changes.length !== files)
      throw new Error(`${outcome.outcome} of ${outcome.changes.length} changes instead of ${files}`);
    return outcome.stages.canaryMs;
  }

  /** What the compiler takes for the same sources, in a state of its own in this thread. */
  compileMs(files: number): number {
    const sources = Array.from({ length: files }, (_, file) =>
      Buffer.from(this.#tree.source(file, this.#version)),
    );
    const began = performance.now();
    for (const source of sources) compile(source);
    return performance.now() - began;
  }
}
