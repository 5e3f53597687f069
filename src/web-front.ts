/** The agent's HTTP side: the servers document, the table of locations made of it, the data plane and the control plane. */

import { posix } from "node:path";
import type { Config } from "./config/index.ts";
import type { LocationHandlers } from "./core/exchange.ts";
import type { LogLevel } from "./core/log.ts";
import { formatListen, type ServersDocument } from "./core/servers.ts";
import type { TrafficStatus } from "./core/status.ts";
import type { Dispatcher } from "./core/work.ts";
import type { ControlledAgent } from "./http/control/controlled-agent.ts";
import { type ControlPlane, createControlPlane } from "./http/control/server.ts";
import { type DataPlane, openDataPlane } from "./http/data-plane.ts";
import { createRoutes, type Routes } from "./http/routing.ts";
import { type ServersUpdateReport, updateServers } from "./http/servers-update.ts";

/** What the HTTP side needs of the rest of the agent once it runs. */
export interface WebFrontParts {
  readonly agent: ControlledAgent;
  /** Undefined where there are no VMs: nothing is served but the control plane. */
  readonly dispatcher: Dispatcher | undefined;
  /** The active generation. */
  readonly generation: () => number;
  readonly log: (level: LogLevel, message: string) => void;
  /** Makes every VM know these locations, before a request can come for one of them. */
  readonly tellLocations: (locations: readonly LocationHandlers[]) => void;
  /** The files that handlers name have changed. */
  readonly watchFiles: (files: readonly string[]) => Promise<void>;
}

/** How long requests that wait for a VM may still come with a location of a table that was replaced. */
const keepReplacedMs = 60_000;

interface Replaced {
  readonly routes: Routes;
  readonly untilMs: number;
}

export class WebFront {
  readonly #config: Config;
  #servers: ServersDocument;
  #routes: Routes;
  #replaced: readonly Replaced[] = [];
  #parts: WebFrontParts | undefined;
  #data: DataPlane | undefined;
  #control: { readonly plane: ControlPlane; readonly address: string } | undefined;

  constructor(config: Config) {
    this.#config = config;
    this.#servers = { servers: config.servers };
    this.#routes = createRoutes(config.servers);
  }

  /** The servers as they are served now. */
  get servers(): ServersDocument {
    return this.#servers;
  }

  /** Every location that a request may come with: those of the table, and of tables replaced a short time ago. */
  get locations(): readonly LocationHandlers[] {
    const now = performance.now();
    this.#replaced = this.#replaced.filter(({ untilMs }) => untilMs > now);
    return [...this.#replaced.flatMap(({ routes }) => routes.locations), ...this.#routes.locations];
  }

  /** Absolute paths of handler files that are the same for every request. */
  get handlerFiles(): readonly string[] {
    const files = new Set<string>();
    for (const { handlers } of this.#routes.locations)
      for (const source of Object.values(handlers))
        if (source.kind === "file" && !source.path.includes("$"))
          files.add(posix.resolve(this.#config.prefix, source.path));
    return [...files];
  }

  /** Addresses that clients can connect to, `127.0.0.1:8080`. */
  get dataAddresses(): readonly string[] {
    return (this.#data?.addresses ?? []).map(formatListen);
  }

  /** Of the data plane: open connections, and responses so far by the first digit of their status. */
  get traffic(): Pick<TrafficStatus, "connections" | "responses"> {
    return { connections: this.#data?.connections ?? 0, responses: this.#data?.responses ?? [] };
  }

  /** Address of the control plane; undefined before `listen`. */
  get controlAddress(): string | undefined {
    return this.#control?.address;
  }

  /** @throws ReluaError `address-in-use`, `listen-failed` */
  async listen(parts: WebFrontParts): Promise<void> {
    this.#parts = parts;
    const { dispatcher } = parts;
    if (dispatcher)
      this.#data = await openDataPlane({
        dispatcher,
        routes: this.#routes,
        limits: { bodyBytes: this.#config.limits.bodyBytes },
        exposeGeneration: this.#config.exposeGeneration,
        generation: parts.generation,
        log: parts.log,
      });
    const plane = createControlPlane({ ...this.#config.control, agent: parts.agent, log: parts.log });
    this.#control = { plane, address: await plane.listen() };
  }

  /** Takes a new document by the rules of `PUT http_lua`; requests that start later are answered by it. */
  async update(put: ServersDocument): Promise<ServersUpdateReport> {
    const { next, problems, applied } = updateServers(this.#servers, put);
    if (applied > 0) {
      const routes = createRoutes(next.servers, this.#routes.nextId);
      this.#replaced = [
        ...this.#replaced,
        { routes: this.#routes, untilMs: performance.now() + keepReplacedMs },
      ];
      this.#servers = next;
      this.#routes = routes;
      // In this order: no VM ever meets a location that it has not been told of.
      this.#parts?.tellLocations(this.locations);
      this.#data?.replaceRoutes(routes);
      await this.#parts?.watchFiles(this.handlerFiles);
    }
    return { problems, applied };
  }

  /** Lets requests in flight end, for at most `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    await Promise.all([this.#data?.close(timeoutMs), this.#control?.plane.close(timeoutMs)]);
  }
}
