/** The one error type of Relua: a message of fact and a stable `code` to branch on. */

/** Stable error codes; callers branch on these, never on the text. */
export type ErrorCode =
  | "config-invalid"
  | "config-unreadable"
  | "config-unwritable"
  | "search-path-invalid"
  | "address-in-use"
  | "listen-failed"
  | "agent-closed"
  | "generation-unknown"
  | "agent-unreachable"
  | "agent-refused"
  | "vm-failed"
  | "vm-died"
  | "no-vms"
  | "pool-full"
  | "pool-closed"
  | "lua-error"
  | "request-timeout"
  | "source-failed"
  | "analysis-failed"
  | "target-failed"
  | "usage";

/** An error that Relua raises on purpose. `message` says what, where and what to do. */
export class ReluaError extends Error {
  override readonly name = "ReluaError";
  readonly code: ErrorCode;
  /** Further facts, one per line of output, e.g. every problem of a config file. */
  readonly details: readonly string[];

  constructor(code: ErrorCode, message: string, details: readonly string[] = [], options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}
