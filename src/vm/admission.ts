/** Admission, without threads: which VM takes the next request, and the bounded line of those that wait. */

/** What the choice looks at. */
export interface Candidate {
  /** Takes new work: its VM is ready, and neither draining nor dying. */
  readonly accepting: boolean;
  /** Requests that are posted to it and not over. */
  readonly inFlight: number;
}

/**
 * Index of the accepting candidate with the least in flight, below `concurrency`; -1 when there is none.
 * Ties go to the first one behind `last`, the index chosen before, so that equals take turns.
 */
export function chooseVm(candidates: readonly Candidate[], concurrency: number, last: number): number {
  const count = candidates.length;
  let best = -1;
  let least = concurrency;
  for (let step = 1; step <= count; step += 1) {
    const index = (last + step) % count;
    const candidate = candidates[index]!;
    if (candidate.accepting && candidate.inFlight < least) {
      best = index;
      least = candidate.inFlight;
    }
  }
  return best;
}

/** The links of an entry that stands in a line; they belong to the line. */
export interface Linked<T> {
  ahead: T | undefined;
  behind: T | undefined;
}

/** First in, first out, bounded, with removal from the middle in constant time (clients that go away). */
export class WaitingLine<T extends Linked<T>> {
  /** Entries that `push` lets in. */
  readonly limit: number;
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first;
  }

  /** Puts an entry at the end; false, and nothing happens, when the line is full. */
  push(entry: T): boolean {
    if (this.#size >= this.limit) return false;
    entry.ahead = this.#last;
    entry.behind = undefined;
    if (this.#last === undefined) this.#first = entry;
    else this.#last.behind = entry;
    this.#last = entry;
    this.#size += 1;
    return true;
  }

  /** Puts an entry at the front, full or not: it was admitted before, and comes back. */
  putBack(entry: T): void {
    entry.ahead = undefined;
    entry.behind = this.#first;
    if (this.#first === undefined) this.#last = entry;
    else this.#first.ahead = entry;
    this.#first = entry;
    this.#size += 1;
  }

  /** Takes the first entry. */
  shift(): T | undefined {
    const entry = this.#first;
    if (entry !== undefined) this.remove(entry);
    return entry;
  }

  /** Takes out an entry; it must stand in this line. */
  remove(entry: T): void {
    if (entry.ahead === undefined) this.#first = entry.behind;
    else entry.ahead.behind = entry.behind;
    if (entry.behind === undefined) this.#last = entry.ahead;
    else entry.behind.ahead = entry.ahead;
    entry.ahead = undefined;
    entry.behind = undefined;
    this.#size -= 1;
  }
}
