/** The generations that a host has not taken, or that its workers have not applied, in order; bounded, losing nothing. */

import type { Delivery } from "../core/delivery.ts";
import type { PinnedWhy } from "../core/pins.ts";
import { together, type Waiting, waitingOf } from "./waiting.ts";

/** Beyond these the two oldest become one: it has no more names than the files of the tree have. */
const mostEntries = 256;

export class DeliveryLog {
  readonly #entries: Waiting[] = [];
  readonly #pinnedWhy: PinnedWhy;
  /** The last generation that the host took. */
  #taken = 0;
  /** The last generation that was appended. */
  #last = 0;

  constructor(pinnedWhy: PinnedWhy) {
    this.#pinnedWhy = pinnedWhy;
  }

  append(delivery: Delivery): void {
    this.#entries.push(waitingOf(delivery, this.#pinnedWhy));
    this.#last = delivery.generation;
    if (this.#entries.length > mostEntries) this.#entries.splice(0, 2, together(this.#entries.slice(0, 2)));
  }

  /** What the host has not taken yet, in order. */
  get pending(): readonly Waiting[] {
    return this.#entries.filter((entry) => entry.generation > this.#taken);
  }

  /** What nobody has proved to be applied, in order: the pending ones among them. */
  get unproven(): readonly Waiting[] {
    return [...this.#entries];
  }

  /** The last generation that was committed, as far as this log knows. */
  get last(): number {
    return this.#last;
  }

  /** The host took everything up to this generation. */
  taken(generation: number): void {
    this.#taken = Math.max(this.#taken, generation);
  }

  /** Every worker has applied everything up to this generation. */
  proved(generation: number): void {
    this.taken(generation);
    while (this.#entries[0] && this.#entries[0].generation <= generation) this.#entries.shift();
  }

  /** The host has lost what it took: what is not proved is pending again. */
  rewind(): void {
    this.#taken = (this.#entries[0]?.generation ?? this.#taken + 1) - 1;
  }
}
