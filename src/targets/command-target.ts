/** A program as a target: it gets the plan as JSON on its standard input and says by its exit code whether it is done. */

import type { Delivery, TargetReport, TargetStatus } from "../core/delivery.ts";
import { ReluaError } from "../errors.ts";
import type { HostTarget } from "../reload/target.ts";
import { type ProgramEnd, runProgram } from "./child.ts";
import type { TargetContext } from "./context.ts";
import { Courier, type Delivered, type Host } from "./courier.ts";
import { planDocument } from "./plan-document.ts";
import type { Waiting } from "./waiting.ts";

export interface CommandSettings {
  readonly name?: string | undefined;
  /** The program and its arguments. */
  readonly run: readonly string[];
  /** Milliseconds for one run. */
  readonly timeoutMs: number;
}

/** Runs for one plan; after the last one it waits for the next generation, which it gets together with this one. */
const mostTries = 4;
/** Lines of standard error that `status` shows. */
const shownLines = 5;

export class CommandTarget implements HostTarget, Host {
  readonly name: string;
  readonly #settings: CommandSettings;
  readonly #context: TargetContext;
  readonly #courier: Courier;
  #tries = { generation: 0, count: 0 };

  constructor(name: string, settings: CommandSettings, context: TargetContext) {
    this.name = name;
    this.#settings = settings;
    this.#context = context;
    this.#courier = new Courier({ name, host: this, context });
  }

  start(): void {
    this.#courier.start();
  }

  commit(delivery: Delivery): void {
    this.#courier.commit(delivery);
  }

  /** The plan names what needs it: the program may do it. */
  recycle(): Promise<void> {
    return Promise.resolve();
  }

  async applied(generation: number, withinMs: number): Promise<TargetReport> {
    const { name } = this;
    const isApplied = await this.#courier.until(generation, withinMs);
    if (isApplied) return { target: name, applied: [], missing: [] };
    const { error } = this.#courier;
    return { target: name, applied: [], missing: [name], ...(error !== undefined && { error }) };
  }

  status(): TargetStatus {
    const { appliedGeneration, state, error } = this.#courier;
    return {
      name: this.name,
      type: "command",
      state,
      generation: appliedGeneration,
      // Exit code 0 is the program's word for it.
      acknowledges: true,
      workers: [],
      error,
    };
  }

  close(): Promise<void> {
    return this.#courier.close();
  }

  /** What the host runs before the first plan is its own affair: there is nobody to ask. */
  begin(unproven: () => readonly Waiting[]): Promise<number> {
    const generation = unproven()[0]?.since ?? this.#context.generation();
    this.#courier.applied(generation);
    return Promise.resolve(generation);
  }

  async deliver(waiting: readonly Waiting[], signal: AbortSignal): Promise<Delivered> {
    const { agent, prefix } = this.#context;
    const { run, timeoutMs } = this.#settings;
    const plan = planDocument(waiting, { target: this.name, agent, prefix });
    if (this.#tries.generation !== plan.generation) this.#tries = { generation: plan.generation, count: 0 };
    const attempt = ++this.#tries.count;
    const end = await runProgram({
      run,
      cwd: prefix,
      env: {
        RELUA_GENERATION: String(plan.generation),
        RELUA_SINCE: String(plan.since),
        RELUA_TARGET: this.name,
        RELUA_AGENT: agent,
        RELUA_PREFIX: prefix,
        RELUA_ATTEMPT: String(attempt),
      },
      input: `${JSON.stringify(plan)}\n`,
      timeoutMs,
      signal,
    });
    if (end.code === 0) {
      this.#courier.applied(plan.generation);
      return "taken";
    }
    const failure = `generation ${plan.generation}: ${describe(end)}`;
    if (attempt < mostTries) throw new ReluaError("target-failed", failure);
    const givenUp = `${failure}; given up after ${attempt} tries, until the next generation`;
    if (!signal.aborted) this.#context.log("error", `target ${this.name}: ${givenUp}`);
    this.#courier.failed(givenUp);
    return "given-up";
  }

  attend(): Promise<number> {
    return Promise.resolve(Number.POSITIVE_INFINITY);
  }
}

function describe({ code, why, stderr }: ProgramEnd): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const said = lines.slice(-shownLines).map((line) => line.trim().slice(0, 200));
  const how = why ?? `exit code ${code}`;
  return said.length === 0 ? how : `${how}: ${said.join(" | ")}`;
}
