/** The host a request is for, in nginx's order: request line, Host header, server name. */

import { parseHost } from "../core/host-name.ts";
import type { Exchange } from "./exchange.ts";

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
