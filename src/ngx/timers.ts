/**
 * The timers of one thread: fires them, says farewell to those whose code is evicted or whose VM ends, and leaves
 * none behind: the thread goes on to host another VM.
 */

import { lua, type lua_State } from "#fengari";
import type { LogLevel } from "../core/log.ts";
import type { Outcome, Running } from "../lua/activity.ts";
import { callerOf, definitionOf } from "../lua/caller.ts";
import type { View } from "../lua/generations.ts";
import { type LuaRef, refTo } from "../lua/stack.ts";
import type { Belongings, LuaVm } from "../lua/vm.ts";
import { Surroundings } from "./exchange.ts";
import type { TimerRefusal, TimerStarter } from "./timer.ts";

/** Defaults of `lua_max_pending_timers` and `lua_max_running_timers`. */
export const timerBounds = { pending: 1024, running: 256 } as const;

/** Node's longest timer; a longer one would fire at once. */
const longestMs = 2 ** 31 - 1;

/** A Lua state that timers belong to. */
export interface TimerHome {
  readonly vm: LuaVm;
  /** The VM serves one request: what its init starts would pile up, one with each request. */
  readonly fleeting: boolean;
  /** Milliseconds for the last call of a timer whose code is evicted; 0 = no limit. */
  readonly farewellMs: number;
  /** The text is latin1. */
  log(level: LogLevel, message: string): void;
}

interface Timer {
  readonly home: TimerHome;
  readonly fn: LuaRef;
  readonly args: readonly LuaRef[];
  /** 0 when it fires once. */
  readonly everyMs: number;
  /** Clock of `performance.now()`. */
  dueAtMs: number;
  /** Modules whose code started it or is called by it. */
  readonly owners: ReadonlySet<string>;
  /** The older generation whose code started it, until that ends; undefined for the active one. */
  startedOn: View | undefined;
  /** Started by code that is being said farewell to. */
  readonly leaving: boolean;
  cancel(): void;
}

/** A callback that has not returned. */
interface Run {
  readonly timer: Timer;
  /** Its code is gone, or its VM ends: `ngx.worker.exiting()` says so. */
  leaving: boolean;
  running: Running | undefined;
}

/** How a callback is run. */
interface Call {
  readonly premature: boolean;
  readonly leaving: boolean;
  /** 0 = no limit. */
  readonly deadlineMs: number;
  /** The active generation when undefined. */
  readonly view?: View;
}

const ordinary: Call = { premature: false, leaving: false, deadlineMs: 0 };

export class Timers {
  readonly #pending = new Set<Timer>();
  /** By the context of the run's activity. */
  readonly #runs = new Map<object, Run>();
  readonly #tellIdle: () => void;
  #exiting = false;

  /** `tellIdle` is called when a callback has returned and nothing is left. */
  constructor(tellIdle: () => void = () => {}) {
    this.#tellIdle = tellIdle;
  }

  get pending(): number {
    return this.#pending.size;
  }

  get running(): number {
    return this.#runs.size;
  }

  /** Nothing fires and nothing runs. */
  get idle(): boolean {
    return this.#pending.size === 0 && this.#runs.size === 0;
  }

  /** The timers of one Lua state. */
  of(home: TimerHome): StateTimers {
    return new StateTimers(this, home);
  }

  /** Begins the end: each pending timer is called for the last time, within `withinMs` all together. */
  expire(withinMs: number): void {
    this.#exiting = true;
    const endsAtMs = performance.now() + withinMs;
    for (const run of this.#runs.values()) run.leaving = true;
    for (const timer of [...this.#pending]) this.#farewell(timer, Math.max(1, endsAtMs - performance.now()));
  }

  /** Ends everything where it stands. Nothing fires afterwards. */
  close(): void {
    this.#exiting = true;
    for (const timer of this.#pending) timer.cancel();
    this.#pending.clear();
    for (const { running } of [...this.#runs.values()]) running?.abort();
    // What the end of an older generation has started meanwhile.
    for (const timer of this.#pending) timer.cancel();
    this.#pending.clear();
  }

  /** See TimerStarter.start. */
  start(home: TimerHome, L: lua_State, delayMs: number, everyMs: number): TimerRefusal | undefined {
    const context = home.vm.scheduler.current()?.context;
    const leaving = this.isLeaving(context);
    if ((this.#exiting || leaving) && delayMs > 0) return "process exiting";
    if (this.#pending.size >= timerBounds.pending) return "too many pending timers";
    if (home.fleeting && context instanceof Surroundings && context.phase === "init_worker") return undefined;

    const { shown, active } = home.vm.generations;
    const sources = [callerOf(L)?.source ?? "", definitionOf(L, 2).source];
    const owners = new Set(sources.flatMap((source) => home.vm.modulesOf(source)));
    const top: number = lua.lua_gettop(L);
    const args: LuaRef[] = [];
    for (let index = 3; index <= top; index++) args.push(refTo(L, index));
    const dueAtMs = performance.now() + delayMs;
    const fn = refTo(L, 2);
    const startedOn = shown === active ? undefined : shown;
    this.#schedule({ home, fn, args, everyMs, dueAtMs, owners, startedOn, leaving, cancel: () => {} });
    return undefined;
  }

  /** Whether this context is a callback whose code is gone or whose VM ends. */
  isLeaving(context: unknown): boolean {
    return this.#runs.get(context as object)?.leaving ?? false;
  }

  /** See Belongings.evicting. */
  evicting(home: TimerHome, names: ReadonlySet<string>): boolean {
    // What farewells start is due at once and fires in its own turn: calling it here might never end.
    const isOwned = (timer: Timer) =>
      timer.home === home && !timer.leaving && !isApart(timer) && hasOwnerIn(timer, names);
    for (const run of this.#runs.values()) if (isOwned(run.timer)) run.leaving = true;
    const owned = [...this.#pending].filter(isOwned);
    const early = owned.filter(isEarly).length;
    if (early > 0)
      home.log(
        "notice",
        early === 1 ? "1 timer ended with its code" : `${early} timers ended with their code`,
      );
    for (const timer of owned) this.#farewell(timer, home.farewellMs);
    return owned.length > 0;
  }

  /** See Belongings.ending. */
  ending(home: TimerHome, view: View): void {
    for (const timer of [...this.#pending]) {
      if (timer.home !== home || timer.startedOn !== view) continue;
      if (isApart(timer)) this.#farewell(timer, home.farewellMs, view);
      timer.startedOn = undefined;
    }
  }

  #schedule(timer: Timer): void {
    this.#pending.add(timer);
    const waitMs = timer.dueAtMs - performance.now();
    if (waitMs <= 0) {
      const turn = setImmediate(() => this.#fire(timer));
      timer.cancel = () => clearImmediate(turn);
      return;
    }
    const fire = waitMs > longestMs ? () => this.#schedule(timer) : () => this.#fire(timer);
    const wait = setTimeout(fire, Math.min(waitMs, longestMs));
    timer.cancel = () => clearTimeout(wait);
  }

  #fire(timer: Timer): void {
    this.#pending.delete(timer);
    if (timer.everyMs > 0) {
      timer.dueAtMs = performance.now() + timer.everyMs;
      this.#schedule(timer);
    }
    this.#call(timer, { ...ordinary, leaving: timer.leaving });
  }

  /** The last call. A timer that is due by now is not premature: it would have fired in this very turn. */
  #farewell(timer: Timer, deadlineMs: number, view?: View): void {
    if (!this.#pending.delete(timer)) return;
    timer.cancel();
    this.#call(timer, { premature: isEarly(timer), leaving: true, deadlineMs, ...(view && { view }) });
  }

  #call(timer: Timer, { premature, leaving, deadlineMs, view }: Call): void {
    const { home, fn, args } = timer;
    if (this.#runs.size >= timerBounds.running) {
      const { source, line } = definition(home.vm.L, fn);
      const problem = `${timerBounds.running} lua_max_running_timers are not enough`;
      home.log("alert", `lua failed to run timer with function defined at ${source}:${line}: ${problem}`);
      return;
    }
    const context = new Surroundings("timer");
    const run: Run = { timer, leaving, running: undefined };
    this.#runs.set(context, run);
    const activity = home.vm.begin({ deadlineMs, instructions: 0, context }, view);
    run.running = home.vm.scheduler.run(
      activity,
      (co) => {
        lua.lua_checkstack(co, args.length + 4);
        fn(co);
        lua.lua_pushboolean(co, premature);
        for (const push of args) push(co);
        return args.length + 1;
      },
      (outcome) => {
        this.#runs.delete(context);
        const problem = problemOf(outcome, deadlineMs);
        if (problem !== undefined)
          home.log("error", `lua entry thread aborted: ${problem}, context: ngx.timer`);
        home.vm.end(activity);
        if (this.idle) this.#tellIdle();
      },
    );
  }
}

/** What one Lua state sees of its thread's timers. */
export class StateTimers implements TimerStarter, Belongings {
  readonly #timers: Timers;
  readonly #home: TimerHome;

  constructor(timers: Timers, home: TimerHome) {
    this.#timers = timers;
    this.#home = home;
  }

  get pending(): number {
    return this.#timers.pending;
  }

  get running(): number {
    return this.#timers.running;
  }

  /** Whether the running code is a timer's whose module is evicted, or whose VM ends. */
  get leaving(): boolean {
    return this.#timers.isLeaving(this.#home.vm.scheduler.current()?.context);
  }

  start(L: lua_State, delayMs: number, everyMs: number): TimerRefusal | undefined {
    return this.#timers.start(this.#home, L, delayMs, everyMs);
  }

  evicting(names: ReadonlySet<string>): boolean {
    return this.#timers.evicting(this.#home, names);
  }

  ending(view: View): void {
    this.#timers.ending(this.#home, view);
  }
}

function hasOwnerIn({ owners }: Timer, names: { has(name: string): boolean }): boolean {
  for (const name of owners) if (names.has(name)) return true;
  return false;
}

/** Whether its modules are others in the active generation by now. */
function isApart(timer: Timer): boolean {
  return timer.startedOn !== undefined && hasOwnerIn(timer, timer.startedOn.apart);
}

/** Whether a last call now would come before its time. */
function isEarly({ everyMs, dueAtMs }: Timer): boolean {
  return everyMs > 0 || dueAtMs > performance.now();
}

function definition(L: lua_State, fn: LuaRef): { readonly source: string; readonly line: number } {
  fn(L);
  const found = definitionOf(L, -1);
  lua.lua_pop(L, 1);
  return found;
}

function problemOf(outcome: Outcome, deadlineMs: number): string | undefined {
  if (outcome.kind === "error") return `runtime error: ${outcome.traceback}`;
  if (outcome.kind !== "killed") return undefined;
  return outcome.why === "aborted" ? "its VM ended" : `its last call exceeded ${Math.ceil(deadlineMs)} ms`;
}
