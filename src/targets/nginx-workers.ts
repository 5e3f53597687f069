/** The workers of one nginx: who there is, how far each has come, and who is gone. */

import type { WorkerStatus } from "../core/delivery.ts";
import type { VmApplied } from "../core/outcome.ts";
import { ContentTruth } from "./content-truth.ts";
import type { TargetContext } from "./context.ts";
import type { NginxAnswer } from "./nginx-protocol.ts";
import { NginxWorker } from "./nginx-worker.ts";

/** Milliseconds without a sign of life, beside others that give one, after which a worker counts as gone. */
const silentMs = 10_000;
/** Points of the log that are remembered; those that all workers have passed are one. */
const mostProofs = 300;

/** From this number in nginx's log on, a worker runs this generation. */
interface Proof {
  readonly sequence: number;
  readonly generation: number;
}

export class NginxWorkers {
  readonly #context: TargetContext;
  readonly #truth: ContentTruth;
  /** By nginx's number: one that takes the place of another keeps the agent's number for it. */
  readonly #workers = new Map<number, NginxWorker>();
  readonly #numbers = new Map<number, number>();
  #proofs: Proof[] = [];

  constructor(context: TargetContext) {
    this.#context = context;
    this.#truth = new ContentTruth(context);
  }

  /** Everything that nginx said, in order. */
  take({ workers, reports }: NginxAnswer): void {
    const newestMs = Math.max(...workers.map((record) => record.seenAt));
    const live = workers.filter((record) => record.seenAt > newestMs - silentMs);
    const ids = new Set(live.map((record) => record.id));
    for (const [id, worker] of this.#workers) {
      if (ids.has(id)) continue;
      worker.leave();
      this.#workers.delete(id);
    }
    for (const record of live) {
      const known = this.#workers.get(record.id);
      if (known?.record.pid === record.pid) {
        known.record = record;
        continue;
      }
      known?.leave();
      const number = this.#numbers.get(record.id) ?? this.#context.nextWorker();
      this.#numbers.set(record.id, number);
      this.#workers.set(record.id, new NginxWorker(number, record, this.#context, this.#truth));
    }
    for (const report of reports) {
      const worker = this.#workers.get(report.worker);
      // What a worker told that has been replaced since is of no use.
      if (worker?.record.pid === report.pid) worker.take(report, this.generationOf(worker) ?? 0);
    }
  }

  /** nginx is another one, or has lost its log: nothing that was proved there counts. */
  forgetProofs(): void {
    this.#proofs = [];
  }

  /** Whoever has applied the entry of this number runs this generation. */
  prove(generation: number, sequence: number): void {
    this.#proofs = [
      ...this.#proofs.filter((proof) => proof.generation < generation),
      { generation, sequence },
    ].slice(-mostProofs);
  }

  /** The last generation that this worker is known to run. */
  generationOf({ record }: NginxWorker): number | undefined {
    return this.#proofs.findLast((proof) => proof.sequence <= record.sequence)?.generation;
  }

  /** The last generation that every worker is known to run; undefined while one runs none that we know, or there is none. */
  get generation(): number | undefined {
    let least: number | undefined;
    for (const worker of this.#workers.values()) {
      const generation = this.generationOf(worker);
      if (generation === undefined) return undefined;
      least = Math.min(least ?? generation, generation);
    }
    return least;
  }

  /** Names that some worker holds and that stay whatever happens. */
  get pinned(): readonly string[] {
    const names = new Set<string>();
    for (const worker of this.#workers.values())
      for (const name of worker.names) if (this.#context.pinnedWhy(name) !== undefined) names.add(name);
    return [...names].sort();
  }

  changed(paths: ReadonlySet<string>): void {
    for (const worker of this.#workers.values()) worker.changed(paths);
  }

  /** What differs from what should run: `stale` for sure, `doubtful` at a first look. Notes it in the workers' errors. */
  drift(): { readonly stale: ReadonlySet<string>; readonly doubtful: ReadonlySet<string> } {
    const drifts = [...this.#workers.values()].map((worker) => worker.drift());
    return {
      stale: new Set(drifts.flatMap((drift) => drift.stale)),
      doubtful: new Set(drifts.flatMap((drift) => drift.doubtful)),
    };
  }

  repairing(names: Iterable<string>): void {
    for (const worker of this.#workers.values()) worker.repairing(names);
  }

  /** Who has applied this generation, and who has not. */
  report(generation: number): {
    readonly applied: readonly VmApplied[];
    readonly missing: readonly string[];
  } {
    const applied: VmApplied[] = [];
    const missing: string[] = [];
    for (const worker of this.#sorted()) {
      if ((this.generationOf(worker) ?? 0) >= generation)
        applied.push({ id: worker.number, appliedMs: worker.record.appliedMs });
      else missing.push(worker.label);
    }
    return { applied, missing };
  }

  status(): readonly WorkerStatus[] {
    return this.#sorted().map((worker) => ({
      id: worker.number,
      worker: String(worker.record.id),
      pid: worker.record.pid,
      generation: this.generationOf(worker),
      modules: worker.record.modules,
      errors: worker.errors,
    }));
  }

  #sorted(): readonly NginxWorker[] {
    return [...this.#workers.values()].sort((a, b) => a.record.id - b.record.id);
  }
}
