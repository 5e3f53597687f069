/** Long lists and chains in few words: the first of them, `… and 37 more`. */

import type { ClosureMember } from "../core/closure.ts";

/** The first of a list, and how many were left out. */
export interface Listing<T = string> {
  readonly shown: readonly T[];
  readonly more: number;
}

const listShown = 3;
/** A chain with more names than this is told by its first and its last ones. */
const chainShown = 6;
/** Names in all chains together, after which no further chain is begun. */
const namesShown = 8;

/** Leaves out what is beyond `limit`, but never a single one: its place is what saying so would take. */
export function shorten<T>(items: readonly T[], limit = listShown): Listing<T> {
  if (items.length <= limit + 1) return { shown: items, more: 0 };
  return { shown: items.slice(0, limit), more: items.length - limit };
}

/** `a, b, c … and 37 more` */
export function listNames({ shown, more }: Listing): string {
  return more === 0 ? shown.join(", ") : `${shown.join(", ")} … and ${more} more`;
}

/**
 * The chains that lead from roots to modules on which nothing else depends, `c → lib.b → a`; every member is on at
 * least one of them. `more` counts the members that no shown chain names.
 */
export function chainsOf(members: readonly ClosureMember[]): Listing {
  const names = new Set<string>();
  const shown: string[] = [];
  for (const { because } of endsOfChains(members)) {
    if (names.size >= namesShown) break;
    const chain = shortenChain(because);
    for (const shownName of chain) names.add(shownName);
    shown.push(chain.join(" → "));
  }
  return { shown, more: members.filter(({ name }) => !names.has(name)).length };
}

/** The members on which no other one's chain leads through: their chains together name every member. */
export function endsOfChains(members: readonly ClosureMember[]): readonly ClosureMember[] {
  const passed = new Set(members.map(({ because }) => because.at(-2)));
  return members.filter(({ name }) => !passed.has(name));
}

function shortenChain(chain: readonly string[]): readonly string[] {
  return chain.length <= chainShown ? chain : [...chain.slice(0, 3), "…", ...chain.slice(-2)];
}
