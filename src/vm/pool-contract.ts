/** What the pool takes, shows and tells. */

import type { LogLevel } from "../core/log.ts";
import type { VmStatus } from "../core/status.ts";
import type { VmEnd, VmNotice, VmSnapshot } from "./hosted-vm.ts";
import type { ThreadsOptions } from "./piscina-threads.ts";
import type { AppliedReport } from "./protocol.ts";

/** What a pool is made of. */
export interface PoolOptions {
  /** VMs that serve. */
  readonly threads: number;
  /** Threads beside them, for VMs that `host` starts (the canary). */
  readonly spareThreads?: number;
  /** Work in flight per VM. */
  readonly concurrency: number;
  readonly limits: {
    /** Work that may wait for a VM; beyond it `pool-full`. */
    readonly queue: number;
    /** Milliseconds that work may wait for a VM, then `pool-full`. Default 30,000. */
    readonly waitMs?: number;
    readonly heapMb: number;
    /** Milliseconds that one entry into Lua may take before the VM's own limit ends it; 0 = no limit. */
    readonly requestMs: number;
    /** Milliseconds on top of `requestMs`, after which the watchdog kills the VM. Default 250. */
    readonly graceMs?: number;
    /** Milliseconds until a new VM must be ready. Default 30,000; 0 = no limit. */
    readonly bootMs?: number;
  };
  /** What a VM starts with. Called at every start and restart, so that it starts on the active generation. */
  readonly boot: () => VmSnapshot;
  readonly entry?: ThreadsOptions["entry"];
  readonly execArgv?: ThreadsOptions["execArgv"];
  readonly env?: ThreadsOptions["env"];
}

export interface PoolEvents {
  /** A VM changed its state; `end` says how its predecessor ended, when one just did. */
  vm: [status: VmStatus, end: VmEnd | undefined];
  observed: [vm: number, observed: Extract<VmNotice, { readonly type: "observed" }>];
  applied: [vm: number, report: AppliedReport];
  /** A VM asks to be replaced. */
  recycle: [vm: number, message: string];
  log: [vm: number, level: LogLevel, message: string];
}
