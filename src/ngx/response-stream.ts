/** The way of a response out of the VM: head, pieces, filters, buffering, and the one time it ends. */

import type { lua_State } from "#fengari";
import type { Redirection, ResponseHead } from "../core/exchange.ts";
import type { Exchange } from "./exchange.ts";
import { joined } from "./output-bytes.ts";
import { ResponseHeaders } from "./response-headers.ts";

/** Where a request's output goes; each call is one message to the main thread (`VmToMain`). */
export interface ExchangeOutput {
  /**
   * The whole response. The body owns its buffer and may be transferred. `isLast` when no Lua code is to run any more:
   * nothing but `done` follows.
   */
  response(head: ResponseHead, body: Uint8Array | undefined, isLast: boolean): void;
  head(head: ResponseHead): void;
  /** The bytes own their buffer and may be transferred. */
  data(bytes: Uint8Array): void;
  finish(): void;
  broken(): void;
  redirect(redirection: Redirection): void;
  done(): void;
}

/** Runs the filter phases; given by the phase machine. */
export interface Filters {
  /** Runs the handler of a filter phase, on `L` when Lua is running; false when it failed (and was logged). */
  runFilter(phase: "header_filter" | "body_filter", L: lua_State | undefined): boolean;
}

/** Output is kept back until the response ends, is flushed, or grows beyond this. */
const bufferBytes = 64 * 1024;
const empty = new Uint8Array(0);

export class ResponseStream {
  readonly headers = new ResponseHeaders();
  /** The head is final: Lua can no longer change it (`ngx.headers_sent`). */
  headSent = false;
  /** Nothing more can be written: `ngx.eof`, or the response is over. */
  ended = false;
  /** Output was written (`ngx.flush` has something to do). */
  written = false;
  /** The status that a filter asked for, or 500 when it failed: an error page takes the response's place. */
  failure: number | undefined;
  /** Bytes of the body so far (`$body_bytes_sent`). */
  bodyBytes = 0;
  readonly #exchange: Exchange;
  readonly #output: ExchangeOutput;
  readonly #filters: Filters;
  readonly #generation: number;
  #pieces: Uint8Array[] = [];
  #pending = 0;
  #headEmitted = false;
  #filterSawLast = false;

  constructor(exchange: Exchange, output: ExchangeOutput, filters: Filters, generation: number) {
    this.#exchange = exchange;
    this.#output = output;
    this.#filters = filters;
    this.#generation = generation;
  }

  /** HTTP/1.0 without a length: nginx keeps everything back (`lua_http10_buffering`), flushing does nothing. */
  get buffering(): boolean {
    return this.#exchange.request.httpVersion === "1.0" && this.headers.get("content-length").length === 0;
  }

  /** Makes the head final, through header_filter. False when that failed. */
  sendHead(L: lua_State | undefined): boolean {
    if (this.failure !== undefined) return false;
    if (this.headSent) return true;
    const exchange = this.#exchange;
    if (exchange.status === 0) exchange.status = 200;
    this.headers.chooseContentType(exchange.status);
    if (!this.#filterHead(L)) return false;
    this.headSent = true;
    return true;
  }

  /** Takes a piece of output; it belongs to the stream from now on. False when a filter failed. */
  write(L: lua_State, bytes: Uint8Array): boolean {
    if (!this.sendHead(L)) return false;
    this.written = true;
    if (!this.#accept(L, bytes, false)) return false;
    if (this.#pending > bufferBytes) this.handOver();
    return true;
  }

  /** Sends what is there now. */
  handOver(): void {
    if (!this.#headEmitted) {
      this.#headEmitted = true;
      this.#output.head(this.#head(false));
    }
    if (this.#pending > 0) this.#output.data(this.#takePieces());
  }

  /** Ends the response with what was written. False when a filter failed: an error page is due then. */
  end(L: lua_State | undefined): boolean {
    if (this.ended) return true;
    if (!this.sendHead(L) || !this.#accept(L, empty, true)) return false;
    this.ended = true;
    const body = this.#pending > 0 ? this.#takePieces() : undefined;
    if (!this.#headEmitted) {
      this.#headEmitted = true;
      this.#output.response(this.#head(false), body, L === undefined && !this.#isLogged);
      return true;
    }
    if (body !== undefined) this.#output.data(body);
    this.#output.finish();
    return true;
  }

  /** Ends the response as nginx's own page for `status`; breaks the connection when the head has left already. */
  endWithPage(status: number): void {
    if (this.ended) return;
    if (this.#headEmitted) {
      this.breakOff();
      return;
    }
    this.#pieces = [];
    this.#pending = 0;
    this.#exchange.status = status;
    this.headers.reduceToErrorPage();
    if (!this.headSent && this.failure === undefined) {
      // An error page passes header_filter as well; what the filter asks for instead is not asked a second time.
      this.#filterHead(undefined);
      if (this.failure !== undefined) this.#exchange.status = this.failure;
    }
    this.headSent = true;
    this.ended = true;
    this.#headEmitted = true;
    const finalStatus = this.#exchange.status;
    this.#output.response(this.#head(finalStatus !== 204 && finalStatus !== 304), undefined, !this.#isLogged);
  }

  /** Closes the connection without (the rest of) a response. */
  breakOff(): void {
    if (this.ended) return;
    this.ended = true;
    this.headSent = true;
    this.#headEmitted = true;
    this.#output.broken();
  }

  /** log_by runs after the response. */
  get #isLogged(): boolean {
    return this.#exchange.location?.handlers.log !== undefined;
  }

  #filterHead(L: lua_State | undefined): boolean {
    const exchange = this.#exchange;
    if (exchange.location?.handlers.header_filter === undefined) return true;
    exchange.filterExit = undefined;
    if (!this.#filters.runFilter("header_filter", L)) this.failure = 500;
    else if (exchange.filterExit !== undefined && exchange.filterExit >= 300)
      this.failure = exchange.filterExit;
    return this.failure === undefined;
  }

  /** Takes a piece through body_filter into the buffer. */
  #accept(L: lua_State | undefined, bytes: Uint8Array, last: boolean): boolean {
    const exchange = this.#exchange;
    let piece: Uint8Array | undefined = bytes;
    if (exchange.location?.handlers.body_filter !== undefined) {
      // A filter that declared the end (`ngx.arg[2] = true`) sees nothing more, and nothing more is sent.
      if (this.#filterSawLast) return true;
      exchange.chunk = bytes;
      exchange.chunkIsLast = last;
      if (!this.#filters.runFilter("body_filter", L)) {
        this.failure = 500;
        return false;
      }
      piece = exchange.chunk;
      this.#filterSawLast = exchange.chunkIsLast;
      exchange.chunk = undefined;
    }
    if (piece !== undefined && piece.length > 0) {
      this.#pieces.push(piece);
      this.#pending += piece.length;
      this.bodyBytes += piece.length;
    }
    return true;
  }

  #takePieces(): Uint8Array {
    const pieces = this.#pieces;
    const total = this.#pending;
    this.#pieces = [];
    this.#pending = 0;
    if (pieces.length === 1) return pieces[0] as Uint8Array;
    return joined(pieces, total);
  }

  #head(errorPage: boolean): ResponseHead {
    return {
      status: this.#exchange.status,
      headers: this.headers.toHead(),
      errorPage,
      generation: this.#generation,
    };
  }
}
