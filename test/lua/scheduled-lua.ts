/** A Lua state with a scheduler whose clock stands still: the tests decide which sleeper is woken, and when. */

import { lauxlib, lua, type lua_State, lualib } from "#fengari";
import type { Activity, Outcome, Running } from "../../src/lua/activity.ts";
import { createScheduler, type SchedulerOptions } from "../../src/lua/scheduler.ts";
import { textAt, toBytes } from "../../src/lua/stack.ts";

/** How a program ended, with its results as `tostring` shows them. */
export type Ended =
  | { readonly kind: "returned"; readonly values: readonly string[] }
  | Exclude<Outcome, { kind: "returned" }>;

export interface Sleeper {
  readonly name: string;
  readonly wake: (push?: (co: lua_State) => number) => void;
}

export interface Program extends Running {
  /** Undefined while it runs or waits. */
  readonly ended: Ended | undefined;
  /** Resolves when it ends. */
  readonly end: Promise<Ended>;
}

export type ScheduledLua = ReturnType<typeof scheduledLua>;

/** Adds `sleep(name, …)` (returns what follows the name), `exit(reason)` and `emit(text)` to the globals. */
export function scheduledLua(options: SchedulerOptions = {}) {
  const L = lauxlib.luaL_newstate() as lua_State;
  lualib.luaL_openlibs(L);
  const scheduler = createScheduler(L, options);
  const sleepers: Sleeper[] = [];
  const cancelled: string[] = [];
  const emitted: string[] = [];

  const define = (name: string, fn: (co: lua_State) => number): void => {
    lua.lua_pushcfunction(L, fn);
    lua.lua_setglobal(L, toBytes(name));
  };
  define("sleep", (co) =>
    scheduler.suspend(co, (wake) => {
      const sleeper: Sleeper = { name: textAt(co, 1) ?? "", wake };
      sleepers.push(sleeper);
      return () => {
        sleepers.splice(sleepers.indexOf(sleeper), 1);
        cancelled.push(sleeper.name);
      };
    }),
  );
  define("exit", (co) => scheduler.exit(co, textAt(co, 1)));
  define("emit", (co) => {
    emitted.push(textAt(co, 1) ?? "");
    return 0;
  });

  /** Starts a chunk; `activity` fills in what matters to the test. */
  const start = (code: string, activity: Partial<Activity> = {}): Program =>
    startFunction((co) => loadInto(co, code), activity);

  const startFunction = (push: (co: lua_State) => number, activity: Partial<Activity> = {}): Program => {
    let ended: Ended | undefined;
    let settle: (ended: Ended) => void = () => {};
    const end = new Promise<Ended>((resolve) => {
      settle = resolve;
    });
    // An activity that is complete keeps its identity: its budget hangs on it.
    const complete = "view" in activity ? (activity as Activity) : { ...freeActivity(), ...activity };
    const running = scheduler.run(complete, push, (outcome, co) => {
      if (ended !== undefined) throw new Error("done was called twice");
      ended = outcome.kind === "returned" ? { kind: "returned", values: texts(co, outcome.values) } : outcome;
      settle(ended);
    });
    return {
      activity: complete,
      abort: () => running.abort(),
      end,
      get ended() {
        return ended;
      },
    };
  };

  /** Wakes the sleeper at this place of the line: `sleep(name, a, b)` returns a and b. */
  const wakeAt = (index: number): void => {
    const [sleeper] = sleepers.splice(index, 1);
    sleeper?.wake((co) => lua.lua_gettop(co) - 1);
  };

  return {
    L,
    scheduler,
    sleepers,
    cancelled,
    emitted,
    define,
    start,
    startFunction,
    wakeAt,
    wakeNext: () => wakeAt(0),
    wakeAll() {
      while (sleepers.length > 0) wakeAt(0);
    },
  };
}

export function freeActivity(): Activity {
  return {
    view: { generation: 1, enter() {}, leave() {} },
    instructions: 0,
    deadlineMs: 0,
    startedAtMs: performance.now(),
    context: undefined,
  };
}

/** Pushes a chunk, or a function that raises the compiler's message; returns 0, the number of its arguments. */
export function loadInto(co: lua_State, code: string): number {
  const bytes = toBytes(code);
  if (lauxlib.luaL_loadbuffer(co, bytes, bytes.length, toBytes("=program")) !== lua.LUA_OK) {
    throw new Error(textAt(co, -1));
  }
  return 0;
}

/** The topmost values as `tostring` shows them. */
export function texts(co: lua_State, count: number): string[] {
  const shown: string[] = [];
  for (let index = lua.lua_gettop(co) - count + 1; index <= lua.lua_gettop(co); index++) {
    lauxlib.luaL_tolstring(co, index);
    shown.push(textAt(co, -1) ?? "");
    lua.lua_pop(co, 1);
  }
  return shown;
}

export function returned(...values: string[]): Ended {
  return { kind: "returned", values };
}
