/** The built-in pool as a target: one turn posts a generation to every VM, and their reports are collected. */

import type { ActivationOrder } from "../core/move.ts";
import type { VmApplied } from "../core/outcome.ts";
import type { Pool } from "./pool.ts";
import type { AppliedReport } from "./protocol.ts";

/** Generations whose reports are kept. */
const keptReports = 16;

interface Reports {
  readonly vms: Map<number, VmApplied>;
  readonly expected: number;
  complete: () => void;
}

/** Why a VM that has moved cannot go on as it is; undefined when it can. */
export function whyRecycled({ unfit, errors }: AppliedReport): string | undefined {
  return (
    unfit ?? (errors.length > 0 ? `it did not load what the canary had loaded: ${errors[0]}` : undefined)
  );
}

export class PoolTarget {
  readonly #pool: Pick<Pool, "broadcast" | "vms" | "on" | "recycleAll">;
  readonly #reports = new Map<number, Reports>();

  constructor(pool: Pick<Pool, "broadcast" | "vms" | "on" | "recycleAll">) {
    this.#pool = pool;
    pool.on("applied", (vm, report) => this.#report(vm, report));
  }

  commit(order: ActivationOrder): void {
    const expected = this.#pool.vms().filter((vm) => vm.state === "ready").length;
    this.#reports.set(order.generation, { vms: new Map(), expected, complete: () => {} });
    this.#reports.delete(order.generation - keptReports);
    this.#pool.broadcast({ type: "activate", ...order });
  }

  recycle(): Promise<void> {
    return this.#pool.recycleAll();
  }

  applied(generation: number, withinMs: number): Promise<readonly VmApplied[]> {
    const reports = this.#reports.get(generation);
    if (!reports) return Promise.resolve([]);
    return new Promise((resolve) => {
      const timer = setTimeout(() => reports.complete(), withinMs);
      reports.complete = () => {
        clearTimeout(timer);
        reports.complete = () => {};
        resolve([...reports.vms.values()].sort((a, b) => a.id - b.id));
      };
      if (reports.vms.size >= reports.expected) reports.complete();
    });
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
    if (reports.vms.size >= reports.expected) reports.complete();
  }
}
