/** The edges of the graph, from both ends: what VMs told, over what the sources say. */

import type { Edge } from "./graph.ts";

type EdgesByName = Map<string, Map<string, Edge>>;

const none: ReadonlyMap<string, Edge> = new Map();

/** At most one edge from one name to another: an observed one hides the static one until it is disconnected. */
export class Edges {
  readonly #incoming: EdgesByName = new Map();
  readonly #outgoing: EdgesByName = new Map();
  readonly #static: EdgesByName = new Map();

  /** By the name that requires `name`. */
  into(name: string): ReadonlyMap<string, Edge> {
    return this.#incoming.get(name) ?? none;
  }

  /** By the name that `name` requires. */
  outOf(name: string): ReadonlyMap<string, Edge> {
    return this.#outgoing.get(name) ?? none;
  }

  *all(): Iterable<Edge> {
    for (const edges of this.#outgoing.values()) yield* edges.values();
  }

  /** An observed edge. Returns whether it is news. */
  connect(edge: Edge): boolean {
    const known = this.#incoming.get(edge.to)?.get(edge.from);
    // An edge that exists at load time exists at once in a fresh VM: the stronger kind wins.
    if (known && known.static !== true && (known.kind === "load" || edge.kind === "call")) return false;
    this.#set(edge);
    return true;
  }

  /** Replaces the static edges of `from`. Returns the names that nobody requires any more. */
  connectStatic(from: string, edges: readonly Edge[]): readonly string[] {
    const before = this.#static.get(from) ?? none;
    const now = new Map<string, Edge>();
    for (const edge of edges)
      if (edge.kind === "load" || !now.has(edge.to)) now.set(edge.to, { ...edge, from, static: true });
    if (now.size > 0) this.#static.set(from, now);
    else this.#static.delete(from);
    const orphans: string[] = [];
    for (const [to, edge] of before)
      if (!now.has(to) && this.outOf(from).get(to) === edge && this.#delete(edge)) orphans.push(to);
    for (const [to, edge] of now) {
      const shown = this.outOf(from).get(to);
      if (shown === undefined || shown.static === true) this.#set(edge);
    }
    return orphans;
  }

  /** Forgets the observed edges of `from`; the static ones show again. Returns the names that nobody requires any more. */
  disconnect(from: string): readonly string[] {
    const underneath = this.#static.get(from) ?? none;
    const orphans: string[] = [];
    for (const edge of this.#outgoing.get(from)?.values() ?? []) {
      const remaining = underneath.get(edge.to);
      if (remaining) this.#set(remaining);
      else if (this.#delete(edge)) orphans.push(edge.to);
    }
    return orphans;
  }

  /** Forgets every edge that leads to `to`, but static ones. */
  forgetInto(to: string): void {
    for (const edge of [...this.into(to).values()]) if (edge.static !== true) this.#delete(edge);
  }

  #set(edge: Edge): void {
    edgesOf(this.#incoming, edge.to).set(edge.from, edge);
    edgesOf(this.#outgoing, edge.from).set(edge.to, edge);
  }

  /** Returns whether it was the last one that led to its end. */
  #delete({ from, to }: Edge): boolean {
    remove(this.#outgoing, from, to);
    return remove(this.#incoming, to, from);
  }
}

function edgesOf(map: EdgesByName, name: string): Map<string, Edge> {
  const known = map.get(name);
  if (known) return known;
  const edges = new Map<string, Edge>();
  map.set(name, edges);
  return edges;
}

function remove(map: EdgesByName, name: string, other: string): boolean {
  const edges = map.get(name);
  if (!edges?.delete(other) || edges.size > 0) return false;
  map.delete(name);
  return true;
}
