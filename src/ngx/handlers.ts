/** Starts the Lua code of a phase: how a handler gets onto a stack, and how those run that may not wait. */

import { lauxlib, lua, type lua_State } from "#fengari";
import type { HandlerSource, Phase } from "../core/exchange.ts";
import type { Activity, Outcome } from "../lua/activity.ts";
import { textAt } from "../lua/stack.ts";
import type { Exchange } from "./exchange.ts";
import type { NgxHost } from "./host.ts";

/** A handler that cannot run: its file is missing (404) or does not load (500). */
export interface HandlerFailure {
  readonly status: 404 | 500;
  /** What is logged, e.g. `content_by_lua(/x):1: unexpected symbol near '?'`. */
  readonly message: string;
}

/**
 * Pushes a fresh function for a handler onto `L`, with the environment of one request; +1. When it does not
 * load, pushes nothing and says why; raises no Lua error. Called before the request's view is entered, or, for
 * filters, within it.
 */
export type PushHandler = (
  L: lua_State,
  phase: Phase,
  source: HandlerSource,
  exchange: Exchange,
) => HandlerFailure | undefined;

/** What Fengari's lua_pcall says when a JavaScript exception passed its handler: the scheduler's Kill. */
const killed = -1;

/** Runs the handlers of one request. */
export class HandlerRunner {
  readonly #host: NgxHost;
  readonly #pushHandler: PushHandler;
  readonly #exchange: Exchange;

  constructor(host: NgxHost, pushHandler: PushHandler, exchange: Exchange) {
    this.#host = host;
    this.#pushHandler = pushHandler;
    this.#exchange = exchange;
  }

  /** Pushes the handler, or, when it does not load, a function that does nothing, and says so; +1. */
  push(co: lua_State, phase: Phase, source: HandlerSource): HandlerFailure | undefined {
    const failure = this.#pushHandler(co, phase, source, this.#exchange);
    if (failure !== undefined) lua.lua_pushcfunction(co, nothing);
    return failure;
  }

  /** Runs a handler that must not wait in a coroutine of its own; the error to log, if any. */
  runApart(activity: Activity, phase: Phase, source: HandlerSource): string | undefined {
    let failure: HandlerFailure | undefined;
    let outcome: Outcome | undefined;
    let refused = false;
    const running = this.#host.scheduler.run(
      activity,
      (co) => {
        failure = this.push(co, phase, source);
        return 0;
      },
      (how, co) => {
        outcome = how;
        refused = how.kind === "returned" && how.values > 0 && refuses(co, -how.values, phase);
      },
    );
    if (failure !== undefined) return loadError(source, failure);
    if (outcome === undefined) {
      running.abort();
      return `failed to run ${phase}_by_lua*: attempt to yield across C-call boundary`;
    }
    if (outcome.kind === "error") return `failed to run ${phase}_by_lua*: ${outcome.traceback}`;
    if (outcome.kind === "killed") return `failed to run ${phase}_by_lua*: stopped (${outcome.why})`;
    return refused ? refusal(phase) : undefined;
  }

  /** Runs a filter on the stack of the Lua code whose output it filters, as nginx does; the error to log, if any. */
  runWithin(L: lua_State, phase: Phase, source: HandlerSource): string | undefined {
    lauxlib.luaL_checkstack(L, 8, null);
    lua.lua_pushcfunction(L, traceback);
    const base = lua.lua_gettop(L);
    const failure = this.#pushHandler(L, phase, source, this.#exchange);
    if (failure !== undefined) {
      lua.lua_settop(L, base - 1);
      return loadError(source, failure);
    }
    const status = lua.lua_pcall(L, 0, 1, base);
    // The request's limit was reached in here: its Kill goes on, past the code whose output is filtered.
    if (status === killed) this.#host.scheduler.exit(L, undefined);
    let error: string | undefined;
    if (status !== lua.LUA_OK) error = `failed to run ${phase}_by_lua*: ${textAt(L, -1) ?? "unknown reason"}`;
    else if (refuses(L, -1, phase)) error = refusal(phase);
    lua.lua_settop(L, base - 1);
    return error;
  }
}

/** The message for a handler that did not load. */
export function loadError(source: HandlerSource, failure: HandlerFailure): string {
  return source.kind === "inline"
    ? `failed to load inlined Lua code: ${failure.message}`
    : `failed to load external Lua file "${source.path}": ${failure.message}`;
}

function nothing(): number {
  return 0;
}

/** A body filter may end the response by returning ngx.ERROR or a status of 300 and more; +0. */
function refuses(L: lua_State, index: number, phase: Phase): boolean {
  if (phase !== "body_filter" || lua.lua_type(L, index) !== lua.LUA_TNUMBER) return false;
  const result = lua.lua_tonumber(L, index);
  return result === -1 || result >= 300;
}

function refusal(phase: Phase): string {
  return `${phase}_by_lua* returned an error status`;
}

/** Message handler: appends the traceback to a message that is text. */
function traceback(L: lua_State): number {
  if (textAt(L, 1) !== undefined) lauxlib.luaL_traceback(L, L, lua.lua_tostring(L, 1), 1);
  return 1;
}
