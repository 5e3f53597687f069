/** The real nginx with lua-nginx-module as a question needs it beside Relua. */

import { Nginx, nginxParts } from "../test/support/nginx.ts";
import type { ConfigInput } from "./built.ts";

export { Nginx, workerOf } from "../test/support/nginx.ts";

/** What is not installed, as the reason for which nothing is measured; undefined when all is there. */
export function whyNoNginx(): string | undefined {
  const missing = nginxParts.filter(({ path }) => path === undefined).map((part) => part.package);
  return missing.length === 0 ? undefined : `needs Debian's ${missing.join(" and ")}`;
}

export interface NginxOrder {
  /** Lua files by their path on `lua_package_path`. */
  readonly files: Readonly<Record<string, string>>;
  /** Handlers by location. */
  readonly locations: Readonly<Record<string, string>>;
  readonly codeCache: boolean;
  readonly workers: number;
}

/** Connections stay open however many requests they carry, as Relua's do. */
export function startNginx({ files, locations, codeCache, workers }: NginxOrder): Promise<Nginx> {
  return Nginx.start({
    files,
    workers,
    http: `keepalive_requests 1000000000; default_type text/plain; lua_code_cache ${codeCache ? "on" : "off"};`,
    server: Object.entries(locations)
      .map(([location, code]) => `location ${location} { content_by_lua_block { ${code} } }`)
      .join("\n"),
  });
}

/** The same locations for an agent. */
export function serversOf(locations: NginxOrder["locations"]): NonNullable<ConfigInput["servers"]> {
  return [
    {
      listens: ["127.0.0.1:0"],
      serverNames: [""],
      locations: Object.entries(locations).map(([location, code]) => ({
        location,
        lua: { content_by: code },
      })),
    },
  ];
}
