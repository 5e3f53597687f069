/**
 * Whatever happens to nginx, to the way there and to the agent: in the end every worker holds exactly the active
 * contents, and what was said to be applied was.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HostTarget } from "../../src/reload/target.ts";
import { createTargets, type TargetContext } from "../../src/targets/targets.ts";
import { AgentSide } from "./agent-side.ts";
import { type Fault, HttpStandIn } from "./http-stand-in.ts";
import { NginxStandIn } from "./nginx-stand-in.ts";

const modules = 6;
const workerCount = 3;
const folder = "/srv";

type Step =
  | {
      readonly do: "edit";
      readonly module: number;
      readonly requires: readonly number[];
      readonly agent: boolean;
    }
  | { readonly do: "request" | "force"; readonly worker: number; readonly module: number }
  | { readonly do: "respawn"; readonly worker: number }
  | { readonly do: "outage"; readonly fault: Fault }
  | { readonly do: "restart" | "lose log" | "new agent" | "repair" | "wait" };

const module = fc.nat(modules - 1);
const worker = fc.nat(workerCount - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("edit" as const),
      module,
      requires: fc.array(module, { maxLength: 2 }),
      agent: fc.constant(true),
    }),
  },
  // Nobody watches: the agent that comes next finds it.
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("edit" as const),
      module,
      requires: fc.array(module, { maxLength: 2 }),
      agent: fc.constant(false),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom("request" as const, "request" as const, "request" as const, "force" as const),
      worker,
      module,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("respawn" as const), worker }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("outage" as const),
      fault: fc.constantFrom<Fault>(
        "reset",
        "half",
        "garbage",
        { status: 500, body: "" },
        { status: 200, body: "[]" },
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "restart" as const,
        "lose log" as const,
        "new agent" as const,
        "repair" as const,
        "wait" as const,
        "wait" as const,
      ),
    }),
  },
);

/** The way of the agent's target, or another one that a control puts in its place. */
type Variant = (context: TargetContext) => TargetContext;

class World {
  readonly files = new Map<string, string>();
  readonly nginx: NginxStandIn;
  readonly #http: HttpStandIn;
  readonly #variant: Variant;
  #agents = 0;
  #side!: AgentSide;
  target!: HostTarget;
  #versions = 0;
  /** Instances that were asked to go, by name. */
  readonly #forced = new Map<string, Set<object>>();

  constructor(http: HttpStandIn, nginx: NginxStandIn, files: Map<string, string>, variant: Variant) {
    this.#http = http;
    this.nginx = nginx;
    this.files = files;
    this.#variant = variant;
    this.#newAgent();
  }

  /** What a worker holds that it should not. */
  get #wrong(): readonly string[] {
    const kept = [...this.#forced].filter(([name, gone]) =>
      this.nginx.instances(name).some((instance) => gone.has(instance)),
    );
    return [...this.nginx.wrong, ...kept.map(([name]) => `${name} was to be evicted and is the same`)];
  }

  #newAgent(): void {
    // What was asked of the agent before is forgotten with it.
    this.#forced.clear();
    const texts = Object.fromEntries([...this.files].map(([name, text]) => [`${folder}/${name}.lua`, text]));
    this.#side = new AgentSide(texts, { agent: `agent-${++this.#agents}`, prefix: folder });
    const settings = { type: "nginx" as const, name: "nginx", url: this.#http.url, timeoutMs: 5_000 };
    this.target = createTargets([settings], this.#variant(this.#side.context))[0] as HostTarget;
    this.target.start();
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "edit": {
        const { module, requires, agent } = step;
        const names = requires.filter((other) => other > module).map((other) => `m${other}`);
        const text = [`v${++this.#versions}`, ...names].join(" ");
        if (!agent) await this.target.close();
        this.files.set(`m${module}`, text);
        if (agent) this.#side.commit({ [`${folder}/m${module}.lua`]: text }, [this.target]);
        else this.#newAgent();
        return;
      }
      case "request":
        return this.nginx.request(step.worker, `m${step.module}`);
      case "force":
        this.#forced.set(
          `m${step.module}`,
          new Set([
            ...(this.#forced.get(`m${step.module}`) ?? []),
            ...this.nginx.instances(`m${step.module}`),
          ]),
        );
        this.#side.commit({}, [this.target], [`m${step.module}`]);
        return;
      case "respawn":
        return this.nginx.respawn(step.worker);
      case "outage":
        this.#http.fault = step.fault;
        return;
      case "repair":
        this.#http.fault = undefined;
        return;
      case "restart":
        await this.#http.close();
        this.nginx.restart();
        return this.#http.open();
      case "lose log":
        return this.nginx.loseLog();
      case "new agent":
        await this.target.close();
        return this.#newAgent();
      case "wait": {
        const { missing } = await this.target.applied(this.#side.generation, 150);
        if (missing.length === 0) expect(this.#wrong, "said to be applied").toEqual([]);
        return;
      }
    }
  }

  /** All is well from here on. Resolves with what is wrong in the end. */
  async settle(): Promise<readonly string[]> {
    this.#http.fault = undefined;
    const { generation } = this.#side;
    // Each wait for what does not come is one look now, instead of at the next second.
    for (let looks = 0; looks < 200; looks++) {
      const { missing } = await this.target.applied(generation, 20);
      await this.target.applied(generation + 1, 20);
      const isCurrent = this.target.status().state === "current" && missing.length === 0;
      if (isCurrent && this.#wrong.length === 0) return [];
    }
    return [...this.#wrong, this.target.status().error ?? this.target.status().state];
  }
}

async function run(
  steps: readonly Step[],
  variant: Variant = (context) => context,
): Promise<readonly string[]> {
  const files = new Map(
    Array.from({ length: modules }, (_, n) => [`m${n}`, n + 1 < modules ? `v0 m${n + 1}` : "v0"]),
  );
  const nginx = new NginxStandIn(folder, files, workerCount);
  const http = await HttpStandIn.start(nginx.answer);
  const world = new World(http, nginx, files, variant);
  try {
    for (const one of steps) await world.take(one);
    return await world.settle();
  } finally {
    await world.target.close();
    await http.close();
  }
}

describe("nginx, whatever happens", () => {
  it("holds exactly the active contents in every worker in the end", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        expect(await run(steps)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  }, 120_000);

  // Loaded, changed while nobody watched, and nobody remembers.
  const unwatched: readonly Step[] = [
    { do: "request", worker: 0, module: 0 },
    { do: "request", worker: 2, module: 3 },
    { do: "edit", module: 4, requires: [], agent: false },
  ];
  it("is brought up to date where nobody remembers what it has", async () => {
    expect(await run(unwatched)).toEqual([]);
  });

  it.each<readonly [string, Variant]>([
    ["evicts nothing of what differs", (context) => ({ ...context, closure: () => [] })],
    ["compares no contents", (context) => ({ ...context, active: () => undefined, onDisk: () => undefined })],
  ])(
    "control: a target that %s is noticed",
    async (_title, variant) => {
      expect(await run(unwatched, variant)).not.toEqual([]);
    },
    30_000,
  );

  it("control: the property notices a target that evicts nothing of what differs", async () => {
    const broken = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      expect(await run(steps, (context) => ({ ...context, closure: () => [] }))).toEqual([]);
    });
    expect((await fc.check(broken, { numRuns: 60, endOnFailure: true })).failed).toBe(true);
  }, 120_000);
});
