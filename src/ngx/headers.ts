/** `ngx.header` and `ngx.resp`: the response's headers, read and written. */

import { lua, type lua_State } from "#fengari";
import { pushText, raise, setFunction, toBytes } from "../lua/stack.ts";
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

function getHeaders(L: lua_State, host: NgxHost, pushMetatable: (L: lua_State) => void): number {
  const { max, raw } = headerLimit(L);
  const exchange = requestOf(L, host);
  const { headers } = exchange.stream;
  headers.chooseContentType(exchange.status);
  // Like nginx: these two stand in lower case, count towards the limit, and are never left out.
  const extra = ["connection", connectionHeader(exchange)];
  if (headers.contentType !== undefined) extra.push("content-type", headers.contentType);
  const lines = [...extra, ...headers.lines];
  const truncated = max > 0 && lines.length / 2 > max;
  pushHeaders(L, lines, truncated ? Math.max(max, extra.length / 2) : lines.length / 2, raw);
  if (!raw) {
    pushMetatable(L);
    lua.lua_setmetatable(L, -2);
  }
  if (!truncated) return 1;
  pushText(L, "truncated");
  return 2;
}

/** Sets `header` and `resp.get_headers`; +0. */
export function openHeaders(L: lua_State, host: NgxHost): void {
  lua.lua_createtable(L, 0, 0);
  lua.lua_createtable(L, 0, 2);
  setFunction(L, "__index", (L) => getHeader(L, host));
  setFunction(L, "__newindex", (L) => setHeader(L, host));
  lua.lua_setmetatable(L, -2);
  lua.lua_setfield(L, -2, toBytes("header"));

  const pushMetatable = createHeadersMetatable(L);
  lua.lua_createtable(L, 0, 1);
  setFunction(L, "get_headers", (L) => getHeaders(L, host, pushMetatable));
  lua.lua_setfield(L, -2, toBytes("resp"));
}
