/** `ngx.var`: nginx's variables of the current request, and the few that can be written. */

import { lua, type lua_State } from "#fengari";
import { pushText, raise, textAt, toText } from "../lua/stack.ts";
import type { Exchange } from "./exchange.ts";
import type { NgxHost } from "./host.ts";
import { setComputedTable } from "./magic-fields.ts";
import { requestOf } from "./request-scope.ts";
import { builtinVariables } from "./variable-list.ts";

/** The first argument of that name in a query, as it stands there: `$arg_name` is not unescaped (nginx). */
function argument(query: string, lowered: string): string | undefined {
  for (let start = 0; start < query.length; ) {
    const ampersand = query.indexOf("&", start);
    const end = ampersand < 0 ? query.length : ampersand;
    const equals = query.indexOf("=", start);
    if (
      equals === start + lowered.length &&
      equals < end &&
      query.slice(start, equals).toLowerCase() === lowered
    ) {
      return query.slice(equals + 1, end);
    }
    start = end + 1;
  }
  return undefined;
}

/** A cookie of the request by its name, in any case (ngx_http_parse_multi_header_lines). */
function cookie(exchange: Exchange, lowered: string): string | undefined {
  for (const part of (exchange.headers.joined("cookie", "; ") ?? "").split(";")) {
    const equals = part.indexOf("=");
    if (equals >= 0 && part.slice(0, equals).trim().toLowerCase() === lowered)
      return part.slice(equals + 1).trim();
  }
  return undefined;
}

function sentHeader(exchange: Exchange, name: string): string | undefined {
  const values = exchange.stream.headers.get(name.replaceAll("_", "-"));
  return values.length === 0 ? undefined : values.join(", ");
}

/** nginx's `$name` for this request; undefined when it has none. `name` in any case. */
export function readVariable(exchange: Exchange, host: NgxHost, name: string): string | undefined {
  const lowered = name.toLowerCase();
  const builtin = builtinVariables.get(lowered);
  if (builtin !== undefined) return builtin(exchange, host);
  if (/^\d+$/.test(lowered)) return exchange.captures[Number(lowered) - 1];
  if (lowered.startsWith("arg_")) return argument(exchange.args, lowered.slice(4));
  if (lowered.startsWith("http_")) return requestHeader(exchange, lowered.slice(5));
  if (lowered.startsWith("cookie_")) return cookie(exchange, lowered.slice(7));
  if (lowered.startsWith("sent_http_")) return sentHeader(exchange, lowered.slice(10));
  return undefined;
}

function requestHeader(exchange: Exchange, name: string): string | undefined {
  return exchange.headers.joined(name.replaceAll("_", "-"), name === "cookie" ? "; " : ", ");
}

function get(L: lua_State, host: NgxHost): number {
  const exchange = requestOf(L, host);
  const type = lua.lua_type(L, 2);
  let value: string | undefined;
  if (type === lua.LUA_TSTRING) value = readVariable(exchange, host, textAt(L, 2) as string);
  else if (type === lua.LUA_TNUMBER) value = exchange.captures[Math.trunc(lua.lua_tonumber(L, 2)) - 1];
  else raise(L, "bad variable name");
  if (value === undefined) lua.lua_pushnil(L);
  else pushText(L, value);
  return 1;
}

/** nginx's own variables for single headers; other `http_…` are unknown to it when written. */
const namedHeaders = new Set(
  ["host", "user_agent", "referer", "via", "x_forwarded_for", "cookie"].map((name) => `http_${name}`),
);

function set(L: lua_State, host: NgxHost): number {
  const exchange = requestOf(L, host);
  if (lua.lua_type(L, 2) !== lua.LUA_TSTRING) raise(L, "bad variable name");
  const name = (textAt(L, 2) as string).toLowerCase();
  const value = textAt(L, 3);
  if (value === undefined && !lua.lua_isnil(L, 3)) {
    raise(L, `string, number, or nil expected, but got ${toText(lua.lua_typename(L, lua.lua_type(L, 3)))}`);
  }
  if (name === "args") {
    exchange.args = value ?? "";
    exchange.argsGiven = value !== undefined;
    return 0;
  }
  if (builtinVariables.has(name) || namedHeaders.has(name)) raise(L, `variable "${name}" not changeable`);
  return raise(
    L,
    `variable "${name}" not found for writing; maybe it is a built-in variable that is not changeable or ` +
      `you forgot to use "set $${name} '';" in the config file to define it first`,
  );
}

/** Sets `var`; +0. */
export function openVariables(L: lua_State, host: NgxHost): void {
  setComputedTable(
    L,
    "var",
    (L) => get(L, host),
    (L) => set(L, host),
  );
}
