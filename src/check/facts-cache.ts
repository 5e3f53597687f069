/** Facts by content hash, as many as fit: what a content says never changes. */

import type { SourceFacts } from "../core/source-facts.ts";

/** Counts what facts hold, not bytes: a few hundred megabytes at the most. */
const mostWeight = 1_000_000;

/** Forgets what has not been asked for longest. */
export class FactsCache {
  readonly #facts = new Map<string, SourceFacts>();
  readonly #most: number;
  #weight = 0;

  constructor(most: number = mostWeight) {
    this.#most = most;
  }

  get(hash: string): SourceFacts | undefined {
    const facts = this.#facts.get(hash);
    if (facts === undefined) return undefined;
    // A Map is in the order of insertion.
    this.#facts.delete(hash);
    this.#facts.set(hash, facts);
    return facts;
  }

  set(hash: string, facts: SourceFacts): void {
    this.#drop(hash);
    this.#facts.set(hash, facts);
    this.#weight += weightOf(facts);
    for (const oldest of this.#facts.keys()) {
      if (this.#weight <= this.#most || oldest === hash) break;
      this.#drop(oldest);
    }
  }

  get size(): number {
    return this.#facts.size;
  }

  #drop(hash: string): void {
    const facts = this.#facts.get(hash);
    if (facts === undefined) return;
    this.#facts.delete(hash);
    this.#weight -= weightOf(facts);
  }
}

function weightOf({ requires, dynamicRequires, fileLoads }: SourceFacts): number {
  return 1 + requires.length + dynamicRequires.length + fileLoads.length;
}
