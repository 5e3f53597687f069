/** The built-in pool as a target: one turn posts a generation to every VM, and their reports are collected. */

import type { VmApplied } from "../core/outcome.ts";
import type { Pool } from "./pool.ts";
import type { ActivateMessage, AppliedReport } from "./protocol.ts";

/** Generations whose reports are kept. */
const keptReports = 16;

interface Reports {
  readonly vms: Map<number, VmApplied>;
  readonly expected: number;
  complete: () => void;
}

export class PoolTarget {
  readonly #pool: Pick<Pool, "broadcast" | "vms" | "on" | "recycleAll">;
  readonly #reports = new Map<number, Reports>();

  constructor(pool: Pick<Pool, "broadcast" | "vms" | "on" | "recycleAll">) {
    this.#pool = pool;
    pool.on("applied", (vm, report) => this.#report(vm, report));
  }

  commit(order: Omit<ActivateMessage, "type">): void {
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

  #report(vm: number, { generation, appliedMs }: AppliedReport): void {
    const reports = this.#reports.get(generation);
    if (!reports) return;
    reports.vms.set(vm, { id: vm, appliedMs });
    if (reports.vms.size >= reports.expected) reports.complete();
  }
}
