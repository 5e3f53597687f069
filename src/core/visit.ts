/** One walk over the dependents of names: which have been reached, and what leads to each. */

import { byRequirer } from "./edge-list.ts";
import type { Edge, NumberedNames } from "./graph.ts";

/** What is walked: names, and numbers for those of them that have edges, where somebody keeps such numbers. */
export interface Walked {
  dependents(name: string): Iterable<Edge>;
  readonly numbered?: NumberedNames;
}

/** Edges that lead to a name, by the name of the requirer, and the requirers' numbers in the same order. */
export interface NumberedDependents {
  readonly edges: readonly Edge[];
  readonly requirers: readonly number[];
}

/** Names without a number of their own get one for the time of the walk, above all others. */
export class Visit {
  readonly #walked: Walked;
  readonly #own: NumberedNames | undefined;
  readonly #firstGiven: number;
  readonly #given = new Map<string, number>();
  /** 0: not reached. Else two more than its place, which is -1 at least. */
  readonly #marks: Int32Array;
  readonly #givenMarks: number[] = [];
  readonly #marked: number[] = [];

  constructor(walked: Walked) {
    this.#walked = walked;
    this.#own = walked.numbered;
    this.#firstGiven = this.#own?.size ?? 0;
    this.#marks = this.#own?.marks ?? noMarks;
  }

  numberOf(name: string): number {
    const known = this.#own?.numberOf(name) ?? this.#given.get(name);
    if (known !== undefined) return known;
    const number = this.#firstGiven + this.#given.size;
    this.#given.set(name, number);
    this.#givenMarks.push(0);
    return number;
  }

  /** What it was marked with. */
  placeOf(number: number): number | undefined {
    const mark =
      number < this.#firstGiven ? this.#marks[number]! : this.#givenMarks[number - this.#firstGiven]!;
    return mark === 0 ? undefined : mark - 2;
  }

  mark(number: number, place: number): void {
    if (number >= this.#firstGiven) {
      this.#givenMarks[number - this.#firstGiven] = place + 2;
      return;
    }
    this.#marks[number] = place + 2;
    this.#marked.push(number);
  }

  dependentsOf(number: number, name: string): NumberedDependents {
    if (this.#own && number < this.#firstGiven)
      return { edges: this.#own.intoNumber(number), requirers: this.#own.requirersOf(number) };
    const edges = [...this.#walked.dependents(name)].sort(byRequirer);
    return { edges, requirers: edges.map(({ from }) => this.numberOf(from)) };
  }

  /** Leaves no marks behind: the next walk starts with none. */
  end(): void {
    for (const number of this.#marked) this.#marks[number] = 0;
  }
}

const noMarks = new Int32Array(0);
