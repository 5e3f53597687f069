/** What the data plane asks of the VMs, in the shapes of the pool (`src/vm/work.ts`), which satisfies it. */

import type { HttpRequest, Redirection, ResponseHead } from "../core/exchange.ts";

/** Why there is no response: see the pool's `Unavailable`. */
export type Unavailable = "pool-full" | "pool-closed" | "vm-died" | "no-answer";

/** Where a redirected request goes on. */
export interface Continuation {
  readonly uri: string;
  readonly args: string;
  /** Undefined: 404. */
  readonly location: number | undefined;
  readonly captures: readonly string[];
}

/** A dispatched request. */
export interface Ticket {
  /** The client is gone: the sink hears nothing more. */
  abort(): void;
  /** Answer to `ResponseSink.redirect`. */
  continueAt(continuation: Continuation): void;
}

/**
 * Hears what becomes of a request. Exactly one of `response`, `finish`, `broken` and `unavailable` ends it, none after
 * `Ticket.abort`; only `unavailable` may come before `dispatch` has returned.
 */
export interface ResponseSink {
  response(head: ResponseHead, body: Uint8Array | undefined, vm: number): void;
  head(head: ResponseHead, vm: number): void;
  data(bytes: Uint8Array): void;
  finish(): void;
  broken(): void;
  redirect(redirection: Redirection, ticket: Ticket): void;
  unavailable(reason: Unavailable): void;
}

export interface Dispatcher {
  dispatch(work: { readonly type: "request"; readonly request: HttpRequest }, sink: ResponseSink): Ticket;
}
