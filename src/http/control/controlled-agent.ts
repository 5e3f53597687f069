/** What the control plane needs of an agent; `Agent` has it all, and tests stand in for it. */

import type { Change, Files } from "../../core/change-set.ts";
import type { Edge, Graph } from "../../core/graph.ts";
import type { HoldStatus } from "../../core/hold.ts";
import type { LogLevel } from "../../core/log.ts";
import type { Outcome, Trigger } from "../../core/outcome.ts";
import type { Plan } from "../../core/plan.ts";
import type { SearchPath } from "../../core/search-path.ts";
import type { ServersDocument } from "../../core/servers.ts";
import type { AgentStatus, VmStatus } from "../../core/status.ts";
import type { ReloadRequest } from "../../reload/reloader.ts";
import type { ServersUpdateReport } from "../servers-update.ts";

export interface ControlledAgent {
  /** Absolute: file names in answers and requests are relative to it. */
  readonly prefix: string;
  readonly graph: Graph;
  readonly searchPath: SearchPath;
  /** By path. */
  readonly sources: {
    /** What runs. */
    readonly active: Files;
    readonly disk: Files;
    /** The rule by which a path is no module; undefined when none says so. */
    ignoredBy(path: string): string | undefined;
  };
  readonly reloader: {
    readonly history: {
      get(id: number): Outcome | undefined;
      /** Newest first. */
      list(): readonly Outcome[];
    };
    /** What a change at these absolute paths would do. */
    planFor(paths: readonly string[]): Plan;
  };
  /** Never rejects for what Lua code does; a ReluaError means that the agent cannot. */
  reload(request: ReloadRequest, trigger: Trigger): Promise<Outcome>;
  /** Rejects with ReluaError `generation-unknown`, or `no-vms`. */
  rollback(generation: number, reason?: string): Promise<Outcome>;
  /** No commit until `release`, or until `limitMs` are over. */
  hold(request: { readonly owner?: string; readonly reason?: string; readonly limitMs?: number }): HoldStatus;
  /** Ends the hold and commits what differs by now. */
  release(request?: Pick<ReloadRequest, "reason" | "waitMs">): Promise<Outcome>;
  status(): AgentStatus;
  /** Of source contents in shared memory. */
  readonly arenaBytes: number;
  /**
   * What the active sources require by their texts, loaded or not; the same list until one changes.
   * Rejects with ReluaError `analysis-failed`.
   */
  staticEdges(): Promise<readonly Edge[]>;
  /** Why a module name is never evicted; undefined when it may be. */
  pinnedWhy(name: string): string | undefined;
  /** The servers as they are served now. */
  readServers(): ServersDocument;
  /** Resolves when every VM answers by the new handlers. */
  updateServers(put: ServersDocument): Promise<ServersUpdateReport>;
  /** The compiler's message, with `label` as the chunk's name; undefined when the code compiles. */
  compile(label: string, code: string): string | undefined;
  on(event: "plan", listener: (plan: Plan, changes: readonly Change[]) => void): void;
  on(event: "outcome", listener: (outcome: Outcome) => void): void;
  on(event: "vm", listener: (vm: VmStatus, why: string | undefined) => void): void;
  on(event: "log", listener: (level: LogLevel, message: string, vm: number | undefined) => void): void;
}
