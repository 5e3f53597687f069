/** The built-in pool as a target: one turn posts a generation to every VM, and their reports are collected. */

import { type Delivery, orderOf, type TargetReport } from "../core/delivery.ts";
import type { VmApplied } from "../core/outcome.ts";
import type { Pool } from "./pool.ts";
import type { AppliedReport } from "./protocol.ts";

/** Generations whose reports are kept. */
const keptReports = 16;

interface Reports {
  readonly vms: Map<number, VmApplied>;
  readonly expected: ReadonlySet<number>;
  complete: () => void;
}

/** Why a VM that has moved cannot go on as it is; undefined when it can. */
export function whyRecycled({ unfit, errors }: AppliedReport): string | undefined {
  return (
    unfit ?? (errors.length > 0 ? `it did not load what the canary had loaded: ${errors[0]}` : undefined)
  );
}

export class PoolTarget {
  readonly name = "pool";
  readonly #pool: Pick<Pool, "broadcast" | "vms" | "on" | "recycleAll">;
  readonly #reports = new Map<number, Reports>();

  constructor(pool: Pick<Pool, "broadcast" | "vms" | "on" | "recycleAll">) {
    this.#pool = pool;
    pool.on("applied", (vm, report) => this.#report(vm, report));
  }

  commit(delivery: Delivery): void {
    const { generation } = delivery;
    const ready = this.#pool.vms().filter((vm) => vm.state === "ready");
    const expected = new Set(ready.map(({ id }) => id));
    this.#reports.set(generation, { vms: new Map(), expected, complete: () => {} });
    this.#reports.delete(generation - keptReports);
    this.#pool.broadcast({ type: "activate", ...orderOf(delivery) });
  }

  recycle(): Promise<void> {
    return this.#pool.recycleAll();
  }

  applied(generation: number, withinMs: number): Promise<TargetReport> {
    const reports = this.#reports.get(generation);
    if (!reports) return Promise.resolve({ target: this.name, applied: [], missing: [] });
    return new Promise((resolve) => {
      const timer = setTimeout(() => reports.complete(), withinMs);
      reports.complete = () => {
        clearTimeout(timer);
        reports.complete = () => {};
        resolve(this.#reportOf(reports));
      };
      if (isComplete(reports)) reports.complete();
    });
  }

  #reportOf({ vms, expected }: Reports): TargetReport {
    return {
      target: this.name,
      applied: [...vms.values()].sort((a, b) => a.id - b.id),
      missing: [...expected].filter((id) => !vms.has(id)).map((id) => `VM ${id}`),
    };
  }

  #report(vm: number, report: AppliedReport): void {
    const reports = this.#reports.get(report.generation);
    if (!reports) return;
    const recycled = whyRecycled(report);
    reports.vms.set(vm, {
      id: vm,
      appliedMs: report.appliedMs,
      ...(recycled !== undefined && { recycled }),
    });
    if (isComplete(reports)) reports.complete();
  }
}

/** One that has booted meanwhile reports as well, and one that is gone never will: only the number counts. */
function isComplete({ vms, expected }: Reports): boolean {
  return vms.size >= expected.size;
}
