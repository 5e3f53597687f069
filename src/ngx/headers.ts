/** `ngx.header` and `ngx.resp`: the response's headers, read and written. */

import { lua, type lua_State } from "#fengari";
import { type LuaRef, raise, setFunction, toBytes } from "../lua/stack.ts";
import type { Exchange } from "./exchange.ts";
import {
  createHeadersMetatable,
  headerLimit,
  headerValuesAt,
  pushHeaders,
  pushValues,
  stringAt,
} from "./headers-table.ts";
import type { NgxHost } from "./host.ts";
import { setComputedTable } from "./magic-fields.ts";
import { logForRequest, requestOf } from "./request-scope.ts";

/** `lua_transform_underscores_in_response_headers`, on by default. */
function nameAt(L: lua_State): string {
  return stringAt(L, 2).replaceAll("_", "-");
}

function getHeader(L: lua_State, host: NgxHost): number {
  const exchange = requestOf(L, host);
  const lowered = nameAt(L).toLowerCase();
  if (lowered === "content-type") exchange.stream.headers.chooseContentType(exchange.status);
  pushValues(L, exchange.stream.headers.get(lowered));
  return 1;
}

function setHeader(L: lua_State, host: NgxHost): number {
  const exchange = requestOf(L, host);
  if (exchange.stream.headSent) {
    const message = "attempt to set ngx.header.HEADER after sending out response headers";
    logForRequest(host, exchange, "error", message);
    return 0;
  }
  if (!exchange.stream.headers.set(nameAt(L), headerValuesAt(L, 3))) raise(L, "failed to set header");
  return 0;
}

/** What nginx will say of the connection. */
function connectionHeader({ headers, request, status }: Exchange): string {
  if (status === 101) return "upgrade";
  const asked = (headers.get("connection") ?? "").toLowerCase();
  if (request.httpVersion === "1.0") return asked.includes("keep-alive") ? "keep-alive" : "close";
  return asked.includes("close") ? "close" : "keep-alive";
}

function getHeaders(L: lua_State, host: NgxHost, pushMetatable: LuaRef): number {
  const limit = headerLimit(L);
  const exchange = requestOf(L, host);
  const { headers } = exchange.stream;
  headers.chooseContentType(exchange.status);
  // Like nginx: these two stand in lower case, count towards the limit, and are never left out.
  const extra = ["connection", connectionHeader(exchange)];
  if (headers.contentType !== undefined) extra.push("content-type", headers.contentType);
  return pushHeaders(L, [...extra, ...headers.lines], { ...limit, pushMetatable }, extra.length / 2);
}

/** Sets `header` and `resp.get_headers`; +0. */
export function openHeaders(L: lua_State, host: NgxHost): void {
  setComputedTable(
    L,
    "header",
    (L) => getHeader(L, host),
    (L) => setHeader(L, host),
  );

  const pushMetatable = createHeadersMetatable(L);
  lua.lua_createtable(L, 0, 1);
  setFunction(L, "get_headers", (L) => getHeaders(L, host, pushMetatable));
  lua.lua_setfield(L, -2, toBytes("resp"));
}
