/**
 * Clock functions of the ngx API. nginx answers from a time it caches once per turn of its event loop, to save
 * system calls, and `ngx.update_time` refreshes that; here every call reads the clock, so it has nothing to do.
 */

import { lua, type lua_State } from "#fengari";
import { pushNumber, pushText, raise, setFunction, textAt } from "../lua/stack.ts";
import type { NgxHost } from "./host.ts";
import { cookieTime, httpTime, parseHttpTime } from "./http-date.ts";

/** `2010-11-18 11:27:35` in UTC, or in the process's time zone. */
export function wallClock(at: Date, zone: "utc" | "local"): string {
  const shifted = zone === "utc" ? at : new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 19).replace("T", " ");
}

function secondsArgument(L: lua_State): number {
  if (lua.lua_type(L, 1) !== lua.LUA_TNUMBER) raise(L, "number argument only");
  return lua.lua_tonumber(L, 1);
}

function setClock(L: lua_State, name: string, read: () => number | string): void {
  setFunction(L, name, (L) => {
    const value = read();
    if (typeof value === "string") pushText(L, value);
    else pushNumber(L, value);
    return 1;
  });
}

function parseHttpTimeFunction(L: lua_State): number {
  if (lua.lua_type(L, 1) !== lua.LUA_TSTRING) raise(L, "string argument only");
  const seconds = parseHttpTime(textAt(L, 1) as string);
  if (seconds === undefined) lua.lua_pushnil(L);
  else pushNumber(L, seconds);
  return 1;
}

/**
 * Sets `now`, `time`, `today`, `localtime`, `utctime`, `update_time`, `http_time`, `cookie_time`,
 * `parse_http_time`; +0.
 */
export function openTime(L: lua_State, _host: NgxHost): void {
  setClock(L, "now", () => Date.now() / 1000);
  setClock(L, "time", () => Math.floor(Date.now() / 1000));
  setClock(L, "today", () => wallClock(new Date(), "local").slice(0, 10));
  setClock(L, "localtime", () => wallClock(new Date(), "local"));
  setClock(L, "utctime", () => wallClock(new Date(), "utc"));
  setFunction(L, "update_time", () => 0);
  setFunction(L, "http_time", (L) => {
    pushText(L, httpTime(secondsArgument(L)));
    return 1;
  });
  setFunction(L, "cookie_time", (L) => {
    pushText(L, cookieTime(secondsArgument(L)));
    return 1;
  });
  setFunction(L, "parse_http_time", parseHttpTimeFunction);
}
