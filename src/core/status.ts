/** What `status` shows of a running agent. */

import type { TargetStatus } from "./delivery.ts";
import type { HoldStatus } from "./hold.ts";
import type { Outcome } from "./outcome.ts";

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
}

/** A path that could be a module and is none, and why: `FIFO`, `larger than maxFileBytes`, `EACCES`, … */
export interface SkippedPath {
  readonly path: string;
  readonly reason: string;
}

export interface WatchStatus {
  readonly files: number;
  readonly folders: number;
  readonly mode: "events" | "polling" | "sweep" | "manual";
  /** Roots that do not exist now; watched until they appear. */
  readonly missingRoots: readonly string[];
  readonly skipped: readonly SkippedPath[];
  /** Changes from now on are noticed; absent or false with `manual`. */
  readonly live?: boolean | undefined;
}

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
  /** The standing rejection. */
  readonly rejected: Outcome | undefined;
  /** Milliseconds since the start. */
  readonly uptimeMs: number;
}
