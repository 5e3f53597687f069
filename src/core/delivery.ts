/** A generation on its way to the hosts, and what the hosts say of it. */

import type { Change } from "./change-set.ts";
import type { ClosureMember } from "./closure.ts";
import type { ActivationOrder } from "./move.ts";
import type { VmApplied } from "./outcome.ts";
import type { Kept } from "./plan.ts";

/** A committed generation as every target gets it: the order for the VMs, and what explains it. */
export interface Delivery extends ActivationOrder {
  /** `evict` with the chains: dependents first, all names of each file. */
  readonly evicted: readonly ClosureMember[];
  readonly changes: readonly Change[];
  /** What the change concerns and stays, with reasons. */
  readonly kept: readonly Kept[];
  /** Pinned names whose own content changed: only a new VM, or a restart of the host, can take the change. */
  readonly recycleRequired: readonly string[];
}

/** The order alone, without what explains it: what travels to a VM. */
export function orderOf({ generation, manifest, evict, roots, load, bytecode }: Delivery): ActivationOrder {
  return { generation, manifest, evict, roots, load, bytecode };
}

/** What the workers of one target had told of a generation when they were asked. */
export interface TargetReport {
  readonly target: string;
  /** Workers that run this generation or a newer one. */
  readonly applied: readonly VmApplied[];
  /** Those that do not yet, by their names; the target's own name when it could not be reached. Empty: all have. */
  readonly missing: readonly string[];
  /** Why some are missing. */
  readonly error?: string | undefined;
}

/** A worker of a host beside us. */
export interface WorkerStatus {
  /** Number within the agent, among the workers of all targets: what `vms` of a module names. */
  readonly id: number;
  /** As the host names it: nginx's worker number. */
  readonly worker: string;
  readonly pid: number | undefined;
  /** The last generation that it has applied; undefined while it has told nothing. */
  readonly generation: number | undefined;
  /** Modules that it has loaded from files. */
  readonly modules: number | undefined;
  /** What went wrong in it, newest last; bounded. */
  readonly errors: readonly string[];
}

/**
 * `current`: everything is delivered, and applied where the host says so. `behind`: on its way. `down`: the last try
 * failed, the next one is planned. `new`: nothing was tried yet.
 */
export type TargetState = "new" | "current" | "behind" | "down";

/** Where a host beside us stands. */
export interface TargetStatus {
  readonly name: string;
  readonly type: "nginx" | "njet" | "command";
  readonly state: TargetState;
  /** The last generation that the host took; where it acknowledges: that all of its workers have applied. */
  readonly generation: number | undefined;
  /** False: the host answers before its workers have applied anything, and nobody ever learns whether they did. */
  readonly acknowledges: boolean;
  readonly workers: readonly WorkerStatus[];
  /** What failed last, while `down`, or what the host can not be asked for. */
  readonly error: string | undefined;
}
