/** One request of the data plane, from its head to the last byte of its response. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpRequest, Redirection, ResponseHead } from "../core/exchange.ts";
import { parseHost } from "../core/host-name.ts";
import type { LogLevel } from "../core/log.ts";
import { readBody } from "./body.ts";
import type { Connection, Turn } from "./connection.ts";
import type { Dispatcher, ResponseSink, Ticket, Unavailable } from "./dispatcher.ts";
import { closesConnection, errorPage, statusPhrase } from "./pages.ts";
import { readRequestHead } from "./request-head.ts";
import { type ResponseLines, responseLines, type Signature } from "./response-lines.ts";
import { matchLocation, type Routes } from "./routing.ts";
import { parseTarget, type Target } from "./target.ts";

/** What every request needs to know. */
export interface Front {
  readonly dispatcher: Dispatcher;
  /** The table for requests that start now. */
  readonly routes: Routes;
  readonly limits: ReplyLimits;
  readonly exposeGeneration: boolean;
  /** The active generation, for answers in which no VM takes part. */
  readonly generation: () => number;
  /** Connections end with the response that is next. */
  readonly closing: boolean;
  readonly log: (level: LogLevel, message: string) => void;
}

export interface ReplyLimits {
  /** Bytes of a request's body; 413 beyond it. */
  readonly bodyBytes: number;
  /** Bytes of a request line; 414 beyond it. */
  readonly requestLineBytes: number;
  /** Bytes of one response that may wait for its client to read; beyond it the connection is cut. */
  readonly responseBufferBytes: number;
  /** How long a client may read nothing of what waits for it. */
  readonly sendMs: number;
  /** How long the rest of a refused body is read and thrown away, so that the client gets to read the refusal. */
  readonly lingerMs: number;
}

/** What may wait unsent when the next request of the connection starts; bodies below it go out as one text. */
const lightBytes = 8 * 1024;
const empty: readonly string[] = [];

export class Reply implements ResponseSink, Turn {
  readonly res: ServerResponse;
  readonly #req: IncomingMessage;
  readonly #front: Front;
  readonly #connection: Connection;
  readonly #expectsContinue: boolean;
  #refusal: { readonly status: number | undefined } | undefined;
  #started = false;
  #over = false;
  #ticket: Ticket | undefined;
  #host = "";
  #uri = "";
  #args = "";
  /** Bytes that a response in pieces may still have, where Lua declared its length. */
  #remaining: number | undefined;
  #closes = false;
  #bodyless = false;
  /** The client may still be sending: closing at once would take the answer from it. */
  #lingers = false;
  #headOut = false;
  /** Stops waiting for a client that still sends; there while it is waited for. */
  #endLinger: (() => void) | undefined;

  constructor(
    front: Front,
    connection: Connection,
    req: IncomingMessage,
    res: ServerResponse,
    expectsContinue: boolean,
  ) {
    this.#front = front;
    this.#connection = connection;
    this.#req = req;
    this.res = res;
    this.#expectsContinue = expectsContinue;
  }

  get received(): boolean {
    return this.#req.complete;
  }

  start(): void {
    this.#started = true;
    if (this.#refusal !== undefined) {
      this.#refuseNow(this.#refusal.status);
      return;
    }
    const req = this.#req;
    const method = req.method as string;
    const url = req.url as string;
    const head = readRequestHead(req.rawHeaders);
    const target = parseTarget(url);
    const host = chooseHost(target, head.host);
    const { limits } = this.#front;
    this.#lingers = head.bodyBytes !== 0;
    if (method.length + url.length + " HTTP/1.1".length + 1 > limits.requestLineBytes) this.#page(414);
    else if (req.httpVersionMajor !== 1) this.#page(505);
    else if (target === undefined || host === undefined || head.hosts > 1) this.#page(400);
    else if (head.hosts === 0 && req.httpVersionMinor >= 1) this.#page(400);
    else if (method === "TRACE") this.#page(405);
    else {
      this.#host = host;
      this.#uri = target.uri;
      this.#args = target.args;
      if (head.bodyBytes === 0) this.#dispatch(undefined);
      else if (head.bodyBytes !== undefined && head.bodyBytes > limits.bodyBytes) this.#page(413);
      else this.#readBody();
    }
  }

  refuse(status: number | undefined): void {
    if (this.#started) this.#refuseNow(status);
    else this.#refusal = { status };
  }

  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#ticket?.abort();
  }

  response(head: ResponseHead, body: Uint8Array | undefined, vm: number): void {
    if (this.#over) return;
    if (head.errorPage) {
      this.#page(head.status, head.headers, { generation: head.generation, vm });
      return;
    }
    const { status } = head;
    const lines = this.#lines(head.headers, { generation: head.generation, vm });
    this.#setBodyless(status);
    const bytes = body?.length ?? 0;
    if (this.#mayDeclareLength(status)) {
      if (!this.#bodyless || bytes > 0) lines.lines.push("Content-Length", `${bytes}`);
      else if (lines.contentLength !== undefined)
        lines.lines.push("Content-Length", `${lines.contentLength}`);
    }
    if (!this.#writeHead(status, lines)) return;
    if (this.#bodyless || body === undefined) this.res.end();
    else if (bytes <= lightBytes) this.res.end(asBuffer(body).toString("latin1"), "latin1");
    else this.res.end(asBuffer(body));
    this.#ended();
  }

  head(head: ResponseHead, vm: number): void {
    if (this.#over) return;
    const lines = this.#lines(head.headers, { generation: head.generation, vm });
    this.#setBodyless(head.status);
    if (lines.contentLength !== undefined && this.#mayDeclareLength(head.status)) {
      this.#remaining = lines.contentLength;
      lines.lines.push("Content-Length", `${lines.contentLength}`);
    }
    if (!this.#writeHead(head.status, lines)) return;
    // The first piece mostly follows at once and takes the head with it.
    setImmediate(() => {
      if (!this.#headOut && !this.#over) this.res.flushHeaders();
    });
  }

  data(bytes: Uint8Array): void {
    if (this.#over || this.#bodyless) return;
    let piece = asBuffer(bytes);
    if (this.#remaining !== undefined) {
      // More than Lua declared would be read as the start of another response.
      if (piece.length > this.#remaining) piece = piece.subarray(0, this.#remaining);
      this.#remaining -= piece.length;
      if (piece.length === 0) return;
    }
    this.#headOut = true;
    if (!this.res.write(piece)) this.#awaitReader();
  }

  finish(): void {
    if (this.#over) return;
    if (this.#remaining !== undefined && this.#remaining > 0 && !this.#bodyless) {
      this.broken();
      return;
    }
    this.res.end();
    this.#ended();
  }

  broken(): void {
    if (this.#over) return;
    this.#over = true;
    // Before its turn on the socket, earlier responses are still on their way out; what it has follows them.
    if (this.res.socket !== null) this.res.socket.destroySoon();
    else this.res.once("socket", (socket) => setImmediate(() => socket.destroySoon()));
    this.#connection.over(true);
  }

  redirect({ uri, args }: Redirection, ticket: Ticket): void {
    if (this.#over) return;
    if (args !== undefined) this.#args = args;
    const route = this.#front.routes.route(this.#connection.listen, this.#host, this.#uri);
    const match = route && matchLocation(route.server, uri);
    // A named location sees the path as it was.
    if (!uri.startsWith("@")) this.#uri = uri;
    ticket.continueAt({
      uri: this.#uri,
      args: this.#args,
      location: match?.handlers.id,
      captures: match?.captures ?? empty,
    });
  }

  unavailable(reason: Unavailable): void {
    if (this.#over) return;
    if (reason === "pool-full") this.#page(503, ["Retry-After", "1"]);
    else if (reason === "pool-closed") this.#page(503, ["Connection", "close"]);
    else this.#page(reason === "vm-died" ? 502 : 500);
  }

  #dispatch(body: Uint8Array | undefined): void {
    const connection = this.#connection;
    const route = this.#front.routes.route(connection.listen, this.#host, this.#uri);
    if (route?.location === undefined) {
      this.#page(404);
      return;
    }
    const req = this.#req;
    const request: HttpRequest = {
      method: req.method as string,
      target: req.url as string,
      uri: this.#uri,
      args: this.#args,
      httpVersion: req.httpVersion,
      headers: req.rawHeaders,
      scheme: "http",
      remoteAddr: connection.remoteAddr,
      remotePort: connection.remotePort,
      serverAddr: connection.serverAddr,
      serverPort: connection.serverPort,
      serverName: route.server.name,
      connection: connection.serial,
      connectionRequests: connection.requests,
      startedAt: Date.now(),
      location: route.location.id,
      captures: route.captures,
    };
    const work = { type: "request", request: body === undefined ? request : { ...request, body } } as const;
    this.#ticket = this.#front.dispatcher.dispatch(work, this);
  }

  #readBody(): void {
    if (this.#expectsContinue) this.res.writeContinue();
    readBody(this.#req, this.#front.limits.bodyBytes, (body) => {
      if (this.#over) return;
      if (body === undefined) this.#page(413);
      else this.#dispatch(body);
    });
  }

  #refuseNow(status: number | undefined): void {
    this.#endLinger?.();
    if (this.#over) return;
    this.#ticket?.abort();
    this.#lingers = false;
    if (status === undefined || this.res.headersSent) this.broken();
    else this.#page(status, ["Connection", "close"]);
  }

  /** Answers with nginx's page; `given` are the header lines beside those of the page. */
  #page(status: number, given: readonly string[] = empty, signature?: Signature): void {
    const page = errorPage(status);
    const lines = this.#lines(given, signature ?? { generation: this.#front.generation(), vm: 0 });
    this.#setBodyless(status);
    if (closesConnection(status)) this.#closes = true;
    if (page !== "") lines.lines.push("Content-Type", "text/html");
    if (this.#mayDeclareLength(status)) lines.lines.push("Content-Length", `${page.length}`);
    if (!this.#writeHead(status, lines)) return;
    if (this.#closes && this.#lingers && !this.#req.complete) {
      this.#linger(page);
      return;
    }
    if (this.#bodyless) this.res.end();
    else this.res.end(page, "latin1");
    this.#ended();
  }

  #lines(given: readonly string[], signature: Signature): ResponseLines {
    const lines = responseLines(given, this.#front.exposeGeneration ? signature : undefined);
    if (lines.close) this.#closes = true;
    return lines;
  }

  /** False when the head cannot be sent as it is; the request is over then. */
  #writeHead(status: number, { lines }: ResponseLines): boolean {
    if (this.#front.closing || status < 200) this.#closes = true;
    if (this.#closes) lines.push("Connection", "close");
    try {
      this.res.writeHead(status, statusPhrase(status), lines);
      return true;
    } catch (error) {
      this.#front.log("error", `response head refused: ${(error as Error).message}`);
      this.#remaining = undefined;
      this.#ticket?.abort();
      this.#page(500);
      return false;
    }
  }

  #setBodyless(status: number): void {
    this.#bodyless = this.#req.method === "HEAD" || !this.#mayDeclareLength(status) || status === 304;
  }

  #mayDeclareLength(status: number): boolean {
    return status !== 204 && status >= 200;
  }

  /** Everything of the response is node's now. The next request starts when little enough of it is unsent. */
  #ended(): void {
    this.#over = true;
    this.#ticket = undefined;
    const { res } = this;
    const unsent = res.writableLength;
    if (unsent <= lightBytes * 2) this.#leave();
    else res.once("finish", () => this.#leave());
    if (unsent === 0) return;
    const connection = this.#connection;
    connection.socket.setTimeout(this.#front.limits.sendMs);
    // An idle connection has node's own time from here on; one that waits for its next answer has none.
    res.once("finish", () => connection.busy && connection.socket.setTimeout(0));
  }

  #leave(): void {
    this.#connection.over(this.#closes);
    // The head of this response was out before the data plane began to close.
    if (this.#front.closing && !this.#closes) this.#connection.end();
  }

  /** Something of the response waits for the client to read. */
  #awaitReader(): void {
    const { limits, log } = this.#front;
    const { socket, remoteAddr } = this.#connection;
    if (this.res.writableLength > limits.responseBufferBytes) {
      log(
        "warn",
        `${remoteAddr} reads too slowly: more than ${limits.responseBufferBytes} bytes waited for it`,
      );
      socket.destroy();
      return;
    }
    if (this.res.listenerCount("drain") > 0) return;
    socket.setTimeout(limits.sendMs);
    this.res.once("drain", () => socket.setTimeout(0));
  }

  /** Sends the page, and reads on for a while. */
  #linger(page: string): void {
    this.#over = true;
    const req = this.#req;
    if (this.#bodyless) this.res.flushHeaders();
    else this.res.write(page, "latin1");
    const end = () => {
      clearTimeout(timer);
      this.#endLinger = undefined;
      this.res.end();
      this.#connection.over(true);
    };
    const timer = setTimeout(end, this.#front.limits.lingerMs);
    this.#endLinger = end;
    req.once("close", () => clearTimeout(timer));
    req.once("end", end);
    req.resume();
  }
}

/** The absolute form names the host; a Host header beside it must be a good one all the same. Empty: none named. */
function chooseHost(target: Target | undefined, header: string | undefined): string | undefined {
  const named = header === undefined ? "" : parseHost(header);
  if (target?.authority === undefined || named === undefined) return named;
  return parseHost(target.authority);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
