/** The data plane: node:http servers on each address, and the requests that come in on them. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { LogLevel } from "../core/log.ts";
import { formatListen, type ListenAddress } from "../core/servers.ts";
import type { Dispatcher } from "../core/work.ts";
import { planBindings } from "./bindings.ts";
import { Connection } from "./connection.ts";
import type { Front, ReplyLimits } from "./front.ts";
import { listenOn } from "./listening.ts";
import { errorPage, statusPhrase } from "./pages.ts";
import { Reply } from "./reply.ts";
import { responseLines } from "./response-lines.ts";
import type { Routes } from "./routing.ts";

export interface DataPlaneOptions {
  readonly dispatcher: Dispatcher;
  readonly routes: Routes;
  /** `bodyBytes` is the config's; the others have defaults. */
  readonly limits: Pick<ReplyLimits, "bodyBytes"> & Partial<DataPlaneLimits>;
  /** x-relua-generation and x-relua-vm on every response. */
  readonly exposeGeneration: boolean;
  /** The active generation, for answers in which no VM takes part (their x-relua-vm is 0). */
  readonly generation: () => number;
  readonly log?: (level: LogLevel, message: string) => void;
}

/** nginx's defaults, where nginx has them. */
export interface DataPlaneLimits extends ReplyLimits {
  /** Bytes of a request's whole head; 431 beyond it (large_client_header_buffers 4 8k). */
  readonly headBytes: number;
  /** Milliseconds for a request's head (client_header_timeout), and for the whole request; 408 beyond it. */
  readonly headMs: number;
  readonly requestMs: number;
  /** Milliseconds that an idle connection is kept (keepalive_timeout). */
  readonly keepAliveMs: number;
  /** Milliseconds for the answer to a client that has closed its side of the connection. */
  readonly halfClosedMs: number;
  /** Connections to one address; more are closed at once. */
  readonly connections: number;
}

const defaults: Omit<DataPlaneLimits, "bodyBytes"> = {
  requestLineBytes: 8 * 1024,
  headBytes: 32 * 1024,
  headMs: 60_000,
  requestMs: 300_000,
  keepAliveMs: 75_000,
  halfClosedMs: 1_000,
  connections: 10_000,
  responseBufferBytes: 32 * 1024 * 1024,
  sendMs: 60_000,
  lingerMs: 5_000,
};

/** How often node looks for requests that take too long to arrive. */
const checkingIntervalMs = 5_000;

/**
 * Listens on every address of `routes`.
 * @throws ReluaError `address-in-use`, `listen-failed`; nothing listens then.
 */
export async function openDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const plane = new DataPlane(options);
  await plane.listen();
  return plane;
}

/** One bound socket, and which address of the table a connection to it belongs to. */
interface Bound {
  readonly server: Server;
  readonly listenOf: (local: ListenAddress) => string;
  readonly address: ListenAddress;
}

export class DataPlane {
  readonly #limits: DataPlaneLimits;
  readonly #front: { -readonly [key in keyof Front]: Front[key] };
  readonly #connections = new Map<Socket, Connection>();
  readonly #bounds: Bound[] = [];
  #serial = 0;
  #closed: Promise<void> | undefined;

  constructor(options: DataPlaneOptions) {
    this.#limits = { ...defaults, ...options.limits };
    this.#front = {
      dispatcher: options.dispatcher,
      routes: options.routes,
      limits: this.#limits,
      exposeGeneration: options.exposeGeneration,
      generation: options.generation,
      closing: false,
      log: options.log ?? (() => {}),
      // A status has three digits.
      responses: new Array<number>(10).fill(0),
    };
  }

  /** The addresses, with the ports that the system chose where the config says 0. */
  get addresses(): readonly ListenAddress[] {
    return this.#bounds.map(({ address }) => address);
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Responses so far, by the first digit of their status. */
  get responses(): readonly number[] {
    return this.#front.responses;
  }

  /** See `openDataPlane`. */
  async listen(): Promise<void> {
    const listens = [...this.#front.routes.listens.values()];
    try {
      for (const { address, listenOf } of planBindings(listens)) {
        const server = this.#createServer(listenOf);
        const bound = await listenOn(server, address, "servers[].listens");
        server.on("error", (error) => this.#front.log("error", `${formatListen(bound)}: ${error.message}`));
        this.#bounds.push({ server, listenOf, address: bound });
      }
    } catch (error) {
      await this.close(0);
      throw error;
    }
  }

  /**
   * Takes the table for the requests that start from now on. The VMs must know its locations already, and keep those of
   * the table before for requests that are on their way to them.
   */
  replaceRoutes(routes: Routes): void {
    this.#front.routes = routes;
  }

  /**
   * Stops accepting, closes idle connections, lets the requests that are here end, each with `connection: close`, and
   * cuts what is left after `timeoutMs`. Resolves when no connection is left.
   */
  close(timeoutMs: number): Promise<void> {
    this.#closed ??= this.#close(timeoutMs);
    return this.#closed;
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#front.closing = true;
    const closed = this.#bounds.map(
      ({ server }) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    for (const connection of this.#connections.values()) {
      // One whose next request has begun to arrive is let be: its response will say close.
      if (!connection.busy && connection.socket.bytesRead === 0) connection.socket.destroy();
    }
    for (const { server } of this.#bounds) server.closeIdleConnections();
    const timer = setTimeout(() => {
      for (const socket of this.#connections.keys()) socket.destroy();
    }, timeoutMs);
    await Promise.all(closed);
    clearTimeout(timer);
  }

  #createServer(listenOf: (local: ListenAddress) => string): Server {
    const limits = this.#limits;
    const server = createServer({
      maxHeaderSize: limits.headBytes,
      headersTimeout: limits.headMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: checkingIntervalMs,
      // nginx's page answers a request without Host, not an empty 400.
      requireHostHeader: false,
    });
    server.maxConnections = limits.connections;
    // Header lines are bounded by their bytes; node would drop those beyond a number without a word.
    server.maxHeadersCount = 0;
    // Else node ends the connection of a client that half-closes it before it has its answer.
    (server as Server & { httpAllowHalfOpen: boolean }).httpAllowHalfOpen = true;
    server.on("connection", (socket) => this.#welcome(socket, listenOf));
    server.on("request", (req, res) => this.#enter(req, res, false));
    server.on("checkContinue", (req, res) => this.#enter(req, res, true));
    // Other expectations are ignored, as nginx does.
    server.on("checkExpectation", (req, res) => this.#enter(req, res, false));
    server.on("connect", (_req, socket) => this.#connections.get(socket as Socket)?.end(405));
    server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      const connection = this.#connections.get(socket as Socket);
      if (connection === undefined) socket.destroy();
      else connection.fail(statusOf(error));
    });
    return server;
  }

  #welcome(socket: Socket, listenOf: (local: ListenAddress) => string): void {
    this.#serial += 1;
    const local = { host: socket.localAddress ?? "", port: socket.localPort ?? 0 };
    const connection = new Connection(socket, {
      listen: listenOf(local),
      serial: this.#serial,
      halfClosedMs: this.#limits.halfClosedMs,
      rawAnswer: (status) => this.#rawAnswer(status),
    });
    this.#connections.set(socket, connection);
    socket.on("close", () => this.#connections.delete(socket));
  }

  #enter(req: IncomingMessage, res: ServerResponse, expectsContinue: boolean): void {
    const connection = this.#connections.get(req.socket);
    connection?.enter(new Reply(this.#front, connection, req, res, expectsContinue));
  }

  /** A whole response as text, where there is no request to respond to. */
  #rawAnswer(status: number): string {
    this.#front.responses[(status / 100) | 0]! += 1;
    const page = errorPage(status);
    const signature = this.#front.exposeGeneration
      ? { generation: this.#front.generation(), vm: 0 }
      : undefined;
    const { lines } = responseLines(
      ["Date", new Date().toUTCString(), "Content-Type", "text/html"],
      signature,
    );
    let text = `HTTP/1.1 ${status} ${statusPhrase(status)}\r\n`;
    for (let index = 0; index < lines.length; index += 2) text += `${lines[index]}: ${lines[index + 1]}\r\n`;
    return `${text}Content-Length: ${page.length}\r\nConnection: close\r\n\r\n${page}`;
  }
}

/** The answer to what the parser could not read; undefined when nobody is there to be told. */
function statusOf(error: NodeJS.ErrnoException): number | undefined {
  switch (error.code) {
    case "HPE_HEADER_OVERFLOW":
      return 431;
    case "HPE_INVALID_VERSION":
      return 505;
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return 408;
    default:
      return error.code?.startsWith("HPE_") && error.code !== "HPE_INVALID_EOF_STATE" ? 400 : undefined;
  }
}
