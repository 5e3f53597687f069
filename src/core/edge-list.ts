/** The edges at one end of a name: few for most, and an array then; many for some, and found by the other name. */

import type { Edge } from "./graph.ts";

/** Beyond this number an edge is no longer found by looking at each. */
const mostLookedThrough = 16;

/** At most one edge for each name at the other end. */
export class EdgeList {
  /** The name that all its edges have in common. */
  readonly name: string;
  /** The number of that name. */
  readonly number: number;
  readonly #otherEnd: "from" | "to";
  /** An array is replaced, not changed, so that who goes through it may change the graph. */
  #edges: readonly Edge[] | Map<string, Edge> = [];
  /** In the order of requirers; made when asked for, and good until the next change. */
  #byRequirer: readonly Edge[] | undefined;
  #requirers: readonly number[] | undefined;

  constructor(name: string, number: number, otherEnd: "from" | "to") {
    this.name = name;
    this.number = number;
    this.#otherEnd = otherEnd;
  }

  get size(): number {
    return this.#edges instanceof Map ? this.#edges.size : this.#edges.length;
  }

  get(other: string): Edge | undefined {
    const edges = this.#edges;
    return edges instanceof Map ? edges.get(other) : edges[this.#indexOf(edges, other)];
  }

  /** In the order in which they came, until they are asked for by requirer. */
  values(): Iterable<Edge> {
    return this.#edges.values();
  }

  byRequirer(): readonly Edge[] {
    if (this.#byRequirer) return this.#byRequirer;
    this.#byRequirer = [...this.#edges.values()].sort(byRequirer);
    // One array does for both: nobody who asks for this order asks for the other.
    if (!(this.#edges instanceof Map)) this.#edges = this.#byRequirer;
    return this.#byRequirer;
  }

  /** The numbers of the requirers, in the same order. */
  requirers(numberOf: (name: string) => number): readonly number[] {
    this.#requirers ??= this.byRequirer().map(({ from }) => numberOf(from));
    return this.#requirers;
  }

  /** Takes the place of the one with the same other end. */
  set(edge: Edge): void {
    this.#byRequirer = this.#requirers = undefined;
    const edges = this.#edges;
    const other = edge[this.#otherEnd];
    if (edges instanceof Map) {
      edges.set(other, edge);
      return;
    }
    const at = this.#indexOf(edges, other);
    if (at >= 0) this.#edges = edges.with(at, edge);
    // Copies are as long as they have to be; V8 leaves room for sixteen more in an array that grows.
    else if (edges.length < mostLookedThrough) this.#edges = [...edges, edge];
    else this.#edges = new Map([...edges, edge].map((each) => [each[this.#otherEnd], each]));
  }

  delete(other: string): boolean {
    this.#byRequirer = this.#requirers = undefined;
    const edges = this.#edges;
    if (edges instanceof Map) return edges.delete(other);
    const at = this.#indexOf(edges, other);
    if (at >= 0) this.#edges = edges.toSpliced(at, 1);
    return at >= 0;
  }

  #indexOf(edges: readonly Edge[], other: string): number {
    for (let i = 0; i < edges.length; i++) if (edges[i]![this.#otherEnd] === other) return i;
    return -1;
  }
}

/** In the order of code units. */
export function byRequirer(a: Edge, b: Edge): number {
  return a.from < b.from ? -1 : a.from > b.from ? 1 : 0;
}
