/** The plan: what a change set will do, with a reason for each module that goes and each that stays. */

import type { Change } from "./change-set.ts";
import { type ClosureMember, closureOf, dependentsIn } from "./closure.ts";
import type { Graph } from "./graph.ts";
import type { PinnedWhy } from "./pins.ts";
import { namesConcerned } from "./roots.ts";

/** `why` of a name that no VM was seen to hold. */
export const whyNotLoaded = "not loaded";

/** `why` of a name that was asked for and of which nothing differs. */
export const whyUnchanged = "unchanged";

/** `why` of a name that was asked for and to which nothing on the search path answers. */
export const whyNotFound = "not found";

/** A module that is not evicted although the change concerns it, or although somebody asked for it. */
export interface Kept {
  readonly name: string;
  readonly why: string;
}

export interface Plan {
  /** Names whose content or resolution changed, or that were asked for. */
  readonly roots: readonly string[];
  /** Loaded names that each changed path concerns, pinned ones among them. */
  readonly concerned: ReadonlyMap<string, readonly string[]>;
  /** Roots and dependents, dependents first. */
  readonly evict: readonly ClosureMember[];
  readonly kept: readonly Kept[];
  /** Pinned names whose own content changed: only a new VM can take the change. */
  readonly recycleRequired: readonly string[];
  /** Evicted names that some VM holds now, dependencies first: what the canary and a warm VM load. */
  readonly load: readonly string[];
}

export interface PlanInput {
  readonly changes: readonly Change[];
  /** Names to evict whether or not anything changed. */
  readonly requested: readonly string[];
  /** Names to evict where something changed: each is part of the plan, or kept with a reason. */
  readonly asked?: readonly string[];
  readonly graph: Graph;
  /** Why a name is never evicted (`built in`, `pinned`); undefined when it may be. */
  readonly pinnedWhy: PinnedWhy;
  /** All names that reach a path, for changes that no loaded module touches. */
  readonly namesOf: (path: string) => readonly { readonly name: string; readonly shadowedBy?: string }[];
  /** Whether a name can be found in the manifest to be. */
  readonly resolves: (name: string) => boolean;
}

export function planChange(input: PlanInput): Plan {
  const { graph, pinnedWhy } = input;
  const kept = new Map<string, string>();
  const roots = new Set<string>(input.requested);
  const concerned = new Map<string, readonly string[]>();

  for (const change of input.changes) {
    const touched = namesConcerned(graph, change);
    concerned.set(change.path, touched);
    for (const name of touched) roots.add(name);
    if (touched.length === 0)
      for (const { name, shadowedBy } of input.namesOf(change.path))
        kept.set(name, shadowedBy === undefined ? whyNotLoaded : `shadowed by ${shadowedBy}`);
  }

  const recycleRequired: string[] = [];
  for (const name of [...roots].sort()) {
    const why = pinnedWhy(name);
    if (why === undefined) continue;
    roots.delete(name);
    kept.set(name, why);
    if (!input.requested.includes(name)) recycleRequired.push(name);
  }

  const closure = closureOf(dependentsIn(graph, pinnedWhy), roots);
  for (const { name, because } of closure.stopped)
    kept.set(name, `${pinnedWhy(name)}; stale holder of ${because.at(-2) ?? name}`);

  // Handlers and init chunks are in the graph but not in package.loaded: each request runs a handler afresh.
  const evict = closure.members.filter((member) => isModule(graph, member.name, roots));
  for (const name of input.requested)
    if (!kept.has(name) && !isHeld(graph, name) && !graph.module(name)?.described)
      kept.set(name, whyNotLoaded);
  explainAsked(input, evict, kept);

  return {
    roots: [...roots].sort(),
    concerned,
    evict,
    kept: [...kept].map(([name, why]) => ({ name, why })),
    recycleRequired,
    load: evict
      .map((member) => member.name)
      .filter((name) => isHeld(graph, name) && input.resolves(name))
      .reverse(),
  };
}

function explainAsked(input: PlanInput, evict: readonly ClosureMember[], kept: Map<string, string>): void {
  const { asked = [], graph, pinnedWhy, resolves } = input;
  if (asked.length === 0) return;
  const evicted = new Set(evict.map(({ name }) => name));
  for (const name of asked) {
    if (evicted.has(name) || kept.has(name)) continue;
    const isKnown = isHeld(graph, name) || graph.module(name)?.described === true;
    kept.set(name, pinnedWhy(name) ?? (isKnown ? whyUnchanged : resolves(name) ? whyNotLoaded : whyNotFound));
  }
}

function isHeld(graph: Graph, name: string): boolean {
  return (graph.module(name)?.vms.size ?? 0) > 0;
}

/** A name that a VM may hold, as against a handler's chunk: `=content_by(/x)`. */
function isModule(graph: Graph, name: string, roots: ReadonlySet<string>): boolean {
  return !isChunk(name) && (roots.has(name) ? graph.module(name) !== undefined : true);
}

/** Names of requirers that are no modules start with `=`, as Lua's chunk names do. */
export function isChunk(name: string): boolean {
  return name.startsWith("=");
}
