/** What every request of the data plane needs to know of it. */

import type { LogLevel } from "../core/log.ts";
import type { Dispatcher } from "../core/work.ts";
import type { Routes } from "./routing.ts";

/** The data plane, as its requests see it. */
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
  /** Responses so far, by the first digit of their status. */
  readonly responses: number[];
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
