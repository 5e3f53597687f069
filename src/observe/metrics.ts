/** What Prometheus scrapes: one registry per agent, read from its status at each scrape and from its outcomes. */

import { Counter, Gauge, Registry } from "prom-client";
import type { Outcome } from "../core/outcome.ts";
import type { AgentStatus } from "../core/status.ts";
import { gauge, type Metric } from "./metric.ts";
import { processMetrics } from "./process-metrics.ts";
import { ReloadMetrics } from "./reload-metrics.ts";
import { statusMetrics } from "./status-metrics.ts";

/** What is measured: the agent, as far as metrics need it. */
export interface Measured {
  status(): AgentStatus;
  /** Of source contents in shared memory. */
  readonly arenaBytes: number;
  on(event: "outcome", listener: (outcome: Outcome) => void): void;
}

const arenaBytes = gauge(
  "relua_source_bytes",
  "Source contents in shared memory: of what runs, of the disk, and of what can be gone back to",
  (measured: Measured) => measured.arenaBytes,
);

/** Follows an agent for as long as it lives. Costs nothing between scrapes but a few additions for each reload. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #measured: Measured;
  /** Of the scrape in hand: every metric is read from the same one. */
  #status: AgentStatus;

  constructor(measured: Measured, version: string) {
    this.#measured = measured;
    this.#status = measured.status();
    new Gauge({
      name: "relua_build_info",
      help: "The version of Relua that runs; always 1",
      labelNames: ["version"],
      registers: [this.#registry],
    }).set({ version }, 1);
    for (const metric of statusMetrics) this.#register(metric, () => this.#status);
    this.#register(arenaBytes, () => this.#measured);
    for (const metric of processMetrics) this.#register(metric, () => undefined);
    const reloads = new ReloadMetrics(this.#registry);
    measured.on("outcome", (outcome) => reloads.count(outcome));
  }

  /** Of `text`: `text/plain; version=0.0.4; charset=utf-8`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything, in Prometheus' text format 0.0.4. */
  text(): Promise<string> {
    this.#status = this.#measured.status();
    return this.#registry.metrics();
  }

  #register<From>({ name, help, type, labels = [], read }: Metric<From>, from: () => From): void {
    const samples = () => read(from());
    const common = { name, help, labelNames: [...labels], registers: [this.#registry] };
    if (type === "counter")
      new Counter({
        ...common,
        collect() {
          this.reset();
          for (const { value, of = {} } of samples()) this.inc({ ...of }, value);
        },
      });
    else
      new Gauge({
        ...common,
        collect() {
          this.reset();
          for (const { value, of = {} } of samples()) this.set({ ...of }, value);
        },
      });
  }
}
