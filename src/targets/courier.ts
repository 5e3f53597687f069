/**
 * Brings generations to one host, in order and one call at a time: keeps what waits, tries again with growing pauses,
 * and starts over where the host has lost what it had.
 */

import type { Delivery, TargetState } from "../core/delivery.ts";
import type { TargetContext } from "./context.ts";
import { DeliveryLog } from "./delivery-log.ts";
import { Outage } from "./outage.ts";
import { Pauses } from "./pauses.ts";
import { Waiters } from "./waiters.ts";
import type { Waiting } from "./waiting.ts";

/** `gap`: the host does not have what it was told before. `given-up`: not before something new is to be told. */
export type Delivered = "taken" | "gap" | "given-up";

/** What differs from host to host. Everything may throw: it is tried again. */
export interface Host {
  /**
   * Finds out where a host stands of which nothing is known; `unproven` tells what was not proved to be applied there, up
   * to the active generation. Resolves with the generation that it has been brought to: what is newer follows by `deliver`.
   */
  begin(unproven: () => readonly Waiting[], signal: AbortSignal): Promise<number>;
  /** Hands over what waits, at least one, in order. Repeating it does no harm. */
  deliver(waiting: readonly Waiting[], signal: AbortSignal): Promise<Delivered>;
  /** Looks after the host while nothing waits; milliseconds until the next look, Infinity for none. */
  attend(signal: AbortSignal): Promise<number | "gap">;
}

export interface CourierParts {
  readonly name: string;
  readonly host: Host;
  readonly context: Pick<TargetContext, "log" | "pinnedWhy">;
}

export class Courier {
  readonly #parts: CourierParts;
  readonly #log: DeliveryLog;
  readonly #outage: Outage;
  readonly #pauses = new Pauses();
  readonly #waiters = new Waiters();
  readonly #ending = new AbortController();
  /** Ends the pause that lasts, if any. */
  #endPause: (() => void) | undefined;
  #woken = false;
  #running: Promise<void> | undefined;
  /** It is known where the host stands. */
  #begun = false;
  #applied = 0;
  #givenUp = false;

  constructor(parts: CourierParts) {
    this.#parts = parts;
    const { name, context } = parts;
    this.#log = new DeliveryLog((module) => context.pinnedWhy(module));
    this.#outage = new Outage(name, (level, message) => context.log(level, message));
  }

  start(): void {
    this.#running ??= this.#run();
  }

  commit(delivery: Delivery): void {
    if (this.#ending.signal.aborted) return;
    this.#log.append(delivery);
    this.#givenUp = false;
    this.wake();
  }

  /** Everything up to this generation is applied, as far as the host can say. */
  applied(generation: number): void {
    this.#log.proved(generation);
    this.#applied = Math.max(this.#applied, generation);
    this.#waiters.reached(this.#applied);
  }

  /** Resolves when the generation is applied, or after `withinMs`; with whether it is. */
  async until(generation: number, withinMs: number): Promise<boolean> {
    if (this.#applied < generation && !this.#ending.signal.aborted) {
      const waiting = this.#waiters.until(generation, withinMs);
      this.wake();
      await waiting;
    }
    return this.#applied >= generation;
  }

  /** Somebody waits for an answer. */
  get awaited(): boolean {
    return this.#waiters.any;
  }

  get appliedGeneration(): number | undefined {
    return this.#applied === 0 ? undefined : this.#applied;
  }

  get state(): TargetState {
    if (this.#outage.message !== undefined) return "down";
    if (!this.#begun && this.#applied === 0) return "new";
    return this.#begun && this.#applied >= this.#log.last ? "current" : "behind";
  }

  /** What failed last, while `down`. */
  get error(): string | undefined {
    return this.#outage.message;
  }

  /** The next look is due now. */
  wake(): void {
    this.#woken = true;
    this.#endPause?.();
  }

  async close(): Promise<void> {
    this.#ending.abort();
    this.#waiters.close();
    this.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      // From here on a wake is for the pause to come: nothing that happens during a step is slept over.
      this.#woken = false;
      const restMs = await this.#step(signal).catch((error: unknown) => this.#tryLater(error));
      if (restMs > 0 && !signal.aborted) await this.#pause(restMs);
    }
  }

  /** Milliseconds to wait before the next one. */
  async #step(signal: AbortSignal): Promise<number> {
    const { host } = this.#parts;
    if (!this.#begun) {
      this.#log.taken(await host.begin(() => this.#log.unproven, signal));
      this.#begun = true;
      return this.#went();
    }
    const { pending } = this.#log;
    const last = pending.at(-1);
    if (last === undefined || this.#givenUp) {
      const next = await host.attend(signal);
      if (next === "gap") return this.#startOver();
      if (!this.#givenUp) this.#went();
      return next;
    }
    const delivered = await host.deliver(pending, signal);
    if (delivered === "gap") return this.#startOver();
    if (delivered === "given-up") {
      this.#givenUp = true;
      return 0;
    }
    this.#log.taken(last.generation);
    return this.#went();
  }

  #went(): number {
    this.#pauses.reset();
    this.#outage.over();
    return 0;
  }

  #startOver(): number {
    this.#begun = false;
    this.#log.rewind();
    // A host that loses everything again and again is not to be asked without a pause.
    return this.#pauses.next();
  }

  #tryLater(error: unknown): number {
    if (this.#ending.signal.aborted) return 0;
    this.failed(error instanceof Error ? error.message : String(error));
    return this.#pauses.next();
  }

  /** It did not work; told once in an outage. */
  failed(message: string): void {
    this.#outage.failed(message);
  }

  #pause(ms: number): Promise<void> {
    if (this.#woken) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#endPause = undefined;
        resolve();
      };
      // setTimeout takes 2^31 - 1 at most, and Infinity as 1.
      const timer = setTimeout(end, Math.min(ms, 0x7fffffff));
      this.#endPause = end;
    });
  }
}
