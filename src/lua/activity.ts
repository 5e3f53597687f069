/** What a Lua coroutine runs for, as the scheduler sees it: its generation, its limits and how it ended. */

import type { lua_State } from "#fengari";

/** A generation as one VM lives it: made current while a coroutine of that generation runs. */
export interface GenerationView {
  readonly generation: number;
  /** Called before a coroutine of this generation is resumed. */
  enter(): void;
  /** Called after it yielded or ended. */
  leave(): void;
}

/** One request, call, timer or init chunk. Several coroutines may serve one activity, one after another. */
export interface Activity {
  readonly view: GenerationView;
  /** Lua instructions the whole activity may spend; 0 means no limit. */
  readonly instructions: number;
  /** Milliseconds from `startedAtMs` after which the activity is killed; 0 means no limit. */
  readonly deadlineMs: number;
  /** Clock of `performance.now()`. */
  readonly startedAtMs: number;
  /** What the ngx API finds when it asks for the current request; undefined outside of requests. */
  readonly context: unknown;
}

/** How a coroutine ended. */
export type Outcome =
  /** It returned; its results are the `values` topmost entries of the coroutine's stack. */
  | { readonly kind: "returned"; readonly values: number }
  /** `ngx.exit`, `ngx.exec`, `ngx.redirect`, …: ended itself for good, see Scheduler.exit. */
  | { readonly kind: "exited"; readonly reason: unknown }
  /** A Lua error; `message` as bytes in latin1, `traceback` likewise with the message first. */
  | { readonly kind: "error"; readonly message: string; readonly traceback: string }
  /** Stopped from outside; no Lua code ran afterwards, no pcall caught it. */
  | { readonly kind: "killed"; readonly why: "deadline" | "instructions" | "aborted" };

/** A running or suspended coroutine. */
export interface Running {
  readonly activity: Activity;
  /** Ends it where it stands (client gone, drain over). `done` is called with `killed`. */
  abort(): void;
}

/** Runs coroutines on one Lua state and lets C functions suspend them. */
export interface Scheduler {
  /**
   * Starts a coroutine: `push` gets the new coroutine's stack and pushes a function and its arguments,
   * returning the number of arguments. Runs until the first suspension before it returns.
   * `done` is called exactly once, perhaps before `run` returns; `co` is valid during the call only.
   */
  run(
    activity: Activity,
    push: (co: lua_State) => number,
    done: (outcome: Outcome, co: lua_State) => void,
  ): Running;
  /** The activity whose Lua code is running now; undefined outside of Lua. */
  current(): Activity | undefined;
  /**
   * Suspends the calling coroutine. Use as the last act of a C function: `return scheduler.suspend(L, …)`.
   * `begin` starts the wait and gets `wake`, to be called once, later, never from within `begin`; `push` there
   * pushes the C function's results and returns their number. `begin` returns how to cancel the wait.
   * Works below pcall, metamethods, iterators and user coroutines; raises the Lua error
   * "attempt to yield across a C-call boundary" elsewhere (table.sort, gsub callbacks, while a module loads).
   */
  suspend(L: lua_State, begin: (wake: (push?: (co: lua_State) => number) => void) => () => void): number;
  /** Ends the calling coroutine for good, past every pcall, with `exited` and this reason. Used as `return scheduler.exit(L, …)`. */
  exit(L: lua_State, reason: unknown): number;
  /** Coroutines that are running or suspended. */
  readonly size: number;
}
