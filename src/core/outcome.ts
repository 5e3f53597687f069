/** How a reload ended: what the API, the history, the events and the log all show. */

import type { Change } from "./change-set.ts";
import type { ClosureMember } from "./closure.ts";
import type { TargetReport } from "./delivery.ts";
import type { HoldStatus } from "./hold.ts";
import type { Kept } from "./plan.ts";

/** One reason why a change set was rejected. */
export interface LoadError {
  /** Absolute path; undefined when the error belongs to no file. */
  readonly path: string | undefined;
  readonly line: number | undefined;
  readonly message: string;
  /** Module names from the one that was asked for down to the one that required the failing one. */
  readonly requiredBy: readonly string[];
  /** The name that no search found, where that is the reason. */
  readonly notFound?: string;
}

/** A change, and what it concerns. */
export interface PlannedChange extends Change {
  /** Loaded names whose content or resolution it changes: where the chains of what is evicted begin. */
  readonly roots?: readonly string[];
}

/** What one VM did with a generation. */
export interface VmApplied {
  readonly id: number;
  /** Milliseconds of the move itself, warm loading included. */
  readonly appliedMs: number;
  /** Why it is replaced by a new VM: it did not load what the canary had loaded, or an adopt function failed. */
  readonly recycled?: string;
}

/** What set a reload off. */
export type Trigger = "watch" | "api" | "clean" | "signal" | "call" | "rollback" | "release";

/**
 * `recycle-required`: committed, but a pinned module is part of it: VMs keep its old instance until they are replaced.
 * `held`: nothing was looked at. `planned`: a dry run.
 */
export type OutcomeKind = "committed" | "recycle-required" | "rejected" | "unchanged" | "planned" | "held";

/** Times of the stages, in milliseconds. */
export interface StageTimings {
  readonly scanMs: number;
  readonly planMs: number;
  readonly canaryMs: number;
  readonly commitMs: number;
}

/** The result of one reload. */
export interface Outcome {
  readonly id: number;
  readonly outcome: OutcomeKind;
  /** The generation that runs afterwards. */
  readonly generation: number;
  readonly trigger: Trigger;
  /** Whatever the one who asked said. */
  readonly reason: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly stages: StageTimings;
  readonly changes: readonly PlannedChange[];
  readonly evicted: readonly ClosureMember[];
  readonly kept: readonly Kept[];
  /** VMs that had applied it when the outcome was told; a busy one follows before its next request. */
  readonly vms: readonly VmApplied[];
  /** The hosts beside us, with those of their workers that had applied it when the outcome was told. */
  readonly targets: readonly TargetReport[];
  /** Only where somebody waited for them: VMs and workers that had not applied it when the time was over, by name. */
  readonly missing?: readonly string[];
  readonly errors: readonly LoadError[];
  /** Pinned modules whose own source changed: only new VMs have the change. */
  readonly recycleRequired: readonly string[];
  /** The disk is not what runs afterwards: after a rejection, a rollback, or during a hold. */
  readonly diskDiffers: boolean;
  /** Of `held`: the hold that stands in the way. Of a release: the one that it ended; undefined when nobody held. */
  readonly hold?: HoldStatus | undefined;
  /** Of a rollback: the generation whose sources were asked for. */
  readonly rolledBackTo?: number | undefined;
}
