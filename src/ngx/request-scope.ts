/** Finds the request that the running Lua code serves, and refuses what its phase does not allow. */

import type { lua_State } from "#fengari";
import type { LogLevel } from "../core/log.ts";
import { raise } from "../lua/stack.ts";
import { Exchange, Surroundings } from "./exchange.ts";
import type { NgxHost } from "./host.ts";

/** lua-nginx-module's name for what is running, as its error messages have it; undefined where it has no request. */
function contextName(host: NgxHost): string | undefined {
  const context = host.scheduler.current()?.context;
  if (context instanceof Exchange) return `${context.phase}_by_lua*`;
  if (!(context instanceof Surroundings) || context.phase === "init") return undefined;
  return context.phase === "timer" ? "ngx.timer" : "init_worker_by_lua*";
}

/** The running code's request; raises outside of requests. */
export function requestOf(L: lua_State, host: NgxHost): Exchange {
  const context = host.scheduler.current()?.context;
  if (context instanceof Exchange) return context;
  if (contextName(host) !== undefined) raise(L, "API disabled in the current context");
  return raise(L, "no request found");
}

/** The running code's request in the phases that may write, wait and end it: rewrite, access and content. */
export function requestInMainPhase(L: lua_State, host: NgxHost): Exchange {
  const context = host.scheduler.current()?.context;
  if (context instanceof Exchange && isMainPhase(context)) return context;
  return disabled(L, host);
}

/** Raises unless the running code may wait: filters and log_by may not, in init there is nothing to wait for. */
export function requireYieldable(L: lua_State, host: NgxHost): void {
  const context = host.scheduler.current()?.context;
  if (context instanceof Exchange && !isMainPhase(context)) disabled(L, host);
  if (context instanceof Surroundings && context.phase !== "timer") disabled(L, host);
}

/** Raises the message for a function that this phase does not allow. */
export function disabled(L: lua_State, host: NgxHost): never {
  const name = contextName(host);
  return raise(L, name === undefined ? "no request found" : `API disabled in the context of ${name}`);
}

/** Logs with nginx's suffix, which says whose request it was. */
export function logForRequest(host: NgxHost, exchange: Exchange, level: LogLevel, message: string): void {
  const { request } = exchange;
  const name = exchange.headers.get("host");
  host.log(
    level,
    `${message}, client: ${request.remoteAddr}, server: ${request.serverName}, ` +
      `request: "${request.method} ${request.target} HTTP/${request.httpVersion}"` +
      (name === undefined ? "" : `, host: "${name}"`),
  );
}

function isMainPhase({ phase }: Exchange): boolean {
  return phase === "content" || phase === "access" || phase === "rewrite";
}
