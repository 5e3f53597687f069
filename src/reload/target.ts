/** What a reload needs of the VMs: a canary that loads first, and a fleet that moves at once. */

import type { ActivationOrder, RehearsalOrder, Rehearsed } from "../core/move.ts";
import type { VmApplied } from "../core/outcome.ts";

/** A VM that serves nobody. */
export interface Canary {
  /** Loads the order aside; never rejects: what goes wrong is among the errors. */
  rehearse(order: RehearsalOrder): Promise<Rehearsed>;
  /** The order was committed. */
  adopt(order: ActivationOrder): void;
}

/** Where generations are delivered to. */
export interface Target {
  /** The commit: in one turn, before it returns, everything that runs later runs on this generation (Invariant 2). */
  commit(order: ActivationOrder): void;
  /** Replaces every VM, one after another, losing no request; resolves when the new ones serve. */
  recycle(): Promise<void>;
  /** What the VMs report of a generation: resolves when all have, or after `withinMs` with those that did. */
  applied(generation: number, withinMs: number): Promise<readonly VmApplied[]>;
}
