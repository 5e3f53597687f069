/** The closure: the roots and all that depend on them, each with its shortest chain, dependents first. */

import { byRequirer } from "./edge-list.ts";
import type { Edge, EdgeKind, Graph } from "./graph.ts";
import type { PinnedWhy } from "./pins.ts";

/** The part of the graph that a closure needs; a VM's own edges serve as well as the union over all VMs. */
export interface Dependents {
  dependents(name: string): Iterable<Edge>;
  /** `dependents` come by the name of the requirer: nobody has to put them in order. */
  readonly inOrder?: true;
  /** Other names of the same file: they are evicted together. */
  aliases(name: string): Iterable<string>;
  /** A module that is never evicted: the closure does not pass through it. */
  stops(name: string): boolean;
}

/** What a graph knows, stopping at pinned modules. */
export function dependentsIn(graph: Graph, pinnedWhy: PinnedWhy): Dependents {
  return {
    dependents: (name) => graph.dependents(name),
    inOrder: true,
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
  /** Members by number, in the order of discovery: a graph of numbers leaves the collector nothing to follow. */
  const numbers = new Map<string, number>();
  const members: Reached[] = [];
  const stopped: Reached[] = [];
  const dependents: DependentsByNumber = { ends: [], numbers: [] };

  const reach = (name: string, parent?: Reached, edge?: Edge): number => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    const stops = graph.stops(name);
    const number = stops ? isStopped : members.length;
    numbers.set(name, number);
    (stops ? stopped : members).push(new Reached(name, parent, edge));
    return number;
  };
  const reachDependent = (name: string, parent: Reached, edge?: Edge): void => {
    const number = reach(name, parent, edge);
    if (number !== isStopped) dependents.numbers.push(number);
  };

  for (const root of [...roots].sort()) reach(root);
  for (const member of members) {
    for (const alias of inOrder(graph.aliases(member.name))) reachDependent(alias, member);
    const edges = graph.dependents(member.name);
    for (const edge of graph.inOrder ? edges : [...edges].sort(byRequirer))
      reachDependent(edge.from, member, edge);
    dependents.ends.push(dependents.numbers.length);
  }
  return { members: dependentsFirst(dependents).map((number) => members[number]!), stopped };
}

/** Instead of a number: the closure does not pass through it. */
const isStopped = -1;

/** The other names of each member and those that depend on it directly, member after member. */
interface DependentsByNumber {
  /** Where those of each member end in `numbers`; they begin where those of the one before end. */
  readonly ends: number[];
  readonly numbers: number[];
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

/** Depth first without recursion: a number is emitted when everything that depends on it has been. */
function dependentsFirst({ ends, numbers }: DependentsByNumber): readonly number[] {
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
        enter(numbers[at]!);
      } else {
        order.push(top);
        path.pop();
      }
    }
  }
  return order;
}
