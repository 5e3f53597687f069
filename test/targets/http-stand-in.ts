/** An HTTP server that answers as a test says, and can fail in the ways of hosts: away, slow, garbage, half an answer. */

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface StandInRequest {
  readonly method: string;
  /** With what stands behind `?`. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface StandInAnswer {
  readonly status: number;
  readonly body: string;
}

/** `reset`: the connection breaks; `half`: in the middle of the answer; `never`: no answer; `garbage`: no HTTP at all. */
export type Fault = "reset" | "half" | "never" | "garbage" | StandInAnswer;

export type Answering = (request: StandInRequest) => StandInAnswer;

export class HttpStandIn {
  readonly requests: StandInRequest[] = [];
  /** How it fails, at all requests or at some; undefined: not at all. */
  fault: Fault | ((request: StandInRequest) => Fault | undefined) | undefined;
  #server: Server;
  readonly #answering: Answering;
  #port = 0;

  private constructor(answering: Answering) {
    this.#answering = answering;
    this.#server = createServer();
  }

  static async start(answering: Answering): Promise<HttpStandIn> {
    const standIn = new HttpStandIn(answering);
    await standIn.open();
    return standIn;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, on the same port as before. */
  async open(): Promise<void> {
    this.#server = createServer((request, response) => this.#respond(request, response));
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection; nobody listens. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    request.setEncoding("utf8");
    try {
      for await (const piece of request) body += piece;
    } catch {
      return;
    }
    const { method = "", url = "", headers } = request;
    const question = { method, url, headers, body };
    this.requests.push(question);
    const fault = typeof this.fault === "function" ? this.fault(question) : this.fault;
    switch (fault) {
      case "never":
        return;
      case "reset":
        request.socket.resetAndDestroy();
        return;
      case "garbage":
        request.socket.end("this is no HTTP\r\n\r\n");
        return;
      case "half": {
        const answer = this.#answering(question).body;
        response.writeHead(200, { "content-length": answer.length });
        response.write(answer.slice(0, answer.length / 2), () => request.socket.destroy());
        return;
      }
      default: {
        const answer = fault ?? this.#answering(question);
        response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
      }
    }
  }
}
