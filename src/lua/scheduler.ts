/** Runs coroutines on one Lua state, lets C functions suspend them, and ends them by their limits. */

import { lua, type lua_State } from "#fengari";
import type { Activity, Outcome, Scheduler } from "./activity.ts";
import { installCoroutines } from "./coroutines.ts";
import { createDeadlines } from "./deadlines.ts";
import { describeFailure, type NestedFailures, noteFailure } from "./failure.ts";
import { describeNativeError, installLimits, spend } from "./limits.ts";
import { raise } from "./stack.ts";
import { Task, type Wait } from "./task.ts";

export interface SchedulerOptions {
  /** Called before and after each stretch of Lua code, inside its view; strictly in turn, never nested. */
  onEnter?(activity: Activity): void;
  onLeave?(): void;
  /** Called every thousand Lua instructions. */
  onTick?(): void;
  /** A JavaScript exception in a C function, which Lua code saw as an error: a defect of Relua. */
  onNativeError?(error: unknown): void;
}

/**
 * Makes the scheduler of a main state: installs its hook, its handler of JavaScript exceptions and its `coroutine`
 * library. To be called once, before any coroutine exists on that state, with the standard library open.
 *
 * `exit` and the limits end a coroutine by the same uncatchable Kill (limits.ts), so both work below C-call
 * boundaries as well. A task that runs while another one starts it (`run` from a C function) keeps its view left
 * for that time: at most one view is entered at any moment.
 */
export function createScheduler(main: lua_State, options: SchedulerOptions = {}): Scheduler {
  const { LUA_OK, LUA_YIELD } = lua;
  /** The task whose Lua code runs now, and that coroutine of it which does. */
  let current: Task | undefined;
  let innermost = main;
  let size = 0;
  const failures: NestedFailures = new WeakMap();
  const parked = new WeakMap<lua_State, Task>();
  const deadlines = createDeadlines<Task>((task) => end(task, { kind: "killed", why: "deadline" }));

  const onNativeError = (error: unknown): void => options.onNativeError?.(error);
  const limits = installLimits(main, doomed, onNativeError);
  installCoroutines(main, {
    top: () => current?.co,
    resume: resumeNested,
    suspended: () => current?.wait !== undefined,
    park(co) {
      if (current !== undefined) parked.set(co, current);
    },
    unpark: (co) => parked.delete(co),
    parkedStatus(co) {
      const task = parked.get(co);
      return task && (task.ended ? "dead" : "normal");
    },
    pause: (L) =>
      suspend(L, (wake) => {
        const immediate = setImmediate(wake);
        return () => clearImmediate(immediate);
      }),
  });

  /** Asked by the hook: whether what runs now has to end. */
  function doomed(instructions: number): boolean {
    options.onTick?.();
    if (current === undefined) return false;
    if (current.ending === undefined) {
      const why = spend(current.allowance, instructions);
      if (why !== undefined) doom(current, { kind: "killed", why });
    }
    return current.ending !== undefined;
  }

  /** Decides how the current task ends: at the next instruction of its own at the latest. */
  function doom(task: Task, outcome: Outcome): void {
    task.ending ??= outcome;
    // A C function may run Lua code on the main state and swallow the Kill there.
    limits.arm(innermost);
  }

  /** What is below the hook's interval counts as well, or short coroutines would run for nothing. */
  function countRest(task: Task, co: lua_State): void {
    if (task.activity.instructions !== 0) task.allowance.instructionsLeft -= limits.uncounted(co);
  }

  function resumeNested(co: lua_State, from: lua_State, args: number): number {
    const task = current;
    // The main state's own code, at boot.
    if (task === undefined) return lua.lua_resume(co, from, args);
    const barrier = lua.lua_isyieldable(from) ? 0 : 1;
    task.barriers += barrier;
    innermost = co;
    let status: number;
    try {
      status = lua.lua_resume(co, from, args);
    } finally {
      innermost = from;
      task.barriers -= barrier;
    }
    if (task.ending !== undefined) {
      parked.set(co, task);
      return limits.kill(from);
    }
    if (status !== LUA_YIELD) {
      countRest(task, co);
      if (status !== LUA_OK) noteFailure(failures, co, from);
    }
    return status;
  }

  /** Runs a task until it suspends or ends. */
  function resume(task: Task, args: number): void {
    deadlines.remove(task);
    const why = spend(task.allowance, 0);
    if (why !== undefined) {
      end(task, { kind: "killed", why });
      return;
    }
    const outer = current;
    const outerCo = innermost;
    current = undefined;
    if (outer !== undefined) leave(outer);
    let outcome: Outcome | undefined;
    try {
      outcome = runEntered(task, outerCo, args);
    } finally {
      current = outer;
      innermost = outerCo;
      if (outer !== undefined) enter(outer);
    }
    if (outcome === undefined) {
      parked.set(task.co, task);
      deadlines.add(task);
    } else {
      end(task, outcome);
    }
    // It may have aborted the one that started it.
    if (outer?.ending !== undefined) limits.arm(outerCo);
  }

  /** One stretch of Lua code within its view; how the task ended, undefined when it suspended. */
  function runEntered(task: Task, from: lua_State, args: number): Outcome | undefined {
    enter(task);
    current = task;
    innermost = task.co;
    task.running = true;
    try {
      return outcomeOf(task, lua.lua_resume(task.co, from, args));
    } catch (error) {
      // Fengari's own lua_resume failed: V8's stack ran out where nothing protects it.
      const message = describeNativeError(error, onNativeError);
      return task.ending ?? { kind: "error", message, traceback: message };
    } finally {
      task.running = false;
      current = undefined;
      leave(task);
    }
  }

  /** Runs while the task still counts as running: the error may have a `__tostring`. */
  function outcomeOf(task: Task, status: number): Outcome | undefined {
    if (task.ending !== undefined) return task.ending;
    if (status === LUA_YIELD) return undefined;
    countRest(task, task.co);
    if (status === LUA_OK) return { kind: "returned", values: lua.lua_gettop(task.co) };
    const failure = describeFailure(main, task.co, failures);
    return task.ending ?? { kind: "error", ...failure };
  }

  function enter(task: Task): void {
    task.activity.view.enter();
    options.onEnter?.(task.activity);
  }

  function leave(task: Task): void {
    options.onLeave?.();
    task.activity.view.leave();
  }

  /** Ends a task that does not run. */
  function end(task: Task, outcome: Outcome): void {
    const { co, wait } = task;
    task.ended = true;
    task.wait = undefined;
    task.push = undefined;
    size--;
    deadlines.remove(task);
    if (outcome.kind === "killed" || outcome.kind === "exited") {
      parked.set(co, task);
      limits.disarmMain();
    }
    wait?.cancel();
    task.done(outcome, co);
    // Whoever kept the thread shall find it dead, not ready to call its first result.
    if (outcome.kind === "returned") lua.lua_settop(co, 0);
  }

  function abort(task: Task): void {
    if (task.ended || task.ending !== undefined) return;
    const outcome: Outcome = { kind: "killed", why: "aborted" };
    if (!task.running) {
      end(task, outcome);
      return;
    }
    if (task === current) doom(task, outcome);
    else task.ending = outcome;
  }

  function suspend(L: lua_State, begin: Parameters<Scheduler["suspend"]>[1]): number {
    const task = current;
    if (task === undefined || task.barriers > 0 || !lua.lua_isyieldable(L)) {
      return raise(L, "attempt to yield across a C-call boundary");
    }
    const wait: Wait = { cancel: () => {} };
    let begun = false;
    wait.cancel = begin((push) => {
      if (!begun) throw new Error("wake was called from within begin");
      if (task.wait === wait) wakeUp(task, push);
    });
    begun = true;
    if (task.ending !== undefined) {
      wait.cancel();
      return limits.kill(L);
    }
    task.wait = wait;
    return lua.lua_yieldk(L, 0, task, pushResults);
  }

  function wakeUp(task: Task, push: ((co: lua_State) => number) | undefined): void {
    task.wait = undefined;
    task.push = push;
    if (current === undefined) resume(task, 0);
    else setImmediate(resumeUnlessEnded, task);
  }

  /** For a task woken while Lua code was running. */
  function resumeUnlessEnded(task: Task): void {
    if (!task.ended) resume(task, 0);
  }

  /** The rest of a C function that suspended; below the protection of its own coroutine, so `push` may raise. */
  function pushResults(L: lua_State, _status: number, task: Task): number {
    const { push } = task;
    task.push = undefined;
    return push === undefined ? 0 : push(L);
  }

  return {
    run(activity, push, done) {
      const co = lua.lua_newthread(main);
      // Fengari's threads live as long as JavaScript refers to them: no anchor is needed.
      lua.lua_pop(main, 1);
      const task = new Task(activity, co, done, abort);
      const args = push(co);
      size++;
      resume(task, args);
      return task;
    },
    current: () => current?.activity,
    suspend,
    exit(L, reason) {
      if (current === undefined) return raise(L, "attempt to exit outside of a request");
      doom(current, { kind: "exited", reason });
      return limits.kill(L);
    },
    get size() {
      return size;
    },
  };
}
