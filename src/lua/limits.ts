/** Ends Lua code that no pcall can hold: the count hook, what an activity may spend, and the uncatchable Kill. */

import { lua, type lua_State } from "#fengari";
import type { Activity } from "./activity.ts";
import { pushText, utf8ToLatin1 } from "./stack.ts";

/** Lua instructions between two looks at the limits; costs 0 to 15 % (facts.md, Fengari, "Limits"). */
const hookInterval = 1000;

/** What an activity may still spend; shared by all coroutines that serve it. */
export interface Allowance {
  /** Infinity when unlimited. Falls in steps of `hookInterval`, so a limit is kept to within one step. */
  instructionsLeft: number;
  /** Clock of `performance.now()`; Infinity when unlimited. */
  readonly deadlineAtMs: number;
}

const unlimited: Allowance = {
  instructionsLeft: Number.POSITIVE_INFINITY,
  deadlineAtMs: Number.POSITIVE_INFINITY,
};

/** Budgets of activities that count instructions: what one coroutine spent is gone for the next one. */
const budgets = new WeakMap<Activity, Allowance>();

export function allowanceOf(activity: Activity): Allowance {
  if (activity.instructions === 0 && activity.deadlineMs === 0) return unlimited;
  const deadlineAtMs =
    activity.deadlineMs === 0 ? Number.POSITIVE_INFINITY : activity.startedAtMs + activity.deadlineMs;
  if (activity.instructions === 0) return { instructionsLeft: Number.POSITIVE_INFINITY, deadlineAtMs };
  let allowance = budgets.get(activity);
  if (allowance === undefined) {
    allowance = { instructionsLeft: activity.instructions, deadlineAtMs };
    budgets.set(activity, allowance);
  }
  return allowance;
}

/** Takes some instructions off; the reason to kill when that, or the time, was too much. */
export function spend(allowance: Allowance, instructions: number): "instructions" | "deadline" | undefined {
  allowance.instructionsLeft -= instructions;
  if (allowance.instructionsLeft < 0) return "instructions";
  if (isPast(allowance.deadlineAtMs)) return "deadline";
  return undefined;
}

/** Reads the clock only when there is a deadline. */
function isPast(deadlineAtMs: number): boolean {
  return deadlineAtMs !== Number.POSITIVE_INFINITY && performance.now() >= deadlineAtMs;
}

/**
 * The JavaScript exception that ends a coroutine. Not an Error: it is thrown often (`ngx.exit`), carries nothing,
 * and a stack trace would cost more than the rest of the call.
 */
class Kill {}
const theKill = new Kill();

/** The instruction counter that Fengari keeps on each coroutine; its API has no reader for it. */
interface Counted {
  readonly hookcount: number;
}

export interface Limits {
  /** Throws the Kill from the code that runs in `co`; every protected call on the way lets it pass. */
  kill(co: lua_State): never;
  /** Makes the next instruction of `co` ask `doomed`; for code that is to be killed and does not run just now. */
  arm(co: lua_State): void;
  /** Undoes `arm` on the main state, from which new coroutines take their hook. */
  disarmMain(): void;
  /** Instructions that `co`, now ended, ran since its last hook. */
  uncounted(co: lua_State): number;
}

/**
 * Installs the hook and the handler of JavaScript exceptions on a state. Must come before any coroutine is made:
 * coroutines inherit the hook from the one that makes them. `doomed` is asked every `hookInterval` instructions
 * whether the running activity is to end; `onNativeError` hears of JavaScript errors that became Lua errors.
 *
 * Fengari hands an exception that is not its own to `lua_atnativeerror`; when that throws as well, the protected
 * call ends without running any handler. A yieldable pcall keeps no JavaScript frame, so the Kill goes straight to
 * `lua_resume`. A pcall below a C function (sort, gsub) returns to its caller instead, whose next instruction
 * meets the hook again, armed at a count of 1: no Lua instruction runs.
 */
export function installLimits(
  L: lua_State,
  doomed: (instructions: number) => boolean,
  onNativeError: (error: unknown) => void,
): Limits {
  const { lua_sethook, LUA_MASKCOUNT } = lua;

  const hook = (co: lua_State): void => {
    if (doomed(lua.lua_gethookcount(co))) kill(co);
  };

  const arm = (co: lua_State): void => lua_sethook(co, hook, LUA_MASKCOUNT, 1);

  const kill = (co: lua_State): never => {
    arm(co);
    throw theKill;
  };

  lua_sethook(L, hook, LUA_MASKCOUNT, hookInterval);
  lua.lua_atnativeerror(L, (co: lua_State): number => {
    const error: unknown = lua.lua_touserdata(co, 1);
    if (error === theKill) throw error;
    pushText(co, describeNativeError(error, onNativeError));
    return 1;
  });

  return {
    kill,
    arm,
    disarmMain: () => lua_sethook(L, hook, LUA_MASKCOUNT, hookInterval),
    uncounted: (co) => lua.lua_gethookcount(co) - (co as unknown as Counted).hookcount,
  };
}

/** V8's own limits in Lua's words; anything else is a defect of Relua, told to `onNativeError` as well. Latin1. */
export function describeNativeError(error: unknown, onNativeError: (error: unknown) => void): string {
  if (error instanceof RangeError) {
    if (error.message.includes("call stack")) return "stack overflow";
    if (/^Invalid .*length|allocation failed/.test(error.message)) return "not enough memory";
  }
  onNativeError(error);
  return `internal error: ${utf8ToLatin1(String(error))}`;
}
