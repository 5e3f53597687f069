/** One coroutine of the scheduler's own, from `run` to `done`, as plain state that the scheduler moves along. */

import type { lua_State } from "#fengari";
import type { Activity, Outcome, Running } from "./activity.ts";
import type { Waiting } from "./deadlines.ts";
import { type Allowance, allowanceOf } from "./limits.ts";

/** What a suspended coroutine waits for: exists from `suspend` until it is woken or ended. */
export interface Wait {
  cancel(): void;
}

export class Task implements Running, Waiting {
  readonly activity: Activity;
  readonly allowance: Allowance;
  readonly co: lua_State;
  readonly done: (outcome: Outcome, co: lua_State) => void;
  readonly #abort: (task: Task) => void;
  /** Its Lua code is on the JavaScript stack, perhaps below another task that it started. */
  running = false;
  wait: Wait | undefined = undefined;
  /** Pushes the results of the C function that suspended; set between waking and resuming. */
  push: ((co: lua_State) => number) | undefined = undefined;
  /** Decided while it runs: the Kill is on its way, and this is what it ends with. */
  ending: Outcome | undefined = undefined;
  ended = false;
  /** Coroutines resumed from below a C-call boundary that run now: while there are any, nothing can suspend. */
  barriers = 0;

  constructor(
    activity: Activity,
    co: lua_State,
    done: (outcome: Outcome, co: lua_State) => void,
    abort: (task: Task) => void,
  ) {
    this.activity = activity;
    this.allowance = allowanceOf(activity);
    this.co = co;
    this.done = done;
    this.#abort = abort;
  }

  get deadlineAtMs(): number {
    return this.allowance.deadlineAtMs;
  }

  abort(): void {
    this.#abort(this);
  }
}
