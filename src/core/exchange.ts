/** What crosses between the data plane and a VM: one HTTP request and its response, as plain data. */

/** The phases of a request that Lua can handle, in nginx's order (lua-nginx-module, "Directives"). */
export const phases = ["rewrite", "access", "content", "header_filter", "body_filter", "log"] as const;
export type Phase = (typeof phases)[number];

/** Lua for one phase of one location: source text, or a file whose path may hold `$1`, `$arg_x`, …. */
export type HandlerSource =
  | { readonly kind: "inline"; readonly code: string }
  | { readonly kind: "file"; readonly path: string };

/** A location as the VMs know it: its handlers under a number that is never used again. */
export interface LocationHandlers {
  readonly id: number;
  /** As configured, e.g. `= /x`; used in chunk names and messages. */
  readonly pattern: string;
  readonly handlers: Readonly<Partial<Record<Phase, HandlerSource>>>;
}

/**
 * One HTTP request. Texts are "binary" JavaScript strings, one character per byte (latin1), as node:http
 * delivers them, so that no byte is lost on the way to Lua.
 */
export interface HttpRequest {
  readonly method: string;
  /** The request line's target, unchanged (`$request_uri`). */
  readonly target: string;
  /** Decoded and normalised path (`$uri`). */
  readonly uri: string;
  /** Query without the question mark (`$args`). */
  readonly args: string;
  /** `"1.0"` or `"1.1"`. */
  readonly httpVersion: string;
  /** Names and values in turn, in the order and spelling of the client. */
  readonly headers: readonly string[];
  /** The whole body; absent when the request has none. */
  readonly body?: Uint8Array;
  readonly scheme: "http" | "https";
  readonly remoteAddr: string;
  readonly remotePort: number;
  readonly serverAddr: string;
  readonly serverPort: number;
  /** The server name that was chosen (`$server_name`). */
  readonly serverName: string;
  /** Serial number of the connection (`$connection`) and of the request on it (`$connection_requests`). */
  readonly connection: number;
  readonly connectionRequests: number;
  /** Milliseconds since the epoch, with a fraction (`ngx.req.start_time`). */
  readonly startedAt: number;
  /** `LocationHandlers.id` of the chosen location. */
  readonly location: number;
  /** Groups of a regex location, `$1` first; empty otherwise. */
  readonly captures: readonly string[];
}

/** A whole body: bytes, or a short one as text in latin1, which crosses threads at a third of the cost. */
export type ResponseBody = Uint8Array | string;

/** Head of a response, as Lua left it. */
export interface ResponseHead {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** The body is nginx's own page for `status` (`ngx.exit(404)`); the data plane writes it. */
  readonly errorPage: boolean;
  /** The generation the request ran on. */
  readonly generation: number;
}

/** An internal redirect (`ngx.exec`, `ngx.req.set_uri(…, true)`): where the request goes on. */
export interface Redirection {
  /** A path, or `@name` for a named location. */
  readonly uri: string;
  /** New query; undefined keeps the one there was. */
  readonly args?: string;
}
