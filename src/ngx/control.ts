/** `ngx.exit`, `redirect`, `exec`, `on_abort`: how Lua code ends its request or sends it elsewhere. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { pushText, raise, setFunction, textAt, toBytes, toText } from "../lua/stack.ts";
import { encodeArguments } from "./arguments.ts";
import { type EndReason, Exchange, Surroundings } from "./exchange.ts";
import type { NgxHost } from "./host.ts";
import { disabled, logForRequest, requestInMainPhase, requestOf } from "./request-scope.ts";
import { parseUnsafeUri, refuseUnsafeBytes } from "./unsafe-uri.ts";

/** Statuses that `ngx.exit` may still ask for when the head is out: the connection closes. */
const alwaysTaken = new Set([408, 444, 499]);
const redirections = new Set([301, 302, 303, 307, 308]);

function end(L: lua_State, host: NgxHost, reason: EndReason): number {
  return host.scheduler.exit(L, reason);
}

function exit(L: lua_State, host: NgxHost): number {
  let status = Math.trunc(lauxlib.luaL_checknumber(L, 1));
  const context = host.scheduler.current()?.context;
  if (context instanceof Surroundings && context.phase === "timer")
    return end(L, host, { kind: "exit", status });
  if (!(context instanceof Exchange)) return disabled(L, host);
  if (context.phase === "body_filter" || context.phase === "log") return disabled(L, host);
  if (context.stream.headSent && status >= 300 && !alwaysTaken.has(status)) {
    if (status !== context.status) {
      const message = `attempt to set status ${status} via ngx.exit after sending out the response status`;
      logForRequest(host, context, "error", `${message} ${context.status}`);
    }
    status = 200;
  }
  if (context.phase === "header_filter") {
    // Takes effect when the filter returns; the code after it runs (lua-nginx-module, ngx.exit).
    context.filterExit = status;
    return 0;
  }
  return end(L, host, { kind: "exit", status });
}

function redirect(L: lua_State, host: NgxHost): number {
  const count = lua.lua_gettop(L);
  if (count !== 1 && count !== 2) raise(L, "expecting one or two arguments");
  const uri = toText(lauxlib.luaL_checkstring(L, 1));
  const status = count === 2 ? Math.trunc(lauxlib.luaL_checknumber(L, 2)) : 302;
  if (!redirections.has(status)) {
    raise(
      L,
      "only ngx.HTTP_MOVED_TEMPORARILY, ngx.HTTP_MOVED_PERMANENTLY, ngx.HTTP_PERMANENT_REDIRECT, " +
        "ngx.HTTP_SEE_OTHER, and ngx.HTTP_TEMPORARY_REDIRECT are allowed",
    );
  }
  const exchange = requestInMainPhase(L, host);
  if (exchange.stream.headSent) raise(L, "attempt to call ngx.redirect after sending out the headers");
  refuseUnsafeBytes(L, uri, "redirect uri");
  exchange.stream.headers.set("Location", [uri]);
  exchange.status = status;
  return end(L, host, { kind: "exit", status });
}

/** The query that `ngx.exec` was given apart from the URI's own. */
function execArguments(L: lua_State): string {
  switch (lua.lua_type(L, 2)) {
    case lua.LUA_TNUMBER:
    case lua.LUA_TSTRING:
      return textAt(L, 2) as string;
    case lua.LUA_TTABLE:
      return encodeArguments(L, 2);
    case lua.LUA_TNIL:
    case lua.LUA_TNONE:
      return "";
  }
  const got = toText(lauxlib.luaL_typename(L, 2));
  return lauxlib.luaL_argerror(L, 2, toBytes(`string, number, or table expected, but got ${got}`));
}

function exec(L: lua_State, host: NgxHost): number {
  const count = lua.lua_gettop(L);
  if (count !== 1 && count !== 2) raise(L, `expecting one or two arguments, but got ${count}`);
  const uri = toText(lauxlib.luaL_checkstring(L, 1));
  if (uri === "") raise(L, "The uri argument is empty");
  const exchange = requestInMainPhase(L, host);
  const parsed = parseUnsafeUri(uri) ?? raise(L, "unsafe uri");
  const args = [parsed.args, execArguments(L)].filter((part) => part !== "").join("&");
  if (exchange.stream.headSent) raise(L, "attempt to call ngx.exec after sending out response headers");
  if (!parsed.path.startsWith("@")) return end(L, host, { kind: "exec", uri: parsed.path, args });
  if (args !== "") {
    const message = `query strings ${args} ignored when exec'ing named location ${parsed.path}`;
    logForRequest(host, exchange, "warn", message);
  }
  return end(L, host, { kind: "exec", uri: parsed.path, args: undefined });
}

/** Sets `exit`, `redirect`, `exec`, `on_abort`; +0. */
export function openControl(L: lua_State, host: NgxHost): void {
  setFunction(L, "exit", (L) => exit(L, host));
  setFunction(L, "redirect", (L) => redirect(L, host));
  setFunction(L, "exec", (L) => exec(L, host));
  // nginx's default: lua_check_client_abort is off, and this is what it answers then.
  setFunction(L, "on_abort", (L) => {
    requestOf(L, host);
    lua.lua_pushnil(L);
    pushText(L, "lua_check_client_abort is off");
    return 2;
  });
}
