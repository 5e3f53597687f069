/** `ngx.req.get_headers`, `set_header`, `clear_header`. */

import { lua, type lua_State } from "#fengari";
import { parseHost } from "../core/host-name.ts";
import { type LuaRef, raise, setFunction } from "../lua/stack.ts";
import type { Exchange } from "./exchange.ts";
import {
  createHeadersMetatable,
  headerLimit,
  headerValuesAt,
  pushHeaders,
  stringAt,
} from "./headers-table.ts";
import type { NgxHost } from "./host.ts";
import { requestOf } from "./request-scope.ts";

function getHeaders(L: lua_State, host: NgxHost, pushMetatable: LuaRef): number {
  const limit = headerLimit(L);
  return pushHeaders(L, requestOf(L, host).headers.lines, { ...limit, pushMetatable });
}

/** Replaces a header for Lua and for `$http_…`; empty values remove it, as nginx removes them. */
function replace(L: lua_State, exchange: Exchange, name: string, values: readonly string[]): void {
  const kept = values.filter((value) => value !== "");
  if (name.toLowerCase() === "host") {
    const given = kept.at(-1);
    exchange.hostOverride = given === undefined ? "" : (parseHost(given) ?? raise(L, "error"));
  }
  exchange.headers.set(name, kept);
}

/** Sets `get_headers`, `set_header`, `clear_header` of `ngx.req`; +0. */
export function openRequestHeaders(L: lua_State, host: NgxHost): void {
  const pushMetatable = createHeadersMetatable(L);
  setFunction(L, "get_headers", (L) => getHeaders(L, host, pushMetatable));
  setFunction(L, "set_header", (L) => {
    const count = lua.lua_gettop(L);
    if (count !== 2) raise(L, `expecting two arguments, but seen ${count}`);
    replace(L, requestOf(L, host), stringAt(L, 1), headerValuesAt(L, 2));
    return 0;
  });
  setFunction(L, "clear_header", (L) => {
    const count = lua.lua_gettop(L);
    if (count !== 1) raise(L, `expecting one arguments, but seen ${count}`);
    replace(L, requestOf(L, host), stringAt(L, 1), []);
    return 0;
  });
}
