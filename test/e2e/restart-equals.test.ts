/** Reload equals restart (Invariant 6): after each commit every VM answers as one that starts on the same tree. */

import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Agent } from "../../src/agent.ts";
import { parseConfig } from "../../src/config/index.ts";
import { createGraph } from "../../src/core/graph.ts";
import { type Distort, InProcessAgent, run } from "../support/in-process-agent.ts";
import { MayDepend } from "./restart-equals/may-depend.ts";
import {
  allNames,
  answersOf,
  beginnings,
  describeEdit,
  type Edit,
  EditedTree,
  edits,
  initBy,
  probe,
  probeBody,
  searchPath,
} from "./restart-equals/tree-edits.ts";

const vms = 2;
const names = fc.uniqueArray(fc.constantFrom(...allNames), { minLength: 1, maxLength: allNames.length });

/** What happens between two looks. */
interface Step {
  readonly edits: readonly Edit[];
  /** How the change set is set off. */
  readonly by: "reload" | "clean" | "all" | "rollback";
  /** What each VM is asked, in this order; a VM that is asked nothing moves later, several generations at once. */
  readonly asked: readonly (readonly string[])[];
  readonly warm: readonly boolean[];
  /** This VM dies and is replaced before the look. */
  readonly replaced: number | undefined;
}

const steps: fc.Arbitrary<Step> = fc.record({
  edits: fc.array(edits, { minLength: 1, maxLength: 3 }),
  by: fc.oneof(
    { weight: 12, arbitrary: fc.constant("reload" as const) },
    fc.constantFrom("clean" as const, "all" as const, "rollback" as const),
  ),
  asked: fc.tuple(
    ...Array.from({ length: vms }, () => fc.oneof({ weight: 3, arbitrary: names }, fc.constant([]))),
  ),
  warm: fc.tuple(fc.boolean(), fc.boolean()),
  replaced: fc.option(fc.nat(vms - 1), { nil: undefined, freq: 9 }),
});

interface Case {
  readonly begin: readonly Edit[];
  readonly preflight: "load" | "off";
  readonly first: readonly (readonly string[])[];
  readonly steps: readonly Step[];
}
const cases: fc.Arbitrary<Case> = fc.record({
  begin: beginnings,
  preflight: fc.constantFrom("load" as const, "off" as const),
  first: fc.tuple(names, names),
  steps: fc.array(steps, { minLength: 1, maxLength: 8 }),
});

const count = { edits: 0, commits: 0, rejections: 0, answers: 0, evicted: 0 };

/** Holds what each VM evicts to what the texts allow, by generation (Invariant 5). */
class Limits {
  readonly #limits = new Map<number, { readonly texts: MayDepend; readonly changed: ReadonlySet<string> }>();

  set(generation: number, texts: MayDepend, changed: Iterable<string>): void {
    this.#limits.set(generation, { texts, changed: new Set(changed) });
  }

  check(generation: number, evicted: Iterable<string>): void {
    const limit = this.#limits.get(generation);
    if (!limit) return;
    for (const name of evicted) {
      count.evicted++;
      if (!limit.texts.mayConcern(name, limit.changed))
        throw new Error(`generation ${generation} evicted ${name}`);
    }
  }
}

async function play({ begin, preflight, first, steps }: Case, distort: Distort | undefined): Promise<void> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "relua-equals-")));
  try {
    const tree = new EditedTree(root);
    for (const edit of begin) tree.apply(edit);
    const limits = new Limits();
    const agent = new InProcessAgent({
      root,
      luaPackagePath: searchPath,
      vms,
      preflight,
      initBy: initBy(root),
      distort,
      evicted: (generation, names) => limits.check(generation, names),
    });
    look(agent, first);
    for (const step of steps) {
      for (const edit of step.edits) tree.apply(edit);
      count.edits += step.edits.length;
      for (const [vm, warm] of step.warm.entries()) agent.setWarm(vm, warm);
      const { settled } = agent;
      const texts = new MayDepend(root, new Map(agent.store.active), (hash) => tree.written(hash));
      const { outcome, generation, changes, evicted } = await setOff(agent, step);
      if (step.by === "reload" || step.by === "rollback") {
        if (outcome === "committed")
          limits.set(
            generation,
            texts,
            changes.map(({ path }) => path),
          );
        // What a VM that has not moved still has to evict of an earlier commit, a plan may name again.
        if (outcome === "committed" && settled)
          limits.check(
            generation,
            evicted.map(({ name }) => name),
          );
      }
      if (outcome === "committed") count.commits++;
      if (outcome === "rejected") count.rejections++;
      if (step.replaced !== undefined) agent.replace(step.replaced);
      look(agent, step.asked);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function setOff(agent: InProcessAgent, { by, asked }: Step) {
  if (by === "all") return agent.reload({ all: true });
  if (by === "clean") return agent.reload({ names: asked.flat().slice(0, 2), force: true });
  if (by === "rollback")
    return agent.reloader.rollback(Math.max(agent.store.oldestGeneration, agent.store.generation - 1));
  return agent.reload();
}

/** Plays the same with an agent as it runs, on threads; after each commit another one is started on the same tree. */
async function playWithAgents({ begin, first, steps }: Case): Promise<void> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "relua-equals-")));
  const tree = new EditedTree(root);
  writeFileSync(join(root, "probe.lua"), `return { all = function(names) ${probeBody("names")} end }`);
  for (const edit of begin) tree.apply(edit);
  const start = async () => {
    const config = {
      prefix: root,
      luaPackagePath: searchPath,
      initBy: initBy(root),
      threads: vms,
      watch: false,
      reload: { preflight: "off" },
      control: { listen: "127.0.0.1:0" },
    } as const;
    const agent = new Agent(parseConfig(config));
    await agent.start();
    return agent;
  };
  // Work goes where least is in flight: so many calls at once reach every VM.
  const answers = async (agent: Agent, asked: readonly (readonly string[])[]) => {
    const probed = await Promise.all(asked.map((names) => agent.call("probe", "all", [...names])));
    return probed.map((one, vm) => answersOf(one, asked[vm]!));
  };
  const agent = await start();
  try {
    await answers(agent, first);
    for (const { edits, by, asked } of steps) {
      for (const edit of edits) tree.apply(edit);
      expect((await agent.reload(by === "all" ? { all: true } : {})).outcome).toMatch(
        /^(committed|unchanged)$/,
      );
      const got = await answers(agent, asked);
      const fresh = await start();
      try {
        expect(got).toEqual(await answers(fresh, asked));
      } finally {
        await fresh.close();
      }
    }
  } finally {
    await agent.close();
    rmSync(root, { recursive: true, force: true });
  }
}

/** Asks each VM what it is to be asked; a VM that starts now must give the same answers. */
function look(agent: InProcessAgent, asked: readonly (readonly string[])[]): void {
  const order = [...new Set(asked.flat())].reverse();
  if (order.length === 0) return;
  const fresh = run(agent.fresh(), "content_by(/)", probe(order));
  for (const [vm, names] of asked.entries()) {
    if (names.length === 0) continue;
    const got = answersOf(agent.ask(vm, "content_by(/)", probe(names)), names);
    count.answers += names.length;
    const wanted = answersOf(fresh, names);
    for (const name of names)
      if (got[name] !== wanted[name])
        throw new Error(`VM ${vm} answers ${name}: ${got[name]}, a new one: ${wanted[name]}`);
  }
}

/** Plays cases; throws with the smallest one that ends otherwise, as a story. */
async function holds(distort: Distort | undefined, parameters: fc.Parameters<[Case]>): Promise<void> {
  const result = await fc.check(
    fc.asyncProperty(cases, (it) => play(it, distort)),
    parameters,
  );
  if (!result.failed) return;
  const [smallest] = result.counterexample ?? [];
  const story = smallest ? tell(smallest).join("\n") : "";
  const error =
    result.errorInstance instanceof Error ? result.errorInstance : new Error(String(result.errorInstance));
  throw new Error(
    `with seed ${result.seed}, path ${result.counterexamplePath}:\n${story}\n${error.message}`,
    {
      cause: error,
    },
  );
}

function tell({ begin, preflight, first, steps }: Case): readonly string[] {
  const asks = (asked: readonly (readonly string[])[]) =>
    asked.map((names, vm) => `  VM ${vm}: ${names.join(" ")}`).join("\n");
  return [
    `preflight ${preflight}`,
    ...begin.map(describeEdit),
    asks(first),
    ...steps.flatMap(({ edits, by, asked, warm, replaced }) => [
      ...edits.map(describeEdit),
      `${by}, warm ${warm}${replaced === undefined ? "" : `, VM ${replaced} replaced`}`,
      asks(asked),
    ]),
  ];
}

/** `RELUA_EQUALS_RUNS=5000 RELUA_EQUALS_SEED=7 npx vitest run test/e2e/restart-equals` looks longer, elsewhere. */
const numRuns = Number(process.env.RELUA_EQUALS_RUNS ?? 100);
const seed = Number(process.env.RELUA_EQUALS_SEED ?? 1);

/** Broken on purpose, on both sides: VMs add what they know to what the plan knows. */
const broken: Readonly<Record<string, Distort>> = {
  "paths that a search missed are forgotten": (graph) => ({
    ...graph,
    namesTouching: (path) =>
      new Set([...graph.namesTouching(path)].filter((name) => graph.module(name)?.path === path)),
  }),
  "the names of one file are not taken together": (graph) => ({ ...graph, aliases: () => [] }),
  "what functions require later is forgotten": (graph) => ({
    ...graph,
    connect: (edge) => edge.kind === "load" && graph.connect(edge),
  }),
};

const remembering: Distort = (graph) => {
  const ever = createGraph();
  return {
    ...graph,
    connect(edge) {
      ever.connect(edge);
      return graph.connect(edge);
    },
    dependents: (name) => ever.dependents(name),
    numbered: ever.numbered,
  };
};

describe("after each commit", () => {
  it("every VM answers as one that starts on the same tree, and has evicted nothing that it need not", async () => {
    await holds(undefined, { numRuns, seed });
    console.info(`restart equals: seed ${seed}: ${JSON.stringify(count)}`);
  }, 3_600_000);

  it("an agent on threads answers as one that is started anew", async () => {
    const few = fc.record({
      begin: beginnings,
      preflight: fc.constant("off" as const),
      first: fc.tuple(names, names),
      steps: fc.array(steps, { minLength: 3, maxLength: 4 }),
    });
    await fc.assert(fc.asyncProperty(few, playWithAgents), {
      numRuns: Math.max(3, numRuns / 50),
      seed,
      endOnFailure: true,
      includeErrorInReport: true,
    });
  }, 3_600_000);

  for (const [what, distort] of Object.entries(broken))
    it(`(control) one does not where ${what}`, async () => {
      await expect(holds(distort, { numRuns: 150, seed, endOnFailure: true })).rejects.toThrow(
        /^with seed .* answers /s,
      );
    }, 600_000);

  it("(control) more goes than may where what a module required once is remembered for ever", async () => {
    await expect(holds(remembering, { numRuns: 150, seed, endOnFailure: true })).rejects.toThrow(
      /^with seed .*generation \d+ evicted /s,
    );
  }, 600_000);
});
