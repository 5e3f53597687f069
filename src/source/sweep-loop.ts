/** Sweeps again and again, as often as the cost allows. */

import { performance } from "node:perf_hooks";
import type { SourceStatus } from "./contract.ts";
import type { DiskIndex } from "./disk-index.ts";
import { runSliced } from "./slices.ts";
import { type SweepListener, sweep } from "./sweep.ts";

/** What a loop works with. */
export interface SweepContext {
  readonly index: DiskIndex;
  /** The pause that the config asks for; 0 for no sweeps beside events. */
  readonly sweepMs: number;
  readonly listener: SweepListener;
  mode(): SourceStatus["mode"];
  /** A sweep has ended. */
  swept(): void;
  failed(error: unknown): void;
}

/** Where no events come from, changes are found by sweeping only. */
const pollMs = 250;
const degradedMs = 1000;
/** Sweeps beside events take 2 % of a core, those instead of events 10 %, unless the config asks for fewer. */
const eventsShare = 50;
const pollingShare = 10;
const longestPauseMs = 60_000;
/** Shorter than other slices: nobody waits for a sweep. */
const sliceMs = 2;

/** Milliseconds until the next sweep, when the last one took `costMs`; undefined: none. */
export function sweepPauseMs(
  mode: SourceStatus["mode"],
  sweepMs: number,
  costMs: number,
): number | undefined {
  if (mode === "events") {
    return sweepMs === 0 ? undefined : Math.max(sweepMs, Math.min(eventsShare * costMs, longestPauseMs));
  }
  const wantedMs = mode === "polling" ? pollMs : degradedMs;
  return Math.max(sweepMs === 0 ? wantedMs : Math.min(sweepMs, wantedMs), pollingShare * costMs);
}

/** Runs until closed. */
export class SweepLoop {
  readonly #context: SweepContext;
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #closed = false;
  #lastAt: number | undefined;
  #costMs = 0;

  constructor(context: SweepContext) {
    this.#context = context;
  }

  /** Milliseconds since the epoch at which the last sweep ended. */
  get lastAt(): number | undefined {
    return this.#lastAt;
  }

  get costMs(): number {
    return this.#costMs;
  }

  /** Plans the next sweep; to be called again when the mode changes. */
  plan(): void {
    clearTimeout(this.#timer);
    const pauseMs = sweepPauseMs(this.#context.mode(), this.#context.sweepMs, this.#costMs);
    if (this.#closed || this.#running || pauseMs === undefined) return;
    this.#timer = setTimeout(() => this.#run(), pauseMs);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #run(): void {
    const begunMs = performance.now();
    this.#running = true;
    runSliced(sweep(this.#context.index, this.#context.listener), sliceMs).then(
      () => {
        this.#running = false;
        this.#lastAt = Date.now();
        this.#costMs = performance.now() - begunMs;
        this.plan();
        this.#context.swept();
      },
      (error) => this.#context.failed(error),
    );
  }
}
