/** An operation of the API: its place, what it takes, what it answers; routes and OpenAPI are made from it. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { z } from "zod";

/** One request, checked. */
export interface Call<P, Q, B> {
  readonly path: P;
  readonly query: Q;
  readonly body: B;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export interface Answer {
  readonly description: string;
  /** The body's shape; without it the body is text of `contentType`. */
  readonly schema?: z.ZodType;
  /** `application/json` when left out. */
  readonly contentType?: string;
}

export interface OperationSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly method: "GET" | "POST";
  /** In OpenAPI's form: `/api/v1/reloads/{id}`. */
  readonly place: string;
  readonly summary: string;
  /** An object schema over texts. */
  readonly path: P;
  /** An object schema over texts; a parameter that is given twice is a list. */
  readonly query: Q;
  /** Undefined: the operation reads no body. */
  readonly body: B | undefined;
  /** By status, problems aside. */
  readonly answers: Readonly<Record<number, Answer>>;
  answer(call: Call<z.output<P>, z.output<Q>, z.output<B>>): Response | Promise<Response>;
}

/** An operation as the router and OpenAPI see it, whatever it takes. */
export type Operation = OperationSpec<z.ZodType, z.ZodType, z.ZodType>;

/** Types `answer` by the schemas beside it. */
export function operation<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType = z.ZodUndefined>(
  spec: OperationSpec<P, Q, B>,
): Operation {
  return spec as unknown as Operation;
}
