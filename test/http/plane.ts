/** A data plane on a free port whose VMs are the test itself, and a client that speaks bytes. */

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { HttpRequest, ResponseHead } from "../../src/core/exchange.ts";
import type { ServerDocument } from "../../src/core/servers.ts";
import type { Continuation, Dispatcher, RequestSink, Ticket } from "../../src/core/work.ts";
import { type DataPlane, type DataPlaneOptions, openDataPlane } from "../../src/http/data-plane.ts";
import { createRoutes } from "../../src/http/routing.ts";

/** One dispatched request, to be answered by the test. */
export class Work implements Ticket {
  readonly request: HttpRequest;
  readonly sink: RequestSink;
  readonly continuations: Continuation[] = [];
  readonly aborted: Promise<void>;
  wasAborted = false;
  #abort: () => void = () => {};

  constructor(request: HttpRequest, sink: RequestSink) {
    this.request = request;
    this.sink = sink;
    this.aborted = new Promise((resolve) => {
      this.#abort = resolve;
    });
  }

  abort(): void {
    this.wasAborted = true;
    this.#abort();
  }

  continueAt(continuation: Continuation): void {
    this.continuations.push(continuation);
  }

  /** Answers 200 with a text, from VM 2 on generation 7. */
  answer(text = `answer to ${this.request.target}\n`, head: Partial<ResponseHead> = {}): void {
    this.sink.response(headOf(head), Buffer.from(text, "latin1"), 2);
  }

  page(status: number, headers: readonly string[] = []): void {
    this.sink.response(headOf({ status, headers, errorPage: true }), undefined, 2);
  }
}

export function headOf(head: Partial<ResponseHead> = {}): ResponseHead {
  return { status: 200, headers: ["Content-Type", "text/plain"], errorPage: false, generation: 7, ...head };
}

/** Collects what is dispatched. */
export class TestDispatcher implements Dispatcher {
  readonly works: Work[] = [];
  /** Answers at once instead of leaving it to the test. */
  react: ((work: Work) => void) | undefined;
  #taken = 0;
  #arrived: (() => void) | undefined;

  dispatch({ request }: { readonly request: HttpRequest }, sink: RequestSink): Ticket {
    const work = new Work(request, sink);
    this.works.push(work);
    this.#arrived?.();
    const react = this.react;
    if (react !== undefined) setImmediate(() => work.wasAborted || react(work));
    return work;
  }

  /** The next request, when it comes. */
  async next(): Promise<Work> {
    while (this.works.length <= this.#taken) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    this.#taken += 1;
    return this.works[this.#taken - 1] as Work;
  }
}

/** A client on one connection. Texts are latin1. */
export class Client {
  readonly socket: Socket;
  received = "";
  readonly closed: Promise<void>;
  /** Codes of what went wrong on the connection: ECONNRESET, EPIPE. */
  readonly errors: (string | undefined)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      this.received += text;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => this.errors.push(error.code));
    this.closed = new Promise((resolve) => socket.on("close", () => resolve()));
    onTestFinished(() => void socket.destroy());
  }

  send(text: string): void {
    this.socket.write(text, "latin1");
  }

  /** Everything received, as soon as it contains `text`. */
  async until(text: string): Promise<string> {
    while (!this.received.includes(text)) {
      if (this.socket.closed) throw new Error(`closed after ${JSON.stringify(this.received)}`);
      await Promise.race([once(this.socket, "data"), this.closed]);
    }
    return this.received;
  }

  /** Everything received, when the server has closed the connection. */
  async rest(): Promise<string> {
    await this.closed;
    return this.received;
  }
}

export interface TestPlane {
  readonly plane: DataPlane;
  readonly port: number;
  readonly dispatcher: TestDispatcher;
  readonly log: string[];
  client(): Promise<Client>;
}

export const anyLocation: readonly ServerDocument[] = [
  { listens: ["127.0.0.1:0"], serverNames: [""], locations: [{ location: "/" }] },
];

/** Opens a data plane that is closed when the test is over. */
export async function openTestPlane(
  servers: readonly ServerDocument[] = anyLocation,
  options: Partial<DataPlaneOptions> = {},
): Promise<TestPlane> {
  const dispatcher = new TestDispatcher();
  const log: string[] = [];
  const plane = await openDataPlane({
    dispatcher,
    routes: createRoutes(servers),
    limits: { bodyBytes: 1024 },
    exposeGeneration: true,
    generation: () => 5,
    log: (level, message) => log.push(`${level}: ${message}`),
    ...options,
  });
  onTestFinished(() => plane.close(0));
  const port = plane.addresses[0]?.port as number;
  return { plane, port, dispatcher, log, client: () => openClient(port) };
}

export async function openClient(port: number, host = "127.0.0.1"): Promise<Client> {
  const socket = connect(port, host);
  await once(socket, "connect");
  return new Client(socket);
}

/** A port on which nothing listens at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** A GET of HTTP/1.1. */
export function get(target: string, ...headers: readonly string[]): string {
  return ask("GET", target, ...headers);
}

export function ask(method: string, target: string, ...headers: readonly string[]): string {
  return `${[`${method} ${target} HTTP/1.1`, "Host: localhost", ...headers].join("\r\n")}\r\n\r\n`;
}

/** A response without the lines that differ from run to run. */
export function plain(response: string): string {
  return response.replaceAll(/^(?:Date|Keep-Alive): .*\r\n/gm, "");
}
