/** `ngx.status` and `ngx.headers_sent`. */

import { lua, type lua_State } from "#fengari";
import { pushNumber, raise } from "../lua/stack.ts";
import type { NgxHost } from "./host.ts";
import type { MagicField } from "./magic-fields.ts";
import { logForRequest, requestOf } from "./request-scope.ts";

function setStatus(L: lua_State, host: NgxHost, index: number): void {
  const exchange = requestOf(L, host);
  const status = lua.lua_tonumber(L, index);
  // A status line has three digits; nginx would send what the client cannot read.
  if (!(status >= 100 && status < 1000)) raise(L, `bad status ${status}: it takes 100 to 999`);
  if (exchange.stream.headSent) {
    const message = "attempt to set ngx.status after sending out response headers";
    logForRequest(host, exchange, "error", message);
    return;
  }
  exchange.status = Math.trunc(status);
}

/** `ngx.status`: 0 until it is set or the head is sent, as in lua-nginx-module. */
export function statusField(host: NgxHost): MagicField {
  return {
    get: (L) => pushNumber(L, requestOf(L, host).status),
    set: (L, index) => setStatus(L, host, index),
  };
}

/** `ngx.headers_sent`: whether the head is out of Lua's reach. */
export function headersSentField(host: NgxHost): MagicField {
  return { get: (L) => lua.lua_pushboolean(L, requestOf(L, host).stream.headSent) };
}
