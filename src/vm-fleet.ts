/** The agent's own VMs: the pool that serves, the canary that loads first, and the pool as a target. */

import type { Config } from "./config/index.ts";
import type { LocationHandlers } from "./core/exchange.ts";
import type { LogLevel } from "./core/log.ts";
import type { ManifestSnapshot } from "./core/manifest.ts";
import type { VmStatus } from "./core/status.ts";
import type { ObservedBatch } from "./reload/graph-feed.ts";
import type { Target } from "./reload/target.ts";
import { CanaryVm } from "./vm/canary-vm.ts";
import type { VmSnapshot } from "./vm/hosted-vm.ts";
import { createPool, type Pool } from "./vm/pool.ts";
import { PoolTarget, whyRecycled } from "./vm/pool-target.ts";
import { vmSettings } from "./vm-settings.ts";

/** Parts that a test replaces to show that it would notice; nothing else has a reason to. */
export interface FleetSubstitutes {
  /** File of the VM threads. */
  readonly vmEntry?: string;
  readonly target?: (pool: Pool) => Target;
}

/** What VMs start with, and who hears what they tell. */
export interface FleetParts {
  /** The active generation, always. */
  readonly generation: () => number;
  readonly manifest: () => ManifestSnapshot;
  readonly locations: () => readonly LocationHandlers[];
  readonly observed: (vm: number, batch: ObservedBatch) => void;
  readonly vm: (vm: VmStatus, why: string | undefined, hasEnded: boolean) => void;
  /** A VM has moved. */
  readonly reached: () => void;
  readonly log: (level: LogLevel, message: string, vm: number) => void;
}

/** Extra time on top of the rehearsal's own deadline, for what no instruction hook can stop. */
const canaryGraceMs = 500;

export class VmFleet {
  readonly pool: Pool;
  readonly target: Target;
  /** Undefined with `preflight: "off"`. */
  readonly canary: CanaryVm | undefined;
  readonly #parts: FleetParts;
  /** The last of the recyclings that VMs asked for. */
  #replaced: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(config: Config, parts: FleetParts, { vmEntry, target }: FleetSubstitutes = {}) {
    this.#parts = parts;
    const { reload, limits } = config;
    const settings = vmSettings(config);
    const boot = (): VmSnapshot => ({
      settings,
      generation: parts.generation(),
      manifest: parts.manifest(),
      locations: parts.locations(),
    });
    const pool = createPool({
      threads: config.threads,
      spareThreads: reload.preflight === "off" ? 0 : 1,
      concurrency: config.concurrency,
      limits: { queue: limits.queue, heapMb: limits.heapMb, requestMs: limits.requestMs },
      boot,
      ...(vmEntry !== undefined && { entry: vmEntry }),
    });
    this.pool = pool;
    this.target = target?.(pool) ?? new PoolTarget(pool);
    if (reload.preflight !== "off")
      this.canary = new CanaryVm({
        host: (vm, snapshot, listener) => pool.host(vm, snapshot, listener),
        boot,
        timeoutMs: reload.canaryMs + canaryGraceMs,
        log: (message) => parts.log("warn", message, 0),
      });
    this.#listen();
  }

  /** @throws ReluaError `vm-failed` (initBy) */
  async start(): Promise<void> {
    const started = this.pool.start();
    this.canary?.start();
    await started;
  }

  /** Lets what is in flight finish, for at most `withinMs`, and ends every thread. */
  async close(withinMs: number): Promise<void> {
    this.#closed = true;
    await this.pool.drain(withinMs);
    await this.pool.close();
  }

  #listen(): void {
    const { pool } = this;
    const { observed, vm, reached, log } = this.#parts;
    pool.on("observed", observed);
    pool.on("log", (id, level, message) => log(level, message, id));
    pool.on("vm", (status, end) =>
      vm(status, end && "message" in end ? end.message : undefined, end !== undefined),
    );
    pool.on("applied", (id, report) => {
      reached();
      const reason = whyRecycled(report);
      if (reason !== undefined) this.#replace(id, reason);
    });
    pool.on("recycle", (id, message) => this.#replace(id, message));
  }

  /** Recycles a VM that is not fit to go on; one after another, so that others serve meanwhile. */
  #replace(vm: number, reason: string): void {
    const { log } = this.#parts;
    log("error", `VM ${vm} is recycled: ${reason}`, vm);
    this.#replaced = this.#replaced
      .then(() => this.pool.recycle(vm))
      .catch((error: Error) => {
        if (!this.#closed) log("error", `VM ${vm}: ${error.message}`, vm);
      });
  }
}
