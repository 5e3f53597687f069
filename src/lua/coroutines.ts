/** The coroutine library: Lua's own behaviour, and a scheduler's suspension passes through user coroutines. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { pushText, raise, setFunction, toBytes } from "./stack.ts";

/** What the library needs from the scheduler, to which it belongs. */
export interface Nesting {
  /** The coroutine that the scheduler started itself and that is running now; undefined outside. */
  top(): lua_State | undefined;
  /** Resumes `co` from `from` with its `args` topmost values: a lua_resume that lets a Kill pass. */
  resume(co: lua_State, from: lua_State, args: number): number;
  /** True when the coroutine that has just yielded did so to suspend its whole activity. */
  suspended(): boolean;
  /**
   * Parks a coroutine in the middle of which the activity is suspended: to Lua code it is "normal" (it waits for
   * one that it resumed), to Fengari it is yielded, and nobody but the scheduler may resume it.
   */
  park(co: lua_State): void;
  unpark(co: lua_State): void;
  /** How a parked coroutine looks to Lua code: dead once its activity is over. */
  parkedStatus(co: lua_State): "normal" | "dead" | undefined;
  /** Lets the calling coroutine, the scheduler's own, wait for the next turn of the event loop. */
  pause(L: lua_State): number;
}

type Status = "running" | "suspended" | "normal" | "dead";

/**
 * Replaces `coroutine.*` in the globals of a main state. Differences from Lua 5.3, all of them LuaJIT's or
 * lua-nginx-module's: `running` returns one value, nil on the main state; `yield` in a handler, outside of any
 * coroutine of the user's, lets other requests run and returns nothing.
 */
export function installCoroutines(main: lua_State, nesting: Nesting): void {
  const { LUA_OK, LUA_YIELD } = lua;
  const threadExpected = toBytes("coroutine expected");
  const frame = new lua.lua_Debug();

  const statusOf = (L: lua_State, co: lua_State): Status => {
    if (L === co) return "running";
    const parked = nesting.parkedStatus(co);
    if (parked !== undefined) return parked;
    const status = lua.lua_status(co);
    if (status === LUA_YIELD) return "suspended";
    if (status !== LUA_OK) return "dead";
    if (lua.lua_getstack(co, 0, frame) > 0) return "normal";
    return lua.lua_gettop(co) === 0 ? "dead" : "suspended";
  };

  /** Moves the arguments over and resumes; a status, or -1 with a message on `L`. */
  const start = (L: lua_State, co: lua_State, args: number): number => {
    const status = statusOf(L, co);
    let problem: string | undefined;
    if (status === "dead") problem = "cannot resume dead coroutine";
    else if (status !== "suspended") problem = "cannot resume non-suspended coroutine";
    else if (!lua.lua_checkstack(co, args)) problem = "too many arguments to resume";
    if (problem !== undefined) {
      pushText(L, problem);
      return -1;
    }
    lua.lua_xmove(L, co, args);
    return nesting.resume(co, L, args);
  };

  /** Goes on with a coroutine that was suspended together with the one that resumed it. */
  const goOn = (L: lua_State, co: lua_State): number => {
    nesting.unpark(co);
    return nesting.resume(co, L, 0);
  };

  /** Moves what `co` yielded, returned or raised to `L`; the number of values, or -1 with the error on `L`. */
  const collect = (L: lua_State, co: lua_State, status: number): number => {
    if (status === -1) return -1;
    if (status !== LUA_OK && status !== LUA_YIELD) {
      lua.lua_xmove(co, L, 1);
      return -1;
    }
    const count = lua.lua_gettop(co);
    if (!lua.lua_checkstack(L, count + 1)) {
      lua.lua_pop(co, count);
      pushText(L, "too many results to resume");
      return -1;
    }
    lua.lua_xmove(co, L, count);
    return count;
  };

  type Continuation = (L: lua_State, status: number, co: lua_State) => number;

  /** Suspends the coroutine that resumed `co`, since `co` has suspended its whole activity. */
  const suspendOutward = (L: lua_State, co: lua_State, then: Continuation): number => {
    nesting.park(co);
    return lua.lua_yieldk(L, 0, co, then);
  };

  /** The end of `resume`, at once or after a suspension: true and the values, or false and the error. */
  const finishResume = (L: lua_State, co: lua_State, status: number): number => {
    if (status === LUA_YIELD && nesting.suspended()) return suspendOutward(L, co, continueResume);
    const count = collect(L, co, status);
    const pushed = count < 0 ? 1 : count;
    lua.lua_pushboolean(L, count >= 0);
    lua.lua_insert(L, -(pushed + 1));
    return pushed + 1;
  };
  const continueResume: Continuation = (L, _status, co) => finishResume(L, co, goOn(L, co));

  /** The end of a wrapped function: the values, or the error, with a position when it is a string. */
  const finishWrapped = (L: lua_State, co: lua_State, status: number): number => {
    if (status === LUA_YIELD && nesting.suspended()) return suspendOutward(L, co, continueWrapped);
    const count = collect(L, co, status);
    if (count >= 0) return count;
    if (lua.lua_type(L, -1) === lua.LUA_TSTRING) {
      lauxlib.luaL_where(L, 1);
      lua.lua_insert(L, -2);
      lua.lua_concat(L, 2);
    }
    return lua.lua_error(L);
  };
  const continueWrapped: Continuation = (L, _status, co) => finishWrapped(L, co, goOn(L, co));

  const argument = (L: lua_State): lua_State => {
    const co = lua.lua_tothread(L, 1) as lua_State | null;
    return co ?? lauxlib.luaL_argerror(L, 1, threadExpected);
  };

  const create = (L: lua_State): number => {
    lauxlib.luaL_checktype(L, 1, lua.LUA_TFUNCTION);
    const co = lua.lua_newthread(L);
    lua.lua_pushvalue(L, 1);
    lua.lua_xmove(L, co, 1);
    return 1;
  };

  const wrapped = (L: lua_State): number => {
    const co = lua.lua_tothread(L, lua.lua_upvalueindex(1)) as lua_State;
    return finishWrapped(L, co, start(L, co, lua.lua_gettop(L)));
  };

  const yieldValues = (L: lua_State): number => {
    if (L === nesting.top()) return nesting.pause(L);
    if (L === main) return raise(L, "attempt to yield from outside a coroutine");
    if (!lua.lua_isyieldable(L)) return raise(L, "attempt to yield across a C-call boundary");
    return lua.lua_yieldk(L, lua.lua_gettop(L), 0, null);
  };

  openTable(main);
  setFunction(main, "create", create);
  setFunction(main, "resume", (L) => {
    const co = argument(L);
    return finishResume(L, co, start(L, co, lua.lua_gettop(L) - 1));
  });
  setFunction(main, "wrap", (L) => {
    create(L);
    lua.lua_pushcclosure(L, wrapped, 1);
    return 1;
  });
  setFunction(main, "yield", yieldValues);
  setFunction(main, "status", (L) => {
    pushText(L, statusOf(L, argument(L)));
    return 1;
  });
  setFunction(main, "isyieldable", (L) => {
    lua.lua_pushboolean(L, lua.lua_isyieldable(L));
    return 1;
  });
  setFunction(main, "running", (L) => {
    if (lua.lua_pushthread(L)) lua.lua_pushnil(L);
    return 1;
  });
  lua.lua_pop(main, 1);
}

/** Pushes the `coroutine` table, the one that `package.loaded` and others already hold, if there is one; +1. */
function openTable(L: lua_State): void {
  const name = toBytes("coroutine");
  if (lua.lua_getglobal(L, name) === lua.LUA_TTABLE) return;
  lua.lua_pop(L, 1);
  lua.lua_newtable(L);
  lua.lua_pushvalue(L, -1);
  lua.lua_setglobal(L, name);
}
