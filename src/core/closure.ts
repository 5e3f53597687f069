/** The closure: the roots and all that depend on them, each with its shortest chain, dependents first. */

import type { Edge, EdgeKind, Graph, NumberedNames } from "./graph.ts";
import type { PinnedWhy } from "./pins.ts";
import { Visit } from "./visit.ts";

/** The part of the graph that a closure needs; a VM's own edges serve as well as the union over all VMs. */
export interface Dependents {
  dependents(name: string): Iterable<Edge>;
  /** Numbers of the names that have dependents, or are some: saves to look each of them up. */
  readonly numbered?: NumberedNames;
  /** Other names of the same file: they are evicted together. */
  aliases(name: string): Iterable<string>;
  /** A module that is never evicted: the closure does not pass through it. */
  stops(name: string): boolean;
}

/** What a graph knows, stopping at pinned modules. */
export function dependentsIn(graph: Graph, pinnedWhy: PinnedWhy): Dependents {
  return {
    dependents: (name) => graph.dependents(name),
    numbered: graph.numbered,
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
  readonly at?: string | undefined;
  /** Read off the source text: no VM has told of it. */
  readonly static?: true | undefined;
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
  /** In the order of discovery; a member's place in it stands for it. */
  const members: Reached[] = [];
  const stopped: Reached[] = [];
  /** The numbers of the members. */
  const numbers: number[] = [];
  const dependents: DependentsByPlace = { ends: [], places: [] };
  const visit = new Visit(graph);

  const reach = (number: number, name: string, parent?: Reached, edge?: Edge): number => {
    const stops = graph.stops(name);
    const place = stops ? isStopped : members.length;
    visit.mark(number, place);
    (stops ? stopped : members).push(new Reached(name, parent, edge));
    if (!stops) numbers.push(number);
    return place;
  };

  try {
    for (const root of [...roots].sort()) {
      const number = visit.numberOf(root);
      if (visit.placeOf(number) === undefined) reach(number, root);
    }
    for (const [at, member] of members.entries()) {
      for (const alias of inOrder(graph.aliases(member.name))) {
        const number = visit.numberOf(alias);
        const place = visit.placeOf(number) ?? reach(number, alias, member);
        if (place !== isStopped) dependents.places.push(place);
      }
      const { edges, requirers } = visit.dependentsOf(numbers[at]!, member.name);
      for (let i = 0; i < requirers.length; i++) {
        const number = requirers[i]!;
        const place = visit.placeOf(number) ?? reach(number, edges[i]!.from, member, edges[i]);
        if (place !== isStopped) dependents.places.push(place);
      }
      dependents.ends.push(dependents.places.length);
    }
  } finally {
    visit.end();
  }
  return { members: dependentsFirst(dependents).map((place) => members[place]!), stopped };
}

/** Instead of a place: the closure does not pass through it. */
const isStopped = -1;

/** The other names of each member and those that depend on it directly, member after member. */
interface DependentsByPlace {
  /** Where those of each member end in `places`; they begin where those of the one before end. */
  readonly ends: number[];
  readonly places: number[];
}

/** Most have no other name at all. */
function inOrder(names: Iterable<string>): readonly string[] {
  return Array.isArray(names) && names.length < 2 ? names : [...names].sort();
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

  constructor(name: string, parent: Reached | undefined, edge: Edge | undefined) {
    this.name = name;
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

/** Depth first without recursion: a member is emitted when everything that depends on it has been. */
function dependentsFirst({ ends, places }: DependentsByPlace): readonly number[] {
  const order: number[] = [];
  const entered = new Uint8Array(ends.length);
  /** Where to go on with each. */
  const next = new Uint32Array(ends.length);
  const path: number[] = [];
  const enter = (member: number) => {
    if (entered[member] === 1) return;
    entered[member] = 1;
    next[member] = member === 0 ? 0 : ends[member - 1]!;
    path.push(member);
  };
  for (let start = 0; start < ends.length; start++) {
    enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const at = next[top]!;
      if (at < ends[top]!) {
        next[top] = at + 1;
        enter(places[at]!);
      } else {
        order.push(top);
        path.pop();
      }
    }
  }
  return order;
}
