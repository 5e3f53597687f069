import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { HostedVm } from "../../src/vm/hosted-vm.ts";
import type { ActivateMessage } from "../../src/vm/protocol.ts";
import {
  activate,
  type BootMode,
  type Heard,
  type StandInOptions,
  StandInPool,
  snapshot,
} from "./stand-in.ts";

/** What may happen to a pool, in any order. */
type Step =
  | { readonly do: "ask"; readonly path: string }
  | { readonly do: "commit" }
  | { readonly do: "kill" | "recycle"; readonly vm: number }
  /** Lets the threads work for a turn, or until one request is answered. */
  | { readonly do: "turn" | "wait" };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant("ask" as const), path: pathArbitrary() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("commit" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("kill" as const, "recycle" as const),
      vm: fc.integer({ min: 1, max: 2 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("turn" as const, "wait" as const) }) },
);

function pathArbitrary(): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant("/echo") },
    { weight: 2, arbitrary: fc.constantFrom("/busy?2", "/slow?3", "/pieces", "/redirect") },
    { weight: 1, arbitrary: fc.constantFrom("/throw", "/exit", "/half") },
  );
}

/** A pool that follows commits, and everything that was asked of it. */
class Model {
  readonly pool: StandInPool;
  readonly starts = new Int32Array(new SharedArrayBuffer(4 * 20_000));
  generation = 1;
  #serial = 0;

  constructor(Variant: typeof StandInPool, mode: BootMode) {
    const options: StandInOptions = {
      threads: 2,
      concurrency: 4,
      limits: { queue: 10_000 },
      boot: () => snapshot(this.generation, mode, this.starts.buffer as SharedArrayBuffer),
    };
    this.pool = new Variant(options);
  }

  /** Runs a script; a list of what went wrong. */
  async run(script: readonly Step[]): Promise<string[]> {
    const asked: {
      readonly heard: Heard;
      readonly floor: number;
      readonly serial: number;
      readonly path: string;
    }[] = [];
    const recycles: Promise<unknown>[] = [];
    for (const what of script) {
      switch (what.do) {
        case "ask": {
          this.#serial += 1;
          const heard = this.pool.ask(what.path, { connection: this.#serial, body: Buffer.from("body") });
          asked.push({ heard, floor: this.generation, serial: this.#serial, path: what.path });
          break;
        }
        case "commit":
          this.generation += 1;
          this.pool.broadcast(activate(this.generation));
          break;
        case "kill":
          this.pool.kill(what.vm, "test");
          break;
        case "recycle":
          recycles.push(this.pool.recycle(what.vm, 5_000).catch(() => undefined));
          break;
        case "wait":
          await asked.at(-1)?.heard.over;
          break;
        case "turn":
          await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await Promise.all(asked.map(({ heard }) => heard.over));
    await Promise.all(recycles);
    const wrong: string[] = [];
    for (const { heard, floor, serial, path } of asked) {
      const told = `${path} ${serial}: ${heard.said.join(", ")}`;
      const started = Atomics.load(this.starts, serial);
      if (heard.ends !== 1) wrong.push(`${told}: ended ${heard.ends} times`);
      if (started > 1) wrong.push(`${told}: started ${started} times`);
      if (heard.generation !== undefined && heard.generation < floor) {
        wrong.push(`${told}: ran on ${heard.generation}, asked after commit ${floor}`);
      }
      const lost = heard.said.includes("vm-died") || heard.said.includes("broken");
      if (!lost && started === 0) wrong.push(`${told}: answered and not started`);
    }
    return wrong;
  }
}

describe("the pool under commits, kills and recycles in any order", () => {
  let model: Model | undefined;

  afterEach(async () => {
    await model?.pool.close(0);
    model = undefined;
  });

  /** What the property finds wrong with this kind of pool, or thread: nothing, or the first counterexample. */
  async function findsWrong(Variant: typeof StandInPool, mode: BootMode = ""): Promise<string> {
    const tested = new Model(Variant, mode);
    model = tested;
    await tested.pool.start();
    const result = await fc.check(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (script) => {
        const wrong = await tested.run(script);
        if (wrong.length > 0) throw new Error(wrong.join("\n"));
      }),
      // Shrinking runs on a pool with a history: one counterexample is enough.
      { numRuns: 60, endOnFailure: true },
    );
    return result.failed ? String(result.errorInstance) : "";
  }

  it("answers each request once, starts none twice, and none on a generation older than its asking", async () => {
    expect(await findsWrong(StandInPool)).toBe("");
  });

  it("control: a commit that is posted a turn later is caught", async () => {
    class LatePool extends StandInPool {
      override broadcast(message: ActivateMessage): void {
        setImmediate(() => super.broadcast(message));
      }
    }
    expect(await findsWrong(LatePool)).toContain("asked after commit");
  });

  it("control: a commit that is posted later to one of the VMs is caught", async () => {
    class UnevenPool extends StandInPool {
      override host(...what: Parameters<StandInPool["host"]>): HostedVm {
        const hosted = super.host(...what);
        const post = hosted.post.bind(hosted);
        if (hosted.vm === 2) hosted.post = (message) => void setImmediate(() => post(message));
        return hosted;
      }
    }
    expect(await findsWrong(UnevenPool)).toContain("asked after commit");
  });

  it("control: retrying what had started is caught", async () => {
    // To the main side a thread that does not stamp what it starts looks as if it had started nothing.
    expect(await findsWrong(StandInPool, "unstamped")).toMatch(/started [23] times/);
  });
});
