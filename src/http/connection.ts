/** One client connection: lets its requests through one after another, and ends in good order. */

import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A request and its response, as the connection sees it. */
export interface Turn {
  readonly res: ServerResponse;
  /** The request is here to its last byte. */
  readonly received: boolean;
  /** It is its turn: answers, and then calls `Connection.over`. */
  start(): void;
  /** The rest of the request is unreadable: 400 or another status; undefined when there is nobody to tell. */
  refuse(status: number | undefined): void;
  /** The client is gone. */
  abandon(): void;
}

/** Requests that may wait behind one that is not over; nothing more is read then. */
const waitingLimit = 64;

export interface ConnectionOptions {
  /** Key of the address it came in on, in the table of routes. */
  readonly listen: string;
  /** Counts connections. */
  readonly serial: number;
  /** How long a client that has closed its side is waited for: it may still read, or it is gone. */
  readonly halfClosedMs: number;
  /** The whole answer, as text, to a request that could not be read. */
  readonly rawAnswer: (status: number) => string;
}

/**
 * Pipelined requests are answered in turn, the next one not before the one before it: like nginx, so that a GET behind
 * a POST sees what that did, and so that no client has more than one request in flight on a connection.
 */
export class Connection {
  readonly socket: Socket;
  readonly listen: string;
  readonly serial: number;
  readonly remoteAddr: string;
  readonly remotePort: number;
  readonly serverAddr: string;
  readonly serverPort: number;
  /** Requests so far. */
  requests = 0;
  readonly #options: ConnectionOptions;
  #current: Turn | undefined;
  readonly #waiting: Turn[] = [];
  #lastResponse: ServerResponse | undefined;
  #advancing = false;
  #held = false;
  /** No request that follows is answered. */
  #ending = false;
  #graceTimer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.socket = socket;
    this.listen = options.listen;
    this.serial = options.serial;
    this.remoteAddr = socket.remoteAddress ?? "";
    this.remotePort = socket.remotePort ?? 0;
    this.serverAddr = socket.localAddress ?? "";
    this.serverPort = socket.localPort ?? 0;
    this.#options = options;
    socket.on("end", () => this.#halfClosed());
    socket.on("close", () => this.#closed());
    // Node stops listening for errors after CONNECT; whatever they are, the close tells enough.
    socket.on("error", ignore);
  }

  /** A request is being answered, or waits to be. */
  get busy(): boolean {
    return this.#current !== undefined;
  }

  /** A request has arrived. */
  enter(turn: Turn): void {
    if (this.#ending) return;
    this.requests += 1;
    if (this.#current !== undefined) {
      this.#waiting.push(turn);
      if (this.#waiting.length >= waitingLimit) this.#hold();
      return;
    }
    this.#begin(turn);
  }

  /** The current request is answered; `closes` when the connection ends with it. */
  over(closes: boolean): void {
    this.#current = undefined;
    if (closes) this.#stopAnswering();
    if (this.#advancing) return;
    this.#advancing = true;
    // A loop, not recursion: each of many waiting requests may be over as soon as it starts.
    while (this.#current === undefined) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#begin(next);
    }
    this.#advancing = false;
    if (this.#held && this.#waiting.length < waitingLimit / 4) this.#release();
  }

  /**
   * What the client sends next cannot be read: earlier requests are answered, then it is told `status` (undefined:
   * nothing), then the connection ends.
   */
  fail(status: number | undefined): void {
    if (this.#ending) return;
    const last = this.#waiting.at(-1) ?? this.#current;
    if (last !== undefined && !last.received) {
      this.#ending = true;
      last.refuse(status);
      return;
    }
    this.end(status);
  }

  /** Takes no more requests, and ends as soon as those that are here are answered. */
  end(status?: number): void {
    this.#ending = true;
    const last = this.#waiting.at(-1)?.res ?? this.#current?.res ?? this.#lastResponse;
    const say = () => {
      if (status !== undefined && this.socket.writable) {
        this.socket.write(this.#options.rawAnswer(status), "latin1");
      }
      this.socket.destroySoon();
    };
    if (last === undefined || last.writableFinished) say();
    else last.once("finish", say);
  }

  #begin(turn: Turn): void {
    this.#current = turn;
    this.#lastResponse = turn.res;
    turn.start();
  }

  #stopAnswering(): void {
    this.#ending = true;
    for (const turn of this.#waiting.splice(0)) turn.abandon();
  }

  /** Stops reading. With a listener for its data, node hands the socket's flow over to us. */
  #hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.socket.on("data", ignore);
    // The parser resumes the socket at the end of each message: what it is at now must be through first.
    process.nextTick(() => {
      if (this.#held) this.socket.pause();
    });
  }

  #release(): void {
    this.#held = false;
    this.socket.off("data", ignore);
    this.socket.resume();
  }

  #halfClosed(): void {
    if (!this.busy) return;
    this.#graceTimer = setTimeout(() => this.socket.destroy(), this.#options.halfClosedMs);
  }

  #closed(): void {
    clearTimeout(this.#graceTimer);
    this.#ending = true;
    const current = this.#current;
    this.#current = undefined;
    current?.abandon();
    this.#stopAnswering();
  }
}

function ignore(): void {}
