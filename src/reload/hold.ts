/** A hold: no commit until it is released or its time is over. One at a time. */

import { performance } from "node:perf_hooks";
import type { HoldStatus } from "../core/hold.ts";

/** Who holds, why, and for how long at most. */
export interface HoldRequest {
  readonly owner: string;
  readonly reason: string;
  /** Milliseconds until it ends by itself. */
  readonly limitMs: number;
}

/** A hold that nobody releases must not keep a fleet on old code for ever. */
export const defaultHoldLimitMs = 10 * 60_000;

export class Hold {
  #current: { request: HoldRequest; since: number; endsAtMs: number; timer: NodeJS.Timeout } | undefined;
  readonly #expired: (request: HoldRequest, ended: HoldStatus) => void;

  /** @param expired called when a hold ends by its limit */
  constructor(expired: (request: HoldRequest, ended: HoldStatus) => void) {
    this.#expired = expired;
  }

  get status(): HoldStatus | undefined {
    if (!this.#current) return undefined;
    const { request, since, endsAtMs } = this.#current;
    const endsInMs = Math.max(0, Math.round(endsAtMs - performance.now()));
    return { owner: request.owner, reason: request.reason, since, endsInMs };
  }

  /** Begins a hold, or takes the one there is over with a new owner, reason and limit. */
  begin(request: HoldRequest): void {
    clearTimeout(this.#current?.timer);
    const timer = setTimeout(() => {
      const ended = this.end();
      if (ended) this.#expired(request, ended);
    }, request.limitMs);
    timer.unref();
    this.#current = {
      request,
      since: this.#current?.since ?? Date.now(),
      endsAtMs: performance.now() + request.limitMs,
      timer,
    };
  }

  /** Ends the hold, and tells which one that was; undefined when there was none. */
  end(): HoldStatus | undefined {
    const ended = this.status;
    clearTimeout(this.#current?.timer);
    this.#current = undefined;
    return ended;
  }
}
