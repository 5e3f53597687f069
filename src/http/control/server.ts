/** The control plane's server: one address, the security rules, and behind them NJet's part and Relua's. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { formatListen, type ListenAddress } from "../../core/listen.ts";
import type { LogLevel } from "../../core/log.ts";
import { listenOn } from "../listening.ts";
import { discard } from "./body.ts";
import type { ControlledAgent } from "./controlled-agent.ts";
import { createNjetApi } from "./njet/api.ts";
import { configPath } from "./njet/path.ts";
import { problem, writeProblem } from "./problem.ts";
import { createReluaApi } from "./relua/api.ts";
import { createOperations } from "./relua/operations.ts";
import { createGate } from "./security.ts";

export interface ControlPlaneOptions {
  readonly agent: ControlledAgent;
  readonly listen: ListenAddress;
  /** Undefined: whoever reaches the address may call. */
  readonly token: string | undefined;
  /** Names that `Host` may have beside loopback names and the address itself. */
  readonly allowedHosts: readonly string[];
  readonly log: (level: LogLevel, message: string) => void;
}

export interface ControlPlane {
  /**
   * @returns the address, with the port that the system chose where 0 was asked for: `127.0.0.1:8081`
   * @throws ReluaError `address-in-use`, `listen-failed`
   */
  listen(): Promise<string>;
  /** Stops accepting, ends event streams, lets calls finish for at most `withinMs`. */
  close(withinMs?: number): Promise<void>;
}

const limits = {
  headerBytes: 16 * 1024,
  headers: 100,
  headersMs: 10_000,
  /** A call that waits for an outcome is not counted: this is for the request to arrive. */
  requestMs: 60_000,
  connections: 1024,
} as const;

const openPaths: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { agent, log } = options;
  const failed = (message: string) => log("error", `control plane: ${message}`);
  const { operations, events } = createOperations(agent);
  const gate = createGate({ ...options, listenHost: options.listen.host });
  const njet = createNjetApi({ agent, log: (message) => log("warn", message) });
  const relua = getRequestListener(createReluaApi({ operations, log: failed }).fetch, {
    overrideGlobalObjects: false,
  });

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader("x-content-type-options", "nosniff");
    response.setHeader("cache-control", "no-store");
    const target = request.url ?? "";
    const path = configPath(target);
    const open = openPaths.has(target.split("?", 1)[0] ?? "");
    const refusal = gate(request, path ? "njet" : open ? "open" : "relua");
    if (refusal) {
      await discard(request);
      writeProblem(response, refusal);
    } else if (path) await njet(path, request, response);
    else await relua(request, response);
  };

  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
    },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        // A client that went away is no failure, and there is nobody to tell. A request is destroyed when it is
        // read to its end, too.
        if (response.destroyed || (request.destroyed && !request.complete)) return;
        failed(error instanceof Error ? (error.stack ?? error.message) : String(error));
        if (!response.headersSent)
          writeProblem(
            response,
            problem(500, "internal", "this should not happen; the agent's log says more"),
          );
        else response.destroy();
      });
    },
  );
  server.maxHeadersCount = limits.headers;
  server.maxConnections = limits.connections;

  return {
    listen: async () => formatListen(await listenOn(server, options.listen, "control.listen")),
    close: async (withinMs = 1000) => {
      events.close();
      if (!server.listening) return;
      const cut = setTimeout(() => server.closeAllConnections(), withinMs);
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
      clearTimeout(cut);
    },
  };
}
