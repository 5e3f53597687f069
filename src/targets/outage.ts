/** An outage of a host: told once when it begins and once when it is over, whatever lies in between. */

import { performance } from "node:perf_hooks";
import type { LogLevel } from "../core/log.ts";

export class Outage {
  readonly #target: string;
  readonly #log: (level: LogLevel, message: string) => void;
  #current: { message: string; failures: number; readonly sinceMs: number } | undefined;

  constructor(target: string, log: (level: LogLevel, message: string) => void) {
    this.#target = target;
    this.#log = log;
  }

  /** What failed last; undefined while all is well. */
  get message(): string | undefined {
    return this.#current?.message;
  }

  failed(message: string): void {
    if (this.#current) {
      this.#current.message = message;
      this.#current.failures++;
      return;
    }
    this.#current = { message, failures: 1, sinceMs: performance.now() };
    this.#log("warn", `target ${this.#target}: ${message}`);
  }

  over(): void {
    if (!this.#current) return;
    const { failures, sinceMs } = this.#current;
    this.#current = undefined;
    const seconds = ((performance.now() - sinceMs) / 1000).toFixed(1);
    const tries = failures === 1 ? "1 failure" : `${failures} failures`;
    this.#log("notice", `target ${this.#target}: works again after ${tries} in ${seconds} s`);
  }
}
