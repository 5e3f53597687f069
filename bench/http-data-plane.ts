/** How much of node:http's own throughput is left behind the data plane, with a dispatcher that answers at once? */

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Worker } from "node:worker_threads";
import type { ResponseHead } from "../src/core/exchange.ts";
import type { Dispatcher, RequestSink } from "../src/core/work.ts";
import { openDataPlane } from "../src/http/data-plane.ts";
import { createRoutes } from "../src/http/routing.ts";
import type { Answer } from "./question.ts";

const rounds = 5;
const roundMs = 1_000;
const connections = 64;
const body = Buffer.from("hello\n");
const head: ResponseHead = {
  status: 200,
  headers: ["Content-Type", "text/plain"],
  errorPage: false,
  generation: 1,
};

/** Answers each request of one turn at its end, as a VM's port would. */
class ImmediateDispatcher implements Dispatcher {
  #sinks: RequestSink[] = [];

  dispatch(_work: unknown, sink: RequestSink) {
    if (this.#sinks.push(sink) === 1) setImmediate(() => this.#answer());
    return { abort() {}, continueAt() {} };
  }

  #answer(): void {
    const sinks = this.#sinks;
    this.#sinks = [];
    for (const sink of sinks) sink.response(head, body, 1);
  }
}

async function bareServer(): Promise<Server> {
  const server = createServer((_req, res) => {
    res.writeHead(200, ["Content-Type", "text/plain", "Content-Length", `${body.length}`]);
    res.end("hello\n", "latin1");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.trunc(values.length / 2)] as number;

/** Measures both in turn; the ratio is that of the medians. */
export async function run(): Promise<Answer> {
  const bare = await bareServer();
  const locations = [{ location: "/" }, { location: "/hello", lua: { content_by: "" } }];
  const plane = await openDataPlane({
    dispatcher: new ImmediateDispatcher(),
    routes: createRoutes([{ listens: ["127.0.0.1:0"], serverNames: [""], locations }]),
    limits: { bodyBytes: 1024 * 1024 },
    exposeGeneration: true,
    generation: () => 1,
  });
  const client = new Worker(new URL("./http-client.mjs", import.meta.url));
  // By the time that the server's thread was at work: the client's thread may be what holds both back.
  const measure = async (port: number): Promise<number> => {
    const before = performance.eventLoopUtilization();
    client.postMessage({ port, connections, ms: roundMs });
    const [perSecond] = (await once(client, "message")) as [number];
    return perSecond / performance.eventLoopUtilization(before).utilization;
  };
  const barePort = (bare.address() as AddressInfo).port;
  const planePort = plane.addresses[0]?.port as number;
  await measure(barePort);
  await measure(planePort);
  const results = { bare: [] as number[], plane: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    results.bare.push(await measure(barePort));
    results.plane.push(await measure(planePort));
  }
  await client.terminate();
  bare.closeAllConnections();
  bare.close();
  await plane.close(0);
  const [a, b] = [median(results.bare), median(results.plane)];
  return {
    question:
      "how much of node:http's throughput is left behind the data plane, with VMs that answer at once?",
    rows: [
      {
        name: `hello, ${connections} connections`,
        ratio: b / a,
        unit: `of node:http alone (${Math.round(b)} and ${Math.round(a)} requests per second of the server's thread)`,
      },
    ],
  };
}
