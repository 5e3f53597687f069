/** What the ngx API needs from the thread it lives in; every file of this folder takes it as its only way out. */

import type { LogLevel } from "../core/log.ts";
import type { Scheduler } from "../lua/activity.ts";
import type { TimerStarter } from "./timer.ts";

export interface NgxHost {
  readonly scheduler: Scheduler;
  /** `ngx.worker.id()`: the VM's number, 0-based. */
  readonly workerId: number;
  readonly workerCount: number;
  readonly prefix: string;
  /** `ngx.log` and failures; the text is latin1 bytes. */
  log(level: LogLevel, message: string): void;
  /** True while the agent shuts down, or for a timer whose code was evicted (`ngx.worker.exiting`). */
  exiting(): boolean;
  /** Absent where nothing may outlive what runs now, as in a canary: timers are taken and never fire. */
  readonly timers?: TimerStarter;
}
