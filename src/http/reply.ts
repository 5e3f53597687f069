/** One request of the data plane: checked, read, dispatched to the VMs, and what they answer passed on. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpRequest, Redirection, ResponseBody, ResponseHead } from "../core/exchange.ts";
import { parseHost } from "../core/host-name.ts";
import type { RequestSink, RequestWork, Ticket, Unavailable } from "../core/work.ts";
import { readBody } from "./body.ts";
import type { Connection, Turn } from "./connection.ts";
import type { Front } from "./front.ts";
import { OutgoingResponse } from "./outgoing-response.ts";
import { readRequestHead } from "./request-head.ts";
import { matchLocation } from "./routing.ts";
import { parseTarget, type Target } from "./target.ts";

const none: readonly string[] = [];

export class Reply implements RequestSink, Turn {
  readonly res: ServerResponse;
  readonly #req: IncomingMessage;
  readonly #front: Front;
  readonly #connection: Connection;
  readonly #expectsContinue: boolean;
  readonly #response: OutgoingResponse;
  /** Refused before its turn came. */
  #refusal: { readonly status: number | undefined } | undefined;
  #started = false;
  #ticket: Ticket | undefined;
  #host = "";
  #uri = "";
  #args = "";

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
    this.#response = new OutgoingResponse({
      front,
      connection,
      req,
      res,
      discarded: () => this.#ticket?.abort(),
    });
  }

  get received(): boolean {
    return this.#req.complete;
  }

  start(): void {
    this.#started = true;
    if (this.#refusal !== undefined) {
      this.#response.refuse(this.#refusal.status);
      return;
    }
    const req = this.#req;
    const method = req.method as string;
    const url = req.url as string;
    const head = readRequestHead(req.rawHeaders);
    const target = parseTarget(url);
    const host = chooseHost(target, head.host);
    const { limits } = this.#front;
    this.#response.lingers = head.bodyBytes !== 0;
    if (method.length + url.length + " HTTP/1.1".length + 1 > limits.requestLineBytes)
      this.#response.page(414);
    else if (req.httpVersionMajor !== 1) this.#response.page(505);
    else if (target === undefined || host === undefined || head.hosts > 1) this.#response.page(400);
    else if (head.hosts === 0 && req.httpVersionMinor >= 1) this.#response.page(400);
    else if (method === "TRACE") this.#response.page(405);
    else {
      this.#host = host;
      this.#uri = target.uri;
      this.#args = target.args;
      if (head.bodyBytes === 0) this.#dispatch(undefined);
      else if (head.bodyBytes !== undefined && head.bodyBytes > limits.bodyBytes) this.#response.page(413);
      else this.#readBody();
    }
  }

  refuse(status: number | undefined): void {
    if (!this.#started) {
      this.#refusal = { status };
      return;
    }
    if (!this.#response.over) this.#ticket?.abort();
    this.#response.refuse(status);
  }

  abandon(): void {
    if (this.#response.over) return;
    this.#response.abandon();
    this.#ticket?.abort();
  }

  response(head: ResponseHead, body: ResponseBody | undefined, vm: number): void {
    this.#response.whole(head, body, vm);
  }

  head(head: ResponseHead, vm: number): void {
    this.#response.begin(head, vm);
  }

  data(bytes: Uint8Array): void {
    this.#response.data(bytes);
  }

  finish(): void {
    this.#response.finish();
  }

  broken(): void {
    this.#response.breakOff();
  }

  redirect({ uri, args }: Redirection, ticket: Ticket): void {
    if (this.#response.over) return;
    if (args !== undefined) this.#args = args;
    const route = this.#front.routes.route(this.#connection.listen, this.#host, this.#uri);
    const match = route && matchLocation(route.server, uri);
    // A named location sees the path as it was.
    if (!uri.startsWith("@")) this.#uri = uri;
    ticket.continueAt({
      uri: this.#uri,
      args: this.#args,
      location: match?.handlers.id,
      captures: match?.captures ?? none,
    });
  }

  unavailable(reason: Unavailable): void {
    if (this.#response.over) return;
    if (reason === "pool-full") this.#response.page(503, ["Retry-After", "1"]);
    else if (reason === "pool-closed") this.#response.page(503, ["Connection", "close"]);
    else this.#response.page(reason === "vm-died" ? 502 : 500);
  }

  #dispatch(body: Uint8Array | undefined): void {
    const connection = this.#connection;
    const route = this.#front.routes.route(connection.listen, this.#host, this.#uri);
    if (route?.location === undefined) {
      this.#response.page(404);
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
    const work: RequestWork = {
      type: "request",
      request: body === undefined ? request : { ...request, body },
    };
    this.#ticket = this.#front.dispatcher.dispatch(work, this);
  }

  #readBody(): void {
    if (this.#expectsContinue) this.res.writeContinue();
    readBody(this.#req, this.#front.limits.bodyBytes, (body) => {
      if (this.#response.over) return;
      if (body === undefined) this.#response.page(413);
      else this.#dispatch(body);
    });
  }
}

/** The absolute form names the host; a Host header beside it must be a good one all the same. Empty: none named. */
function chooseHost(target: Target | undefined, header: string | undefined): string | undefined {
  const named = header === undefined ? "" : parseHost(header);
  if (target?.authority === undefined || named === undefined) return named;
  return parseHost(target.authority);
}
