/** Deliveries that wait for a host, without the bytes that VMs of ours get; several can be taken as one. */

import type { Change } from "../core/change-set.ts";
import type { ClosureMember } from "../core/closure.ts";
import type { Delivery } from "../core/delivery.ts";
import type { PinnedWhy } from "../core/pins.ts";
import { type Kept, whyNotLoaded } from "../core/plan.ts";

/** What a host is told of one generation, or of several that follow each other. */
export interface Waiting {
  /** The generation before the first one of these. */
  readonly since: number;
  readonly generation: number;
  /** Dependents first, with chains. */
  readonly evicted: readonly ClosureMember[];
  readonly changes: readonly Change[];
  readonly kept: readonly Kept[];
  readonly recycleRequired: readonly string[];
}

/** What a worker of another host has loaded is known late, or never: names that nobody was seen to hold go as well. */
export function waitingOf(delivery: Delivery, pinnedWhy: PinnedWhy): Waiting {
  const { generation, changes, recycleRequired } = delivery;
  const isUnseen = ({ name, why }: Kept) => why === whyNotLoaded && pinnedWhy(name) === undefined;
  const planned = new Set(delivery.evicted.map((member) => member.name));
  const unseen = delivery.kept.filter((one) => isUnseen(one) && !planned.has(one.name));
  const evicted = [...delivery.evicted, ...unseen.map(({ name }) => ({ name, because: [name] }))];
  const kept = delivery.kept.filter((one) => !isUnseen(one));
  return { since: generation - 1, generation, evicted, changes, kept, recycleRequired };
}

/**
 * One that does what these do one after another: for a host that was away, or takes names alone. Nothing is lost in it.
 * @param waiting in the order of generations, at least one
 */
export function together(waiting: readonly Waiting[]): Waiting {
  const first = waiting[0] as Waiting;
  const last = waiting.at(-1) as Waiting;
  if (first === last) return first;
  const evicted = mergeMembers(waiting.map((one) => one.evicted));
  const names = new Set(evicted.map((member) => member.name));
  return {
    since: first.since,
    generation: last.generation,
    evicted,
    changes: squash(waiting.flatMap((one) => one.changes)),
    kept: last.kept.filter(({ name }) => !names.has(name)),
    recycleRequired: [...new Set(waiting.flatMap((one) => one.recycleRequired))],
  };
}

/** Each name once, with the newest chain; the newest order counts, since it knows the most of who requires whom. */
export function mergeMembers(lists: readonly (readonly ClosureMember[])[]): readonly ClosureMember[] {
  const merged = new Map<string, ClosureMember>();
  for (const members of [...lists].reverse())
    for (const member of members) if (!merged.has(member.name)) merged.set(member.name, member);
  return [...merged.values()];
}

/** One change for each path, from what it was at first to what it is at last; none where that is the same. */
function squash(changes: readonly Change[]): readonly Change[] {
  const ends = new Map<string, { readonly first: Change; readonly last: Change }>();
  for (const change of changes)
    ends.set(change.path, { first: ends.get(change.path)?.first ?? change, last: change });
  return [...ends.values()].flatMap(({ first, last }) => {
    if (first === last) return [last];
    const { path } = last;
    const { was } = first;
    const { hash } = last;
    if (was === undefined) return hash === undefined ? [] : [{ path, kind: "added" as const, hash }];
    if (hash === undefined) return [{ path, kind: "removed" as const, was }];
    return was === hash ? [] : [{ path, kind: "changed" as const, was, hash }];
  });
}
