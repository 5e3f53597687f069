/** Verdicts: what one reload did to one module or to one file, and why. */

import type { ClosureMember, Via } from "./closure.ts";
import type { Outcome, PlannedChange } from "./outcome.ts";
import { keptReason, type Reason, rejectedReason } from "./reason.ts";

/** One step of a chain from a root on. */
export interface ChainStep extends Partial<Omit<Via, "name">> {
  /** `…` where names of a long chain are left out. */
  readonly name: string;
}

/** What one reload did to one module. */
export interface ModuleVerdict {
  readonly outcome: Outcome;
  readonly evicted: boolean;
  /** What the chain begins with: changes of files; none when the root was asked for by name. */
  readonly causes: readonly PlannedChange[];
  /** From the root to the module: evicted by it, or, of a rejection, what would have been. */
  readonly chain: readonly ChainStep[];
  /** Why it was not evicted. */
  readonly reason: Reason | undefined;
}

/** What one reload did with a change of one file. */
export interface FileVerdict {
  readonly outcome: Outcome;
  readonly change: PlannedChange;
  /** Modules that went, or would have gone, because of it. */
  readonly evicted: readonly string[];
}

export function chainOf(members: readonly ClosureMember[], name: string): readonly ChainStep[] {
  const because = members.find((member) => member.name === name)?.because ?? [];
  const wanted = new Set(because);
  const viaOf = new Map<string, Via | undefined>();
  for (const member of members) if (wanted.has(member.name)) viaOf.set(member.name, member.via);
  return because.map((step) => {
    const { name: _before, ...via } = viaOf.get(step) ?? { name: step };
    return { name: step, ...via };
  });
}

export function moduleVerdict(outcome: Outcome, name: string): ModuleVerdict {
  const chain = chainOf(outcome.evicted, name);
  const root = chain[0]?.name;
  const causes = outcome.changes.filter(({ roots }) => root !== undefined && roots?.includes(root));
  const isEvicted = root !== undefined && outcome.outcome !== "rejected";
  return {
    outcome,
    evicted: isEvicted,
    causes,
    chain,
    reason: isEvicted ? undefined : whyNot(outcome, name),
  };
}

function whyNot(outcome: Outcome, name: string): Reason {
  const kept = outcome.kept.find((each) => each.name === name);
  if (kept !== undefined) return keptReason(kept);
  if (outcome.outcome === "rejected") return rejectedReason(outcome);
  return { code: "unchanged", text: `no chain led to it from ${whatChanged(outcome)}` };
}

function whatChanged({ changes, evicted }: Outcome): string {
  const [first] = changes;
  if (first === undefined) return evicted.find(({ via }) => via === undefined)?.name ?? "what was asked for";
  return changes.length === 1 ? first.path : `${first.path} and ${changes.length - 1} more changes`;
}

/** Undefined when the file was no part of it. */
export function fileVerdict(outcome: Outcome, paths: ReadonlySet<string>): FileVerdict | undefined {
  const change = outcome.changes.find(({ path }) => paths.has(path));
  if (change === undefined) return undefined;
  const roots = new Set(change.roots);
  const evicted = outcome.evicted.filter(({ because }) => roots.has(because[0] ?? ""));
  return { outcome, change, evicted: evicted.map(({ name }) => name) };
}
