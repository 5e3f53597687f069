/** nginx or OpenResty as a target: the library in its workers takes entries of a log, and says what each of them runs. */

import type { Delivery, TargetReport, TargetStatus } from "../core/delivery.ts";
import { ReluaError } from "../errors.ts";
import type { HostTarget } from "../reload/target.ts";
import type { TargetContext } from "./context.ts";
import { Courier, type Delivered, type Host } from "./courier.ts";
import { entryOf, type NginxAnswer, type NginxEntry, NginxHost } from "./nginx-protocol.ts";
import { NginxWorkers } from "./nginx-workers.ts";
import { mergeMembers, type Waiting } from "./waiting.ts";

export interface NginxSettings {
  readonly name?: string | undefined;
  /** The location that runs the library's `content()`. */
  readonly url: string;
  readonly token?: string | undefined;
  /** Milliseconds for one call. */
  readonly timeoutMs: number;
}

/** Between two looks: at rest, and while workers are still to apply something, growing up to the other. */
const restMs = 1_000;
const firstLookMs = 20;
const doubtMs = 250;

export class NginxTarget implements HostTarget, Host {
  readonly name: string;
  readonly #context: TargetContext;
  readonly #nginx: NginxHost;
  readonly #courier: Courier;
  readonly #workers: NginxWorkers;
  /** Entries of one beginning count on their own: where it starts over, there is another `agent` in nginx's log. */
  #beginnings = 0;
  /** The last entry of this beginning; 0 for none. */
  #posted = 0;
  /** The end of nginx's log, and of its reports, as seen last. */
  #sequence = 0;
  #reportSequence = 0;
  #lookMs = firstLookMs;

  constructor(name: string, settings: NginxSettings, context: TargetContext) {
    this.name = name;
    this.#context = context;
    this.#nginx = new NginxHost(settings);
    this.#workers = new NginxWorkers(context);
    this.#courier = new Courier({ name, host: this, context });
  }

  start(): void {
    this.#courier.start();
  }

  commit(delivery: Delivery): void {
    this.#courier.commit(delivery);
  }

  /** A worker of nginx is replaced by nginx: `recycle` of the entry says in which one that is due. */
  recycle(): Promise<void> {
    return Promise.resolve();
  }

  async applied(generation: number, withinMs: number): Promise<TargetReport> {
    const isApplied = await this.#courier.until(generation, withinMs);
    const { applied, missing } = this.#workers.report(generation);
    const { error } = this.#courier;
    if (isApplied) return { target: this.name, applied, missing: [] };
    return {
      target: this.name,
      applied,
      missing: missing.length > 0 ? missing : [this.name],
      ...(error !== undefined && { error }),
    };
  }

  status(): TargetStatus {
    const { appliedGeneration, state, error } = this.#courier;
    return {
      name: this.name,
      type: "nginx",
      state,
      generation: appliedGeneration,
      acknowledges: true,
      workers: this.#workers.status(),
      error,
    };
  }

  async close(): Promise<void> {
    await this.#courier.close();
    this.#nginx.close();
  }

  /** Asks what the workers run, and evicts with one entry what is not the active content, and what was not proved. */
  async begin(unproven: () => readonly Waiting[], signal: AbortSignal): Promise<number> {
    this.#beginnings++;
    this.#posted = 0;
    this.#workers.forgetProofs();
    await this.#look(0, signal);
    // From here to the call in one turn: what is committed later is delivered later.
    const generation = this.#context.generation();
    const waiting = unproven();
    const { stale, doubtful } = this.#workers.drift();
    // Nobody was asked before: there is no second look to wait for.
    const different = new Set([...stale, ...doubtful]);
    const evicted = mergeMembers([this.#context.closure(different), ...waiting.map((one) => one.evicted)]);
    const recycleRequired = [...new Set(waiting.flatMap((one) => one.recycleRequired))];
    const changes = waiting.flatMap((one) => one.changes);
    if (evicted.length + recycleRequired.length + changes.length > 0) {
      const entry = { since: generation - 1, generation, evicted, changes, kept: [], recycleRequired };
      this.#workers.repairing(different);
      // Nobody else writes under this name: there is nothing that could be missing.
      if ((await this.#append([entryOf(entry, this.#workers.pinned)], signal)) === "gap")
        throw new ReluaError("target-failed", "nginx has another log than a moment ago");
      this.#posted = generation;
    }
    const planned = new Set(waiting.flatMap((one) => one.evicted.map((member) => member.name)));
    const unplanned = [...different].filter((name) => !planned.has(name));
    if (unplanned.length > 0)
      this.#context.log(
        "notice",
        `target ${this.name}: workers ran another content of ${listed(unplanned)}: evicted ${evicted.length}`,
      );
    this.#workers.prove(generation, this.#sequence);
    this.#lookMs = firstLookMs;
    this.#judgeProgress();
    return generation;
  }

  async deliver(waiting: readonly Waiting[], signal: AbortSignal): Promise<Delivered> {
    const { pinned } = this.#workers;
    const entries = waiting.map((one) => {
      const names = new Set(one.evicted.map((member) => member.name));
      // Workers have loaded more since the plan was made: what depends on it by now goes as well, and first.
      const more = this.#context.closure(names).filter((member) => !names.has(member.name));
      return entryOf({ ...one, evicted: [...more, ...one.evicted] }, pinned);
    });
    const answer = await this.#append(entries, signal);
    if (answer === "gap") return "gap";
    const generation = entries.at(-1)?.generation ?? 0;
    this.#posted = generation;
    this.#workers.prove(generation, this.#sequence);
    this.#workers.changed(new Set(waiting.flatMap((one) => one.changes.map((change) => change.path))));
    this.#lookMs = firstLookMs;
    this.#judgeProgress();
    return "taken";
  }

  async attend(signal: AbortSignal): Promise<number | "gap"> {
    const before = this.#sequence;
    await this.#look(this.#reportSequence, signal);
    // The log has begun anew: nginx was restarted, or its shared dict was emptied.
    if (this.#sequence < before) return "gap";
    if (!this.#judgeProgress()) {
      this.#lookMs = Math.min(restMs, this.#lookMs * 1.5);
      return this.#lookMs;
    }
    const { stale, doubtful } = this.#workers.drift();
    if (stale.size > 0) return "gap";
    return doubtful.size > 0 ? doubtMs : restMs;
  }

  /** Takes reports as well: from here on nginx knows that we have them. */
  async #look(reportsSince: number, signal: AbortSignal): Promise<void> {
    const answer = await this.#nginx.look(reportsSince, signal);
    this.#take(answer);
    this.#reportSequence = answer.reportSequence;
  }

  async #append(entries: readonly NginxEntry[], signal: AbortSignal): Promise<NginxAnswer | "gap"> {
    const agent = `${this.#context.agent}-${this.#beginnings}`;
    const answer = await this.#nginx.append(agent, this.#posted, entries, signal);
    if (answer !== "gap") this.#take(answer);
    return answer;
  }

  #take(answer: NginxAnswer): void {
    this.#workers.take(answer);
    this.#sequence = answer.sequence;
  }

  /** Whether every worker runs what was delivered. */
  #judgeProgress(): boolean {
    const { generation } = this.#workers;
    if (generation === undefined) return false;
    this.#courier.applied(generation);
    return generation >= this.#posted;
  }
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
