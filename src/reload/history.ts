/** The bounded history of outcomes. */

import type { Outcome } from "../core/outcome.ts";

export class History {
  readonly #capacity: number;
  readonly #outcomes = new Map<number, Outcome>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(outcome: Outcome): void {
    this.#outcomes.set(outcome.id, outcome);
    if (this.#outcomes.size <= this.#capacity) return;
    const oldest = this.#outcomes.keys().next().value;
    if (oldest !== undefined) this.#outcomes.delete(oldest);
  }

  get(id: number): Outcome | undefined {
    return this.#outcomes.get(id);
  }

  /** Newest first. */
  list(): readonly Outcome[] {
    return [...this.#outcomes.values()].reverse();
  }
}
