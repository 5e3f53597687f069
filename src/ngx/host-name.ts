/** The host a request is for, in nginx's order: request line, Host header, server name. */

import type { Exchange } from "./exchange.ts";

/** Host without port, in lower case; undefined when nginx would refuse it (ngx_http_validate_host). */
export function parseHost(given: string): string | undefined {
  const match = /^(\[[^\]/\0]*\]|[^:/\0]*)(?::\d*)?$/.exec(given);
  const name = match?.[1]?.toLowerCase().replace(/\.$/, "");
  return name === undefined || name === "" || name.includes("..") ? undefined : name;
}

/** `$host`. */
export function hostOf(exchange: Exchange): string {
  if (exchange.hostOverride !== undefined && exchange.hostOverride !== "") return exchange.hostOverride;
  const { target, serverName } = exchange.request;
  const authority = target.startsWith("/")
    ? undefined
    : /^[a-z][a-z0-9+.-]*:\/\/([^/?#]+)/i.exec(target)?.[1];
  const named = authority ?? (exchange.hostOverride === undefined ? exchange.headers.get("host") : undefined);
  return (named === undefined ? undefined : parseHost(named)) ?? serverName;
}
