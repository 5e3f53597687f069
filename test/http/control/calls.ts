/** A control plane around a fake agent, and a client that sends exactly what it is given. */

import { type IncomingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { afterEach } from "vitest";
import {
  type ControlPlane,
  type ControlPlaneOptions,
  createControlPlane,
} from "../../../src/http/control/server.ts";
import { FakeAgent } from "./fake-agent.ts";

export interface Site {
  readonly agent: FakeAgent;
  readonly port: number;
  readonly logged: string[];
  readonly plane: ControlPlane;
  call(method: string, target: string, sent?: Sent): Promise<Reply>;
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: unknown;
}

const open: ControlPlane[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((plane) => plane.close(100)));
});

export async function site(options: Partial<ControlPlaneOptions> = {}): Promise<Site> {
  const agent = new FakeAgent();
  const logged: string[] = [];
  const plane = createControlPlane({
    agent,
    listen: { host: "127.0.0.1", port: 0 },
    token: undefined,
    allowedHosts: [],
    log: (level, message) => logged.push(`${level} ${message}`),
    ...options,
  });
  open.push(plane);
  const address = await plane.listen();
  const port = Number(address.split(":").at(-1));
  return { agent, port, logged, plane, call: (method, target, sent) => call(port, method, target, sent) };
}

export function call(port: number, method: string, target: string, sent: Sent = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const body = sent.body === undefined ? undefined : Buffer.from(sent.body as string);
    const chunked = sent.headers?.["transfer-encoding"] !== undefined;
    const length = body && !chunked ? { "content-length": String(body.length) } : {};
    const headers = { ...length, ...sent.headers };
    const outgoing = request({ host: "127.0.0.1", port, method, path: target, headers, agent: false });
    outgoing.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          get json() {
            return JSON.parse(text) as unknown;
          },
        });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** A promise that is settled from outside. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Sends bytes as they are; resolves with all that came back when the other side closes. */
export function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
    socket.end(bytes, "latin1");
  });
}
