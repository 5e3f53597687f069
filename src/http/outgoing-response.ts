/** The response of one request on its way to the client: framed, held to what it declares, and ended in good order. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { ResponseBody, ResponseHead } from "../core/exchange.ts";
import type { Connection } from "./connection.ts";
import type { Front } from "./front.ts";
import { closesConnection, errorPage, statusPhrase } from "./pages.ts";
import { type ResponseLines, responseLines, type Signature } from "./response-lines.ts";

/** What may wait unsent when the next request of the connection starts; bodies below it go out as one text. */
const lightBytes = 8 * 1024;
const none: readonly string[] = [];

export interface OutgoingResponseParts {
  readonly front: Front;
  readonly connection: Connection;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Called when the head that Lua made cannot be sent: an error page is sent instead of the response. */
  readonly discarded: () => void;
}

export class OutgoingResponse {
  /** The client may still be sending: closing at once would take the answer from it. */
  lingers = false;
  readonly #front: Front;
  readonly #connection: Connection;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #discarded: () => void;
  #over = false;
  /** Bytes that a response in pieces may still have, where Lua declared its length. */
  #remaining: number | undefined;
  #closes = false;
  #bodyless = false;
  #headOut = false;
  /** Stops waiting for a client that still sends; there while it is waited for. */
  #endLinger: (() => void) | undefined;

  constructor(parts: OutgoingResponseParts) {
    this.#front = parts.front;
    this.#connection = parts.connection;
    this.#req = parts.req;
    this.#res = parts.res;
    this.#discarded = parts.discarded;
  }

  /** Nothing more is sent. */
  get over(): boolean {
    return this.#over;
  }

  /** A complete response. */
  whole(head: ResponseHead, body: ResponseBody | undefined, vm: number): void {
    if (this.#over) return;
    if (head.errorPage) {
      this.page(head.status, head.headers, { generation: head.generation, vm });
      return;
    }
    const { status } = head;
    const lines = this.#lines(head.headers, { generation: head.generation, vm });
    this.#setBodyless(status);
    const bytes = body?.length ?? 0;
    if (mayDeclareLength(status)) {
      if (!this.#bodyless || bytes > 0) lines.lines.push("Content-Length", `${bytes}`);
      else if (lines.contentLength !== undefined)
        lines.lines.push("Content-Length", `${lines.contentLength}`);
    }
    if (!this.#writeHead(status, lines)) return;
    if (this.#bodyless || body === undefined) this.#res.end();
    else if (typeof body === "string") this.#res.end(body, "latin1");
    else if (bytes <= lightBytes) this.#res.end(asBuffer(body).toString("latin1"), "latin1");
    else this.#res.end(asBuffer(body));
    this.#ended();
  }

  /** A response in pieces begins; `data` and `finish` follow. */
  begin(head: ResponseHead, vm: number): void {
    if (this.#over) return;
    const lines = this.#lines(head.headers, { generation: head.generation, vm });
    this.#setBodyless(head.status);
    if (lines.contentLength !== undefined && mayDeclareLength(head.status)) {
      this.#remaining = lines.contentLength;
      lines.lines.push("Content-Length", `${lines.contentLength}`);
    }
    if (!this.#writeHead(head.status, lines)) return;
    // The first piece mostly follows at once and takes the head with it.
    setImmediate(() => {
      if (!this.#headOut && !this.#over) this.#res.flushHeaders();
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
    if (!this.#res.write(piece)) this.#awaitReader();
  }

  finish(): void {
    if (this.#over) return;
    if (this.#remaining !== undefined && this.#remaining > 0 && !this.#bodyless) {
      this.breakOff();
      return;
    }
    this.#res.end();
    this.#ended();
  }

  /** The client must see that the response is not complete: its connection ends. */
  breakOff(): void {
    if (this.#over) return;
    this.#over = true;
    // Before its turn on the socket, earlier responses are still on their way out; what it has follows them.
    if (this.#res.socket !== null) this.#res.socket.destroySoon();
    else this.#res.once("socket", (socket) => setImmediate(() => socket.destroySoon()));
    this.#connection.over(true);
  }

  /** The client is gone. */
  abandon(): void {
    this.#over = true;
  }

  /** Answers with nginx's page; `given` are the header lines beside those of the page. */
  page(status: number, given: readonly string[] = none, signature?: Signature): void {
    const page = errorPage(status);
    const lines = this.#lines(given, signature ?? { generation: this.#front.generation(), vm: 0 });
    this.#setBodyless(status);
    if (closesConnection(status)) this.#closes = true;
    if (page !== "") lines.lines.push("Content-Type", "text/html");
    if (mayDeclareLength(status)) lines.lines.push("Content-Length", `${page.length}`);
    if (!this.#writeHead(status, lines)) return;
    if (this.#closes && this.lingers && !this.#req.complete) {
      this.#linger(page);
      return;
    }
    if (this.#bodyless) this.#res.end();
    else this.#res.end(page, "latin1");
    this.#ended();
  }

  /** What the client still sends is unreadable: answers with a page, if there is still time for one, and closes. */
  refuse(status: number | undefined): void {
    this.#endLinger?.();
    if (this.#over) return;
    this.lingers = false;
    if (status === undefined || this.#res.headersSent) this.breakOff();
    else this.page(status, ["Connection", "close"]);
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
      this.#res.writeHead(status, statusPhrase(status), lines);
      this.#front.responses[(status / 100) | 0]! += 1;
      return true;
    } catch (error) {
      this.#front.log("error", `response head refused: ${(error as Error).message}`);
      this.#remaining = undefined;
      this.#discarded();
      this.page(500);
      return false;
    }
  }

  #setBodyless(status: number): void {
    this.#bodyless = this.#req.method === "HEAD" || !mayDeclareLength(status) || status === 304;
  }

  /** Everything of the response is node's now. The next request starts when little enough of it is unsent. */
  #ended(): void {
    this.#over = true;
    const unsent = this.#res.writableLength;
    if (unsent <= lightBytes * 2) this.#leave();
    else this.#res.once("finish", () => this.#leave());
    if (unsent === 0) return;
    const connection = this.#connection;
    connection.socket.setTimeout(this.#front.limits.sendMs);
    // An idle connection has node's own time from here on; one that waits for its next answer has none.
    this.#res.once("finish", () => connection.busy && connection.socket.setTimeout(0));
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
    if (this.#res.writableLength > limits.responseBufferBytes) {
      log(
        "warn",
        `${remoteAddr} reads too slowly: more than ${limits.responseBufferBytes} bytes waited for it`,
      );
      socket.destroy();
      return;
    }
    if (this.#res.listenerCount("drain") > 0) return;
    socket.setTimeout(limits.sendMs);
    this.#res.once("drain", () => socket.setTimeout(0));
  }

  /** Sends the page, and reads on for a while. */
  #linger(page: string): void {
    this.#over = true;
    const req = this.#req;
    if (this.#bodyless) this.#res.flushHeaders();
    else this.#res.write(page, "latin1");
    const end = () => {
      clearTimeout(timer);
      this.#endLinger = undefined;
      this.#res.end();
      this.#connection.over(true);
    };
    const timer = setTimeout(end, this.#front.limits.lingerMs);
    this.#endLinger = end;
    req.once("close", () => clearTimeout(timer));
    req.once("end", end);
    req.resume();
  }
}

function mayDeclareLength(status: number): boolean {
  return status !== 204 && status >= 200;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
