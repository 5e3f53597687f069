/** A control plane that answers what a test says, and remembers what it was asked. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach } from "vitest";
import type { Outcome } from "../../src/core/outcome.ts";
import { presentOutcome } from "../../src/http/control/present.ts";

export interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

export interface Said {
  readonly status?: number;
  readonly type?: string;
  /** Text goes out as it is, anything else as JSON; undefined leaves the caller waiting. */
  readonly body: unknown;
}

const open = new Set<() => void>();

afterEach(() => {
  for (const close of open) close();
  open.clear();
});

export async function standInAgent(
  said: Said,
): Promise<{ readonly url: string; readonly host: string; readonly asked: readonly Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      asked.push({
        method: request.method,
        url: request.url,
        authorization: request.headers.authorization,
        body: text === "" ? undefined : JSON.parse(text),
      });
      const body = typeof said.body === "string" ? said.body : JSON.stringify(said.body);
      response.writeHead(said.status ?? 200, { "content-type": said.type ?? "application/json" }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.add(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${host}`, host, asked };
}

/** A reload's result as the control API writes it. */
export function result(changes: Partial<Outcome>): unknown {
  return presentOutcome(
    {
      id: 7,
      outcome: "committed",
      generation: 4,
      trigger: "api",
      reason: undefined,
      startedAt: Date.UTC(2026, 0, 2, 14, 3, 12),
      durationMs: 12.4,
      stages: { scanMs: 1, planMs: 1, canaryMs: 1, commitMs: 1 },
      changes: [{ path: "/srv/apps/c.lua", kind: "changed", hash: "b", was: "a" }],
      evicted: [{ name: "c", because: ["c"] }],
      kept: [],
      targets: [],
      vms: [
        { id: 1, appliedMs: 1 },
        { id: 2, appliedMs: 1 },
      ],
      errors: [],
      recycleRequired: [],
      diskDiffers: false,
      ...changes,
    } satisfies Outcome,
    "/srv",
  );
}
