/** One change set on its way: what set it off, how long each stage took, and the outcome that is told in the end. */

import { performance } from "node:perf_hooks";
import type { Change } from "../core/change-set.ts";
import type { LoadError, Outcome, OutcomeKind, StageTimings, Trigger } from "../core/outcome.ts";
import type { Plan } from "../core/plan.ts";
import type { ReloadRequest } from "./planner.ts";

/** What an outcome tells beside its kind. */
export interface Findings {
  readonly changes: readonly Change[];
  readonly plan: Plan;
  readonly errors?: readonly LoadError[];
  readonly vms?: Outcome["vms"];
  readonly targets?: Outcome["targets"];
  readonly hold?: Outcome["hold"];
}

/** What the agent is left with. */
export type WhatRuns = Pick<Outcome, "generation" | "diskDiffers">;

/** How a reload came about, beside its request. */
export type Circumstances = Pick<Outcome, "hold" | "rolledBackTo">;

export class Journey {
  readonly trigger: Trigger;
  readonly request: ReloadRequest;
  readonly #circumstances: Circumstances;
  readonly #startedAt = Date.now();
  readonly #began = performance.now();
  readonly #stages: { -readonly [key in keyof StageTimings]: number } = {
    scanMs: 0,
    planMs: 0,
    canaryMs: 0,
    commitMs: 0,
  };

  constructor(trigger: Trigger, request: ReloadRequest, circumstances: Circumstances = {}) {
    this.trigger = trigger;
    this.request = request;
    this.#circumstances = circumstances;
  }

  /** Runs a stage and keeps its time. */
  async stage<T>(name: keyof StageTimings, run: () => T | Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await run();
    } finally {
      this.#stages[name] += performance.now() - began;
    }
  }

  /** Keeps the time of a stage that must not wait in between. */
  took(name: keyof StageTimings, ms: number): void {
    this.#stages[name] += ms;
  }

  end(id: number, outcome: OutcomeKind, { generation, diskDiffers }: WhatRuns, findings: Findings): Outcome {
    const { concerned } = findings.plan;
    return {
      id,
      outcome,
      generation,
      trigger: this.trigger,
      reason: this.request.reason,
      startedAt: this.#startedAt,
      durationMs: performance.now() - this.#began,
      stages: { ...this.#stages },
      changes: findings.changes.map((change) => ({ ...change, roots: concerned.get(change.path) ?? [] })),
      evicted: findings.plan.evict,
      kept: findings.plan.kept,
      vms: findings.vms ?? [],
      targets: findings.targets ?? [],
      errors: findings.errors ?? [],
      recycleRequired: findings.plan.recycleRequired,
      diskDiffers,
      ...this.#circumstances,
      ...(findings.hold && { hold: findings.hold }),
    };
  }
}
