/** The edges of the graph, from both ends: what VMs told, over what the sources say. */

import { EdgeList } from "./edge-list.ts";
import type { Edge, NumberedNames } from "./graph.ts";

const none: readonly Edge[] = [];
const noNumbers: readonly number[] = [];

/** At most one edge from one name to another: an observed one hides the static one until it is disconnected. */
export class Edges implements NumberedNames {
  readonly #incoming = new Map<string, EdgeList>();
  readonly #outgoing = new Map<string, EdgeList>();
  /** One for each name at the other end. */
  readonly #static = new Map<string, readonly Edge[]>();
  /** What leads to each name, by its number. */
  readonly #intoNumber: (EdgeList | undefined)[] = [];
  /** Numbers of names that have lost their last edge: the next ones get them. */
  readonly #free: number[] = [];
  #marks = new Int32Array(0);

  /** By the name that requires `name`, in the order of these names. */
  into(name: string): readonly Edge[] {
    return this.#incoming.get(name)?.byRequirer() ?? none;
  }

  hasInto(name: string): boolean {
    return this.#incoming.has(name);
  }

  /** In the order in which they came. */
  outOf(name: string): Iterable<Edge> {
    return this.#outgoing.get(name)?.values() ?? none;
  }

  get size(): number {
    return this.#intoNumber.length;
  }

  get marks(): Int32Array {
    // Twice as long each time, so that a graph that grows while closures are asked for does not copy it for each.
    if (this.#marks.length < this.size) this.#marks = new Int32Array(this.size * 2);
    return this.#marks;
  }

  numberOf(name: string): number | undefined {
    return (this.#outgoing.get(name) ?? this.#incoming.get(name))?.number;
  }

  intoNumber(number: number): readonly Edge[] {
    return this.#intoNumber[number]?.byRequirer() ?? none;
  }

  requirersOf(number: number): readonly number[] {
    return this.#intoNumber[number]?.requirers((name) => this.#outgoing.get(name)!.number) ?? noNumbers;
  }

  *all(): Iterable<Edge> {
    for (const edges of this.#outgoing.values()) yield* edges.values();
  }

  /** An observed edge. Returns whether it is news. */
  connect(edge: Edge): boolean {
    const known = this.#shown(edge.from, edge.to);
    // An edge that exists at load time exists at once in a fresh VM: the stronger kind wins.
    if (known && known.static !== true && (known.kind === "load" || edge.kind === "call")) return false;
    this.#set(this.#spelled(edge));
    return true;
  }

  /** Replaces the static edges of `from`. Returns the names that nobody requires any more. */
  connectStatic(from: string, edges: readonly Edge[]): readonly string[] {
    const before = this.#static.get(from) ?? none;
    const now = new Map<string, Edge>();
    for (const edge of edges) if (edge.kind === "load" || !now.has(edge.to)) now.set(edge.to, edge);
    const orphans: string[] = [];
    for (const { to } of before)
      if (!now.has(to) && this.#shown(from, to)?.static === true && this.#delete(from, to)) orphans.push(to);
    const kept: Edge[] = [];
    for (const edge of now.values()) {
      const said = this.#spelled({ ...edge, from, static: true });
      kept.push(said);
      const shown = this.#shown(from, edge.to);
      if (shown === undefined || shown.static === true) this.#set(said);
    }
    if (kept.length > 0) this.#static.set(from, kept);
    else this.#static.delete(from);
    return orphans;
  }

  /** Forgets the observed edges of `from`; the static ones show again. Returns the names that nobody requires any more. */
  disconnect(from: string): readonly string[] {
    const underneath = new Map((this.#static.get(from) ?? none).map((edge) => [edge.to, edge]));
    const orphans: string[] = [];
    for (const { to } of [...this.outOf(from)]) {
      const remaining = underneath.get(to);
      if (remaining) this.#set(remaining);
      else if (this.#delete(from, to)) orphans.push(to);
    }
    return orphans;
  }

  /** Forgets every edge that leads to `to`, but static ones. */
  forgetInto(to: string): void {
    for (const edge of this.into(to)) if (edge.static !== true) this.#delete(edge.from, to);
  }

  #shown(from: string, to: string): Edge | undefined {
    return this.#outgoing.get(from)?.get(to);
  }

  #set(edge: Edge): void {
    this.#listOf(this.#incoming, edge.to, "from").set(edge);
    this.#listOf(this.#outgoing, edge.from, "to").set(edge);
  }

  /** Each edge that a VM tells of brings its own copies of both names: one of each is kept. */
  #spelled(edge: Edge): Edge {
    const from = this.#nameOf(edge.from);
    const to = this.#nameOf(edge.to);
    const { kind, at } = edge;
    return edge.static === true ? { from, to, kind, at, static: true } : { from, to, kind, at };
  }

  #nameOf(name: string): string {
    return this.#outgoing.get(name)?.name ?? this.#incoming.get(name)?.name ?? name;
  }

  #listOf(lists: Map<string, EdgeList>, name: string, otherEnd: "from" | "to"): EdgeList {
    const known = lists.get(name);
    if (known) return known;
    const number = this.numberOf(name) ?? this.#free.pop() ?? this.#intoNumber.push(undefined) - 1;
    const list = new EdgeList(name, number, otherEnd);
    lists.set(name, list);
    if (otherEnd === "from") this.#intoNumber[number] = list;
    return list;
  }

  /** Returns whether it was the last one that led to its end. */
  #delete(from: string, to: string): boolean {
    this.#remove(this.#outgoing, from, to);
    return this.#remove(this.#incoming, to, from);
  }

  #remove(lists: Map<string, EdgeList>, name: string, other: string): boolean {
    const edges = lists.get(name);
    if (!edges?.delete(other) || edges.size > 0) return false;
    lists.delete(name);
    if (lists === this.#incoming) this.#intoNumber[edges.number] = undefined;
    if (this.numberOf(name) === undefined) this.#free.push(edges.number);
    return true;
  }
}
