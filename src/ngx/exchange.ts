/** The state of one request inside a VM: what the client sent, as Lua may have changed it, and how far it got. */

import type { lua_State } from "#fengari";
import type { HttpRequest, LocationHandlers, Phase } from "../core/exchange.ts";
import { HeaderLines } from "./header-lines.ts";
import type { ResponseStream } from "./response-stream.ts";

/** `never read`, `ngx.req.read_body` was called, `ngx.req.discard_body` came first, `init_body` began a new one. */
export type BodyState = "unread" | "read" | "discarded" | "building";

/** Why a coroutine of a request ended itself: the reason given to `Scheduler.exit`. */
export type EndReason =
  /** `ngx.exit(status)`; also `ngx.redirect`, which sets the Location header first. */
  | { readonly kind: "exit"; readonly status: number }
  /** `ngx.exec`; args undefined keeps the query there was (named locations). */
  | { readonly kind: "exec"; readonly uri: string; readonly args: string | undefined }
  /** `ngx.req.set_uri(uri, true)`. */
  | { readonly kind: "jump" };

/** One request in a VM. It is the `context` of its Activity, which is how the API finds it. */
export class Exchange {
  /** As the client sent it; never changes. */
  readonly request: HttpRequest;
  readonly headers: HeaderLines;
  /** Set by `startExchange`. */
  stream!: ResponseStream;
  location: LocationHandlers | undefined;
  captures: readonly string[];
  phase: Phase = "rewrite";
  method: string;
  uri: string;
  args: string;
  /** False while there is no query at all: `$args` is not found then, as in nginx. */
  argsGiven: boolean;
  body: Uint8Array | undefined;
  bodyState: BodyState = "unread";
  /** Pieces of a body begun with `ngx.req.init_body`. */
  bodyPieces: Uint8Array[] = [];
  /** `ngx.status`; 0 until it is set. */
  status = 0;
  /** True after an internal redirect or `set_uri`. */
  internal = false;
  /** Internal redirects so far. */
  jumps = 0;
  /** Pushes the `ngx.ctx` table of this request. */
  pushContext: ((L: lua_State) => void) | undefined;
  /** Host as `ngx.req.set_header("Host", …)` left it. */
  hostOverride: string | undefined;
  /** Made at the first reading of `$request_id`. */
  requestId: string | undefined;
  /** `ngx.exit(status)` inside header_filter: takes effect when the filter has returned. */
  filterExit: number | undefined;
  /** The piece of output that body_filter is looking at (`ngx.arg[1]`, `ngx.arg[2]`). */
  chunk: Uint8Array | undefined;
  chunkIsLast = false;

  constructor(request: HttpRequest, location: LocationHandlers | undefined) {
    this.request = request;
    this.headers = new HeaderLines(request.headers);
    this.location = location;
    this.captures = request.captures;
    this.method = request.method;
    this.uri = request.uri;
    this.args = request.args;
    this.argsGiven = request.args !== "";
    this.body = request.body;
  }
}

/** Context of an Activity that is not a request: `get_phase` says its name, request functions are disabled. */
export class Surroundings {
  readonly phase: "init" | "init_worker" | "timer";

  constructor(phase: "init" | "init_worker" | "timer") {
    this.phase = phase;
  }
}
