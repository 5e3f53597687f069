/** Runs one request through its phases: rewrite, access, content, the filters, log. */

import type { lua_State } from "#fengari";
import type { HandlerSource, LocationHandlers, Phase } from "../core/exchange.ts";
import type { Activity, Outcome, Running } from "../lua/activity.ts";
import type { EndReason, Exchange } from "./exchange.ts";
import { type HandlerFailure, HandlerRunner, loadError, type PushHandler } from "./handlers.ts";
import type { NgxHost } from "./host.ts";
import { logForRequest } from "./request-scope.ts";
import { type ExchangeOutput, type Filters, ResponseStream } from "./response-stream.ts";

export type { HandlerFailure } from "./handlers.ts";
export type { ExchangeOutput } from "./response-stream.ts";

export interface ExchangeOptions {
  readonly host: NgxHost;
  /** Its `context` is `exchange`; serves all phases of the request. */
  readonly activity: Activity;
  readonly exchange: Exchange;
  readonly pushHandler: PushHandler;
  readonly output: ExchangeOutput;
}

/** A request on its way. */
export interface RunningExchange {
  readonly exchange: Exchange;
  /** Answer to `output.redirect`: goes on at this location, or ends as 404 when there is none. */
  continueWith(
    location: LocationHandlers | undefined,
    uri: string,
    args: string,
    captures: readonly string[],
  ): void;
  /** The client is gone: what runs is stopped, nothing is sent any more; log_by runs, then `output.done`. */
  abort(): void;
}

/** Internal redirects before nginx calls it a cycle (NGX_HTTP_MAX_URI_CHANGES). */
const maxJumps = 10;
/** `ngx.exit` codes below 100 (lua-nginx-module, "Core constants"). */
const declined = -5;
/** Statuses that close the connection without an answer: ngx.ERROR, 408, 444 and 499. */
const closing = new Set([-1, 408, 444, 499]);

type HandlerPhase = "rewrite" | "access" | "content";

class ExchangeRun implements RunningExchange, Filters {
  readonly exchange: Exchange;
  readonly #host: NgxHost;
  readonly #activity: Activity;
  readonly #handlers: HandlerRunner;
  readonly #output: ExchangeOutput;
  #phase: HandlerPhase = "rewrite";
  #source: HandlerSource | undefined;
  #failure: HandlerFailure | undefined;
  #running: Running | undefined;
  /** Counts phase starts, so that a phase that ended inside `scheduler.run` does not look like the current one. */
  #turn = 0;
  #waitsForLocation = false;
  #goesToNamed = false;
  #killed = false;
  #over = false;

  constructor(options: ExchangeOptions) {
    this.exchange = options.exchange;
    this.#host = options.host;
    this.#activity = options.activity;
    this.#handlers = new HandlerRunner(options.host, options.pushHandler, options.exchange);
    this.#output = options.output;
    const generation = options.activity.view.generation;
    this.exchange.stream = new ResponseStream(options.exchange, options.output, this, generation);
  }

  start(): void {
    if (this.exchange.location === undefined) this.#endWithPage(404);
    else this.#enter("rewrite");
  }

  continueWith(
    location: LocationHandlers | undefined,
    uri: string,
    args: string,
    captures: readonly string[],
  ): void {
    if (!this.#waitsForLocation || this.#over) return;
    this.#waitsForLocation = false;
    const exchange = this.exchange;
    exchange.location = location;
    // A named location keeps the URI and the query, as Lua may have left them (ngx_http_named_location).
    if (!this.#goesToNamed) {
      exchange.uri = uri;
      exchange.args = args;
      exchange.argsGiven = args !== "";
    }
    exchange.captures = captures;
    this.start();
  }

  abort(): void {
    if (this.#over) return;
    if (this.#running !== undefined) this.#running.abort();
    else if (this.#waitsForLocation) this.#close();
  }

  runFilter(phase: "header_filter" | "body_filter", L: lua_State | undefined): boolean {
    const exchange = this.exchange;
    const source = exchange.location?.handlers[phase];
    if (source === undefined) return true;
    const before = exchange.phase;
    exchange.phase = phase;
    const error =
      L === undefined ? this.#runApart(phase, source) : this.#handlers.runWithin(L, phase, source);
    exchange.phase = before;
    if (error !== undefined) this.#log(error);
    return error === undefined;
  }

  /** Runs the phases from `first` on until one of them suspends or ends the request. */
  #enter(first: HandlerPhase): void {
    const handlers = this.exchange.location?.handlers;
    if (first === "rewrite" && handlers?.rewrite !== undefined) this.#run("rewrite", handlers.rewrite);
    else if (first !== "content" && handlers?.access !== undefined) this.#run("access", handlers.access);
    else if (handlers?.content !== undefined) this.#run("content", handlers.content);
    else this.#endWithPage(404);
  }

  #run(phase: HandlerPhase, source: HandlerSource): void {
    this.#phase = phase;
    this.#source = source;
    this.exchange.phase = phase;
    this.#failure = undefined;
    const turn = ++this.#turn;
    const running = this.#host.scheduler.run(this.#activity, this.#push, this.#ended);
    if (turn === this.#turn && !this.#over) this.#running = running;
  }

  readonly #push = (co: lua_State): number => {
    this.#failure = this.#handlers.push(co, this.#phase, this.#source as HandlerSource);
    return 0;
  };

  readonly #ended = (outcome: Outcome): void => {
    this.#turn++;
    this.#running = undefined;
    if (this.#failure !== undefined) {
      this.#log(loadError(this.#source as HandlerSource, this.#failure));
      this.#endWithPage(this.#failure.status);
    } else if (outcome.kind === "returned") {
      this.#returned();
    } else if (outcome.kind === "exited") {
      this.#exited(outcome.reason as EndReason);
    } else if (outcome.kind === "killed") {
      this.#stopped(outcome.why);
    } else {
      this.#log(`lua entry thread aborted: runtime error: ${outcome.traceback}`);
      this.#endWithPage(500);
    }
  };

  #returned(): void {
    if (this.#phase === "content" || this.exchange.stream.headSent) this.#end();
    else this.#enter(this.#phase === "rewrite" ? "access" : "content");
  }

  #exited(reason: EndReason): void {
    if (reason.kind === "exit") this.#exit(reason.status);
    else if (this.exchange.stream.headSent) this.#end();
    else this.#redirect(reason);
  }

  #redirect(reason: Exclude<EndReason, { kind: "exit" }>): void {
    const exchange = this.exchange;
    exchange.internal = true;
    const uri = reason.kind === "exec" ? reason.uri : exchange.uri;
    if (++exchange.jumps > maxJumps) {
      const doing = uri.startsWith("@") ? "redirect to named location" : "internally redirecting to";
      this.#log(`rewrite or internal redirection cycle while ${doing} "${uri}"`);
      this.#endWithPage(500);
      return;
    }
    const args = reason.kind === "exec" ? reason.args : exchange.args;
    // ngx.exec starts over with an empty ngx.ctx; a jump by set_uri keeps it, like nginx's `rewrite … last`.
    if (reason.kind === "exec") exchange.pushContext = undefined;
    this.#waitsForLocation = true;
    this.#goesToNamed = uri.startsWith("@");
    this.#output.redirect(args === undefined ? { uri } : { uri, args });
  }

  #exit(status: number): void {
    const { stream } = this.exchange;
    if (closing.has(status)) {
      if (status > 0) this.exchange.status = status;
      stream.breakOff();
      this.#close();
    } else if (status < 200) {
      if (status === declined && this.#phase === "content" && !stream.headSent) this.#endWithPage(404);
      else this.#returned();
    } else if (status > 999) {
      this.#log(`ngx.exit with ${status}, which is no status`);
      this.#endWithPage(500);
    } else if ((status === 204 || status >= 300) && !stream.headSent) {
      this.#endWithPage(status);
    } else {
      if (this.exchange.status === 0) this.exchange.status = status;
      this.#end();
    }
  }

  #stopped(why: "deadline" | "instructions" | "aborted"): void {
    this.#killed = true;
    if (why === "aborted") {
      if (!this.exchange.stream.headSent) this.exchange.status = 499;
      this.#close();
      return;
    }
    const limit = why === "deadline" ? "limits.requestMs" : "limits.instructions";
    const status = why === "deadline" ? 504 : 500;
    this.#log(`lua entry thread aborted: the request exceeded ${limit}`);
    // A header filter that did not come to an end is not started again for the error page.
    if (this.exchange.phase === "header_filter") this.exchange.stream.failure = status;
    this.#endWithPage(status);
  }

  #end(): void {
    const { stream } = this.exchange;
    if (stream.failure !== undefined || !stream.end(undefined)) stream.endWithPage(stream.failure ?? 500);
    this.#close();
  }

  #endWithPage(status: number): void {
    this.exchange.stream.endWithPage(status);
    this.#close();
  }

  /** The response is over: log_by runs, then the request is done. */
  #close(): void {
    if (this.#over) return;
    this.#over = true;
    const source = this.exchange.location?.handlers.log;
    if (source !== undefined) {
      this.exchange.phase = "log";
      const error = this.#runApart("log", source);
      if (error !== undefined) this.#log(error);
    }
    this.#output.done();
  }

  #runApart(phase: Phase, source: HandlerSource): string | undefined {
    return this.#handlers.runApart(this.#killed ? renewed(this.#activity) : this.#activity, phase, source);
  }

  #log(message: string): void {
    logForRequest(this.#host, this.exchange, "error", message);
  }
}

/** The same activity with a time limit that starts now: log_by runs also when the request used up its own. */
function renewed({ view, instructions, deadlineMs, context }: Activity): Activity {
  return { view, instructions, deadlineMs, context, startedAtMs: performance.now() };
}

/** Starts a request: runs until it suspends or is over before it returns. `output.done` is called exactly once. */
export function startExchange(options: ExchangeOptions): RunningExchange {
  const run = new ExchangeRun(options);
  run.start();
  return run;
}
