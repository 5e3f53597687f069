/** Pauses between tries: growing, with chance in them, and never longer than a bound. */

/** Milliseconds of the first pause, before chance. */
const firstMs = 100;
/** Longest pause: a host that is back is found within this time. */
const longestMs = 5_000;

export class Pauses {
  #nextMs = firstMs;

  /** Milliseconds to wait now: between half of the bound for this try and all of it, so that agents fall out of step. */
  next(): number {
    const bound = this.#nextMs;
    this.#nextMs = Math.min(longestMs, bound * 2);
    return bound * (0.5 + Math.random() / 2);
  }

  /** It went well: the next pause is a short one. */
  reset(): void {
    this.#nextMs = firstMs;
  }
}
