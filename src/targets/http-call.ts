/** One call to a host over HTTP, on a connection that is kept: bounded in time and in the size of the answer. */

import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { ReluaError } from "../errors.ts";

export interface HttpQuestion {
  readonly method: "GET" | "POST" | "PUT";
  /** JSON text. */
  readonly body?: string;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

export interface HttpHostOptions {
  readonly url: string;
  readonly token?: string | undefined;
  /** Milliseconds for one call, from the first byte to the last. */
  readonly timeoutMs: number;
  /** Longest answer that is read. */
  readonly answerBytes: number;
}

/** One host; `close` ends its connections. */
export class HttpHost {
  readonly #options: HttpHostOptions;
  readonly #url: URL;
  readonly #agent: HttpAgent;

  constructor(options: HttpHostOptions) {
    this.#options = options;
    this.#url = new URL(options.url);
    const kept = { keepAlive: true, maxSockets: 2 };
    this.#agent = this.#url.protocol === "https:" ? new HttpsAgent(kept) : new HttpAgent(kept);
  }

  /**
   * @param search what stands behind the address's `?`
   * @throws ReluaError `target-failed` with what went wrong: no answer, half of one, too long, too late
   */
  async call(question: HttpQuestion, search = ""): Promise<HttpAnswer> {
    for (let isRetry = false; ; isRetry = true) {
      try {
        return await this.#once(question, search);
      } catch (error) {
        // A kept connection may have been closed by the host just when it was used: that says nothing of the host.
        if (isRetry || !(error instanceof StaleConnection)) throw asFailure(error, this.#options.timeoutMs);
      }
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #once({ method, body, signal }: HttpQuestion, search: string): Promise<HttpAnswer> {
    const { token, timeoutMs, answerBytes } = this.#options;
    const url = new URL(this.#url);
    if (search !== "") url.search = search;
    const headers = {
      accept: "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
      }),
    };
    return new Promise((resolve, reject) => {
      const request = this.#url.protocol === "https:" ? httpsRequest : httpRequest;
      const asking: ClientRequest = request(url, { method, headers, agent: this.#agent }, (response) => {
        readBounded(response, answerBytes).then(
          (text) => finish(() => resolve({ status: response.statusCode ?? 0, body: text })),
          (error: Error) => fail(error),
        );
      });
      const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      const abort = () => fail(new Error("the agent ends"));
      const finish = (settle: () => void) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
        settle();
      };
      const fail = (error: NodeJS.ErrnoException) => {
        const isStale = asking.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
        finish(() => reject(isStale ? new StaleConnection(error.message) : error));
        asking.destroy();
      };
      asking.on("error", fail);
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort);
      asking.end(body);
    });
  }
}

class StaleConnection extends Error {}

function asFailure(error: unknown, timeoutMs: number): ReluaError {
  const { code, message } = error as NodeJS.ErrnoException;
  const text = code === "ETIMEDOUT" ? `no connection within ${timeoutMs} ms` : message || code || "no answer";
  return new ReluaError("target-failed", text, [], { cause: error });
}

async function readBounded(response: IncomingMessage, mostBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > mostBytes) throw new Error(`the answer is longer than ${mostBytes} bytes`);
    pieces.push(piece);
  }
  if (!response.complete) throw new Error("the answer breaks off");
  return Buffer.concat(pieces).toString("utf8");
}
