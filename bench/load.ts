/** Puts a server under load, from a thread of its own. */

import { once } from "node:events";
import { Worker } from "node:worker_threads";

export interface LoadOrder {
  readonly port: number;
  readonly path: string;
  /** Sent by POST; without it GET. */
  readonly body?: string;
  readonly connections: number;
  readonly ms: number;
  /**
   * Requests arrive at this rate, and count from when they should have left, whatever became of those before; a slow
   * server cannot slow down who measures it. Without it each connection asks again as soon as it is answered.
   * The clock ticks in milliseconds: up to one is the load's own.
   */
  readonly perSecond?: number;
  /** An Int32: the version that every request sent from now on must be answered with, or a newer one. */
  readonly floor?: SharedArrayBuffer;
}

export interface LoadReport {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly answers: number;
  /** Answers other than 200, and connections that broke. */
  readonly failed: number;
  /** Answers below the floor that stood when their request was sent. */
  readonly stale: number;
  /** Answers with several versions that were not the same. */
  readonly mixed: number;
  /** Requests of a fixed rate that still waited for a connection at the end. */
  readonly unanswered: number;
  /** Different versions that were answered. */
  readonly versions: number;
}

export class Load {
  readonly #thread = new Worker(new URL("./load-thread.mjs", import.meta.url));

  /** One order at a time. */
  async run(order: LoadOrder): Promise<LoadReport> {
    this.#thread.postMessage(order);
    const [report] = (await once(this.#thread, "message")) as [LoadReport];
    return report;
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }
}

/** The version that requests must reach from now on, as the load generator sees it. */
export class Floor {
  readonly memory = new SharedArrayBuffer(4);
  readonly #view = new Int32Array(this.memory);

  raise(version: number): void {
    Atomics.store(this.#view, 0, version);
  }
}
