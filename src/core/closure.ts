/** The closure: the roots and all that depend on them, each with its shortest chain, dependents first. */

import type { Graph } from "./graph.ts";
import type { PinnedWhy } from "./pins.ts";

/** The part of the graph that a closure needs; a VM's own edges serve as well as the union over all VMs. */
export interface Dependents {
  dependents(name: string): Iterable<{ readonly from: string }>;
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

/** One member of a closure. */
export interface ClosureMember {
  readonly name: string;
  /** From a root to this name: `["c", "lib.b", "a"]`. */
  readonly because: readonly string[];
}

export interface Closure {
  /** Dependents before what they depend on (cycles: in the order of discovery). */
  readonly members: readonly ClosureMember[];
  /** Names at which the closure stopped, with their chains: they hold an evicted module. */
  readonly stopped: readonly ClosureMember[];
}

/**
 * Breadth first from the roots (so chains are the shortest), then ordered by depth-first search.
 * Cost grows with the closure, not with the graph. Deterministic: roots and neighbours are taken by name.
 */
export function closureOf(graph: Dependents, roots: Iterable<string>): Closure {
  const parents = new Map<string, string | undefined>();
  const stopped = new Map<string, string | undefined>();
  const followers = new Map<string, readonly string[]>();
  const queue: string[] = [];

  const reach = (name: string, parent: string | undefined) => {
    if (parents.has(name) || stopped.has(name)) return;
    if (graph.stops(name)) {
      stopped.set(name, parent);
      return;
    }
    parents.set(name, parent);
    queue.push(name);
  };

  for (const root of [...roots].sort()) reach(root, undefined);
  for (let at = 0; at < queue.length; at++) {
    const name = queue[at]!;
    const next = new Set<string>();
    for (const edge of graph.dependents(name)) next.add(edge.from);
    const sorted = [...next].sort();
    followers.set(name, sorted);
    for (const alias of [...graph.aliases(name)].sort()) reach(alias, name);
    for (const dependent of sorted) reach(dependent, name);
  }

  const chain = (name: string, parent: string | undefined): string[] => {
    const names = [name];
    for (let up = parent; up !== undefined; up = parents.get(up)) names.push(up);
    return names.reverse();
  };

  return {
    members: dependentsFirst(queue, followers).map((name) => ({
      name,
      because: chain(name, parents.get(name)),
    })),
    stopped: [...stopped].map(([name, parent]) => ({ name, because: chain(name, parent) })),
  };
}

/** Depth first without recursion: a name is emitted when everything that depends on it has been. */
function dependentsFirst(
  names: readonly string[],
  followers: ReadonlyMap<string, readonly string[]>,
): string[] {
  const order: string[] = [];
  const entered = new Set<string>();
  for (const start of names) {
    if (entered.has(start)) continue;
    entered.add(start);
    const stack: { name: string; next: number }[] = [{ name: start, next: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const follower = followers.get(top.name)?.[top.next++];
      if (follower === undefined) {
        order.push(top.name);
        stack.pop();
      } else if (!entered.has(follower) && followers.has(follower)) {
        entered.add(follower);
        stack.push({ name: follower, next: 0 });
      }
    }
  }
  return order;
}
