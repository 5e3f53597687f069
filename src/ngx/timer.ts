/** `ngx.timer`: runs a function later, in the background of the VM (lua-nginx-module, ngx_http_lua_timer.c). */

import { lauxlib, lua, type lua_State } from "#fengari";
import { pushNumber, pushText, raise, setFunction, toBytes } from "../lua/stack.ts";
import { Exchange, Surroundings } from "./exchange.ts";
import type { NgxHost } from "./host.ts";

/** Why a timer is not started, in lua-nginx-module's words. */
export type TimerRefusal = "too many pending timers" | "process exiting";

/** Starts the timers of one Lua state. */
export interface TimerStarter {
  /** Takes the function at 2 and its arguments from 3 on; +0. `everyMs` is 0 for a timer that fires once. */
  start(L: lua_State, delayMs: number, everyMs: number): TimerRefusal | undefined;
  /** Not fired yet, in all VMs of the thread. */
  readonly pending: number;
  /** Callbacks that have not returned, likewise. */
  readonly running: number;
}

/** Sets `timer` with `at`, `every`, `running_count`, `pending_count`; +0. */
export function openTimer(L: lua_State, host: NgxHost): void {
  const { timers } = host;

  const start = (L: lua_State, every: boolean): number => {
    const count: number = lua.lua_gettop(L);
    if (count < 2) raise(L, `expecting at least 2 arguments but got ${count}`);
    const delayMs = Math.trunc(lauxlib.luaL_checknumber(L, 1) * 1000);
    // nginx's clock takes a negative delay for a time that has passed.
    const positive = delayMs > 0;
    if (every && !positive) raise(L, "delay cannot be zero");
    if (!lua.lua_isfunction(L, 2) || lua.lua_iscfunction(L, 2))
      lauxlib.luaL_argerror(L, 2, toBytes("Lua function expected"));
    requireContext(L, host);
    const refusal = timers?.start(L, positive ? delayMs : 0, every ? delayMs : 0);
    if (refusal === undefined) {
      lua.lua_pushinteger(L, 1);
      return 1;
    }
    lua.lua_pushnil(L);
    pushText(L, refusal);
    return 2;
  };

  lua.lua_createtable(L, 0, 4);
  setFunction(L, "at", (L) => start(L, false));
  setFunction(L, "every", (L) => start(L, true));
  setFunction(L, "running_count", (L) => {
    requireContext(L, host);
    pushNumber(L, timers?.running ?? 0);
    return 1;
  });
  setFunction(L, "pending_count", (L) => {
    requireContext(L, host);
    pushNumber(L, timers?.pending ?? 0);
    return 1;
  });
  lua.lua_setfield(L, -2, toBytes("timer"));
}

/** Timers are for every phase but init: there is no worker yet that could run them. */
function requireContext(L: lua_State, host: NgxHost): void {
  const context = host.scheduler.current()?.context;
  if (context instanceof Exchange) return;
  if (!(context instanceof Surroundings) || context.phase === "init") raise(L, "no request");
}
