/** Work for the VMs: what is dispatched to them, and who hears how it went. */

import type { HttpRequest, Redirection, ResponseBody, ResponseHead } from "./exchange.ts";
import type { PlainValue } from "./plain-value.ts";

/** One HTTP request. */
export interface RequestWork {
  readonly type: "request";
  readonly request: HttpRequest;
}

/** One call of a Lua function, `require(module)[fn](…args)`. */
export interface CallWork {
  readonly type: "call";
  readonly module: string;
  readonly fn: string;
  readonly args: readonly PlainValue[];
}

/**
 * Why work has no answer from Lua.
 * `pool-full`: the line was full, or no VM was free for too long; nothing ran. `pool-closed`: the pool drains or
 * is closed; nothing ran.
 * `vm-died`: the VM died after the work had started, or three VMs died before it did.
 * `no-answer`: the VM ended the work without an answer.
 */
export type Unavailable = "pool-full" | "pool-closed" | "vm-died" | "no-answer";

/** A Lua error, as `call` gives it back. */
export interface LuaFailure {
  readonly message: string;
  readonly traceback: string;
  readonly generation: number;
}

/**
 * Hears what becomes of a request. Exactly one of `response`, `finish`, `broken` and `unavailable` ends it, and
 * none of them is called after `Ticket.abort`. Never called before `dispatch` has returned, save `unavailable`.
 */
export interface RequestSink {
  /** The complete response, and the number of the VM that answered. */
  response(head: ResponseHead, body: ResponseBody | undefined, vm: number): void;
  /** A response in pieces begins. */
  head(head: ResponseHead, vm: number): void;
  data(bytes: Uint8Array): void;
  finish(): void;
  /** The response broke off after its head: close the connection. */
  broken(): void;
  /** The request is to go on elsewhere: answer by `ticket.continueAt`. */
  redirect(redirection: Redirection, ticket: Ticket): void;
  /** There is no response, and no head was sent. */
  unavailable(reason: Unavailable): void;
}

/** Hears what becomes of a call: exactly one of these, once. */
export interface CallSink {
  result(values: readonly PlainValue[], generation: number): void;
  failed(failure: LuaFailure): void;
  unavailable(reason: Unavailable): void;
}

/** Where a redirected request goes on. */
export interface Continuation {
  readonly uri: string;
  readonly args: string;
  /** Undefined when there is no such location: 404. */
  readonly location: number | undefined;
  readonly captures: readonly string[];
}

/** Dispatched work, in the hand of who dispatched it. */
export interface Ticket {
  /** The client is gone: the work is stopped and its sink hears nothing more. */
  abort(): void;
  /** Answer to `RequestSink.redirect`. */
  continueAt(continuation: Continuation): void;
}

/** Takes requests to the VMs; for the data plane, which needs to know no more of the pool. */
export interface Dispatcher {
  dispatch(work: RequestWork, sink: RequestSink): Ticket;
}
