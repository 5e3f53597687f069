/** The closure: the roots and all that depend on them, each with its shortest chain, dependents first. */

import type { Edge, EdgeKind, Graph } from "./graph.ts";
import type { PinnedWhy } from "./pins.ts";

/** The part of the graph that a closure needs; a VM's own edges serve as well as the union over all VMs. */
export interface Dependents {
  dependents(name: string): Iterable<Edge>;
  /** Other names of the same file: they are evicted together. */
  aliases(name: string): Iterable<string>;
  /** A module that is never evicted: the closure does not pass through it. */
  stops(name: string): boolean;
}

/** What a graph knows, stopping at pinned modules. */
export function dependentsIn(graph: Graph, pinnedWhy: PinnedWhy): Dependents {
  return {
    dependents: (name) => graph.dependents(name),
    aliases: (name) => graph.aliases(name),
    stops: (name) => pinnedWhy(name) !== undefined,
  };
}

/** The last step of a member's chain: what it requires, or is another name of. */
export interface Via {
  /** The name before it in its chain. */
  readonly name: string;
  readonly kind: EdgeKind | "alias";
  /** Where the require stands; undefined for an alias. */
  readonly at?: string;
  /** Read off the source text: no VM has told of it. */
  readonly static?: true;
}

/** One member of a closure. */
export interface ClosureMember {
  readonly name: string;
  /** Undefined for a root. */
  readonly via?: Via | undefined;
  /**
   * The shortest chain from a root to this name: `["c", "lib.b", "a"]`. Of one with more than `longestChain` names the
   * middle is left out: `["c", …, "…", …, "a"]`.
   */
  readonly because: readonly string[];
}

/** Names that a chain shows: nobody reads more, and n of them that are n long would be n². */
export const longestChain = 32;

export interface Closure {
  /** Dependents before what they depend on (cycles: in the order of discovery). */
  readonly members: readonly ClosureMember[];
  /** Names at which the closure stopped, with their chains: they hold an evicted module. */
  readonly stopped: readonly ClosureMember[];
}

/**
 * Breadth first from the roots (so chains are the shortest), then ordered by depth-first search.
 * Cost and memory grow with the closure and its edges, not with the graph nor with the length of chains.
 * Deterministic: roots and neighbours are taken by name.
 */
export function closureOf(graph: Dependents, roots: Iterable<string>): Closure {
  const reached = new Map<string, Reached>();
  const queue: Reached[] = [];
  const stopped: Reached[] = [];

  const reach = (name: string, parent?: Reached, edge?: Edge): Reached => {
    const known = reached.get(name);
    if (known) return known;
    const found = new Reached(name, parent, edge, graph.stops(name));
    reached.set(name, found);
    (found.stops ? stopped : queue).push(found);
    return found;
  };

  for (const root of [...roots].sort()) reach(root);
  for (const member of queue) {
    const next = [...graph.aliases(member.name)].sort().map((alias) => reach(alias, member));
    for (const edge of [...graph.dependents(member.name)].sort(byRequirer))
      next.push(reach(edge.from, member, edge));
    member.dependents = next.filter((dependent) => !dependent.stops);
  }
  return { members: dependentsFirst(queue), stopped };
}

function byRequirer(a: Edge, b: Edge): number {
  return a.from < b.from ? -1 : a.from > b.from ? 1 : 0;
}

/** Names of either end that a long chain shows. */
const chainEnd = longestChain / 2;

/** A chain is kept as its last link alone, and put together for who asks. */
class Reached implements ClosureMember {
  readonly name: string;
  declare readonly because: readonly string[];
  readonly #parent: Reached | undefined;
  /** By which it was reached; none for roots and aliases. */
  readonly #edge: Edge | undefined;
  /** Names in its chain. */
  readonly #length: number;
  /** The last name of the chain's beginning, from `chainEnd` names on. */
  readonly #beginning: Reached | undefined;
  readonly #stops: boolean;
  #dependents: readonly Reached[] = [];

  constructor(name: string, parent: Reached | undefined, edge: Edge | undefined, stops: boolean) {
    this.name = name;
    this.#stops = stops;
    this.#parent = parent;
    this.#edge = edge;
    this.#length = parent === undefined ? 1 : parent.#length + 1;
    this.#beginning = this.#length === chainEnd ? this : parent === undefined ? undefined : parent.#beginning;
    // Its own, so that it is data to whoever copies, compares or prints it.
    Object.defineProperty(this, "because", becauseOf);
  }

  get via(): Via | undefined {
    if (this.#parent === undefined) return undefined;
    const { name } = this.#parent;
    if (this.#edge === undefined) return { name, kind: "alias" };
    const { kind, at, static: isStatic } = this.#edge;
    return { name, kind, at, ...(isStatic && { static: isStatic }) };
  }

  /** The closure does not pass through it. */
  get stops(): boolean {
    return this.#stops;
  }

  /** Its other names and those that depend on it directly, by name; given while the order is being found. */
  get dependents(): readonly Reached[] {
    return this.#dependents;
  }

  set dependents(dependents: readonly Reached[]) {
    this.#dependents = dependents;
  }

  chain(): readonly string[] {
    if (this.#beginning === undefined || this.#length <= longestChain) return this.#lastNames(longestChain);
    return [...this.#beginning.#lastNames(chainEnd), "…", ...this.#lastNames(chainEnd - 1)];
  }

  /** The end of its chain. */
  #lastNames(most: number): string[] {
    const names: string[] = [];
    for (let at: Reached | undefined = this; at !== undefined && names.length < most; at = at.#parent)
      names.push(at.name);
    return names.reverse();
  }
}

const becauseOf = {
  enumerable: true,
  get(this: Reached) {
    return this.chain();
  },
};

/** Depth first without recursion: a name is emitted when everything that depends on it has been. */
function dependentsFirst(members: readonly Reached[]): readonly Reached[] {
  const order: Reached[] = [];
  const entered = new Set<Reached>();
  const stack: { readonly member: Reached; next: number }[] = [];
  const enter = (member: Reached) => {
    if (entered.has(member)) return;
    entered.add(member);
    stack.push({ member, next: 0 });
  };
  for (const start of members) {
    enter(start);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const dependent = top.member.dependents[top.next++];
      if (dependent) enter(dependent);
      else {
        order.push(top.member);
        stack.pop();
      }
    }
  }
  for (const member of members) member.dependents = [];
  return order;
}
