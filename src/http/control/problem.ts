/** Problem details (RFC 9457): how the control plane says no. */

import { type ServerResponse, STATUS_CODES } from "node:http";

/** Stable codes of refusals; callers branch on these. Codes of ReluaError appear beside them. */
export type ProblemCode =
  | "target-invalid"
  | "host-not-allowed"
  | "token-required"
  | "origin-not-allowed"
  | "body-too-large"
  | "body-invalid"
  | "input-invalid"
  | "not-found"
  | "method-not-allowed"
  | "graph-too-large"
  | "not-ready"
  | "too-many"
  | "internal";

export interface Problem {
  readonly status: number;
  readonly code: string;
  /** What is wrong with this request, and what would be right. */
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** One line per fault, where there can be several. */
  readonly errors?: readonly string[];
}

/** Checks `code` where it is made here; a ReluaError brings its own. */
export function problem(
  status: number,
  code: ProblemCode,
  detail: string,
  more: Pick<Problem, "headers" | "errors"> = {},
): Problem {
  return { status, code, detail, ...more };
}

export const problemType = "application/problem+json";

/** `about:blank` says that `title` is the status' own (RFC 9457, 4.2.1); `code` tells kinds apart. */
function problemBody({ status, code, detail, errors }: Problem): string {
  return JSON.stringify({ type: "about:blank", title: STATUS_CODES[status], status, code, detail, errors });
}

export function problemResponse(what: Problem): Response {
  return new Response(problemBody(what), {
    status: what.status,
    headers: { "content-type": problemType, ...what.headers },
  });
}

export function writeProblem(response: ServerResponse, what: Problem): void {
  const body = problemBody(what);
  response.writeHead(what.status, {
    "content-type": problemType,
    "content-length": Buffer.byteLength(body),
    ...what.headers,
  });
  response.end(body);
}
