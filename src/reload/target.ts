/** What a reload needs of the VMs: a canary that loads first, and a fleet that moves at once. */

import type { Delivery, TargetReport, TargetStatus } from "../core/delivery.ts";
import type { RehearsalOrder, Rehearsed } from "../core/move.ts";

/** A VM that serves nobody. */
export interface Canary {
  /** Loads the order aside; never rejects: what goes wrong is among the errors. */
  rehearse(order: RehearsalOrder): Promise<Rehearsed>;
  /** The order, which was the last one to be rehearsed, was committed. */
  adopt(order: Pick<RehearsalOrder, "manifest">): void;
}

/** Where generations are delivered to: the built-in pool, or workers of another host. */
export interface Target {
  /** In messages and in `status`. */
  readonly name: string;
  /**
   * The commit. Of the pool: in one turn, before it returns, everything that runs later runs on this generation
   * (Invariant 2). Of another host: what is to be delivered is known, in order, and goes on its way. Never throws.
   */
  commit(delivery: Delivery): void;
  /** Replaces every VM, one after another, losing no request; resolves when the new ones serve, or is not for us to do. */
  recycle(): Promise<void>;
  /** What the workers report of a generation: resolves when all have it, or after `withinMs` with those that did. */
  applied(generation: number, withinMs: number): Promise<TargetReport>;
}

/** A host beside us: it may be down, and is brought up to date when it comes back. */
export interface HostTarget extends Target {
  /** The first generation is known: finds out where the host stands, from then on keeps it up to date. */
  start(): void;
  status(): TargetStatus;
  /** Ends what is under way; nothing is delivered afterwards. */
  close(): Promise<void>;
}
