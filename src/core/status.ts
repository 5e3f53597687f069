/** What `status` shows of a running agent. */

import type { TargetStatus } from "./delivery.ts";
import type { HoldStatus } from "./hold.ts";
import type { Outcome } from "./outcome.ts";
import type { Unavailable } from "./work.ts";

export interface VmStatus {
  /** Counts from 1; stays the same when the VM is replaced. */
  readonly id: number;
  /** `down`: none is running here, because the last one did not boot; the next try is on its way. */
  readonly state: "booting" | "ready" | "draining" | "down";
  readonly generation: number;
  readonly inFlight: number;
  /** Modules it has loaded from files. */
  readonly modules: number;
  /** Bytes of JavaScript heap and external memory, as the VM last measured them; undefined until then. */
  readonly heap: number | undefined;
  readonly restarts: number;
  /** Requests and calls that were posted to it since the start, to those included whose place it took. */
  readonly dispatched: number;
}

/** A path that could be a module and is none, and why: `FIFO`, `larger than maxFileBytes`, `EACCES`, … */
export interface SkippedPath {
  readonly path: string;
  readonly reason: string;
}

/** A folder that the search path names. */
export interface WatchedRoot {
  /** As the search path names it; absolute. */
  readonly folder: string;
  /** Symlinks resolved: another path than `folder` where there are some. Undefined while nothing is there. */
  readonly real: string | undefined;
}

/** What comparing the whole tree with the index, beside all events, has cost and found. */
export interface SweepStatus {
  /** Milliseconds since the epoch at which the last one ended; undefined before that and without sweeps. */
  readonly lastAt: number | undefined;
  readonly costMs: number;
  /** Differences so far that no event had told of: above 0, the watcher misses things. */
  readonly missed: number;
}

/** How far a pass over the disk has come. */
export interface ReadingStatus {
  readonly filesDone: number;
  /** Of those found so far. */
  readonly filesTotal: number;
}

export interface WatchStatus {
  readonly files: number;
  readonly folders: number;
  readonly mode: "events" | "polling" | "sweep" | "manual";
  readonly roots: readonly WatchedRoot[];
  /** Roots that do not exist now; watched until they appear. */
  readonly missingRoots: readonly string[];
  readonly skipped: readonly SkippedPath[];
  /** In words, each rule by which a path is no module. */
  readonly ignored: readonly string[];
  /** Changes from now on are noticed without being asked for: false at start, and always with `manual`. */
  readonly live: boolean;
  readonly sweep: SweepStatus;
  /** The pass that has been running for over a second; undefined while there is none. */
  readonly reading: ReadingStatus | undefined;
}

/** What HTTP clients and the VMs have to do with each other. */
export interface TrafficStatus {
  /** Open connections of the data plane. */
  readonly connections: number;
  /** Responses since the start, by the first digit of their status. */
  readonly responses: readonly number[];
  /** Requests and calls that wait for a VM. */
  readonly waiting: number;
  /** Requests and calls since the start that no VM has finished, by reason. */
  readonly unfinished: Readonly<Partial<Record<UnfinishedWhy, number>>>;
}

/** Without those that a VM ended itself. */
export type UnfinishedWhy = Exclude<Unavailable, "no-answer">;

export interface AgentStatus {
  readonly generation: number;
  /** An observed change has no outcome yet. */
  readonly pending: boolean;
  readonly held: boolean;
  /** Who holds and why; undefined when nobody does. */
  readonly hold: HoldStatus | undefined;
  /** The disk is not what runs: after a rejection, a rollback, or during a hold. */
  readonly diskDiffers: boolean;
  /** The generation whose sources run again; undefined unless the last commit was a rollback. */
  readonly rolledBackTo?: number | undefined;
  readonly vms: readonly VmStatus[];
  /** The hosts beside us. */
  readonly targets: readonly TargetStatus[];
  readonly watch: WatchStatus;
  readonly traffic: TrafficStatus;
  /** The standing rejection. */
  readonly rejected: Outcome | undefined;
  /** Milliseconds since the start. */
  readonly uptimeMs: number;
}
