/** The metrics that count reloads: what came of them, how long they took, what they evicted. */

import { Counter, Histogram, type Registry } from "prom-client";
import type { Outcome, OutcomeKind, StageTimings, Trigger } from "../core/outcome.ts";

const outcomes = Object.keys({
  committed: 1,
  "recycle-required": 1,
  rejected: 1,
  unchanged: 1,
  planned: 1,
  held: 1,
} satisfies Record<OutcomeKind, 1>);

const triggers = Object.keys({
  watch: 1,
  api: 1,
  clean: 1,
  signal: 1,
  call: 1,
  rollback: 1,
  release: 1,
} satisfies Record<Trigger, 1>);

const stageOf: Readonly<Record<keyof StageTimings, string>> = {
  scanMs: "scan",
  planMs: "plan",
  canaryMs: "canary",
  commitMs: "commit",
};

/** From a save of one file to thousands of modules. */
const bucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export class ReloadMetrics {
  readonly #reloads: Counter<"outcome" | "trigger">;
  readonly #durations: Histogram;
  readonly #stages: Histogram<"stage">;
  readonly #evicted: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#reloads = new Counter({
      name: "relua_reloads_total",
      help: "Reloads by what came of them and what set them off",
      labelNames: ["outcome", "trigger"],
      registers,
    });
    // A series that begins with 1 has no increase: the first rejection would raise no alarm.
    for (const outcome of outcomes)
      for (const trigger of triggers) this.#reloads.inc({ outcome, trigger }, 0);
    this.#durations = new Histogram({
      name: "relua_reload_duration_seconds",
      help: "How long reloads took that looked at the disk and were no dry run",
      buckets: bucketsSeconds,
      registers,
    });
    this.#stages = new Histogram({
      name: "relua_reload_stage_duration_seconds",
      help: "How long each stage took, where a reload came to it",
      labelNames: ["stage"],
      buckets: bucketsSeconds,
      registers,
    });
    for (const stage of Object.values(stageOf)) this.#stages.zero({ stage });
    this.#evicted = new Counter({
      name: "relua_evicted_modules_total",
      help: "Module names that commits have evicted, once for all VMs",
      registers,
    });
  }

  count({ outcome, trigger, durationMs, stages, evicted }: Outcome): void {
    this.#reloads.inc({ outcome, trigger });
    if (outcome === "committed" || outcome === "recycle-required") this.#evicted.inc(evicted.length);
    if (outcome === "held" || outcome === "planned") return;
    this.#durations.observe(durationMs / 1000);
    for (const [key, stage] of Object.entries(stageOf)) {
      const ms = stages[key as keyof StageTimings];
      if (ms > 0) this.#stages.observe({ stage }, ms / 1000);
    }
  }
}
