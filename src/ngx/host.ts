/** What the ngx API needs from the thread it lives in; every file of this folder takes it as its only way out. */

import type { LogLevel } from "../core/log.ts";
import type { Scheduler } from "../lua/activity.ts";

export interface NgxHost {
  readonly scheduler: Scheduler;
  /** `ngx.worker.id()`: the VM's number, 0-based. */
  readonly workerId: number;
  readonly workerCount: number;
  readonly prefix: string;
  /** `ngx.log` and failures; the text is latin1 bytes. */
  log(level: LogLevel, message: string): void;
  /** True while the agent shuts down (`ngx.worker.exiting`). */
  exiting(): boolean;
}
