/** Relua's own part of the control plane: routes requests to operations and checks what goes in. */

import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import type { z } from "zod";
import { type ErrorCode, ReluaError } from "../../../errors.ts";
import { readBody } from "../body.ts";
import { plainValueOf, readJson } from "../json-reader.ts";
import { type Problem, problem, problemResponse } from "../problem.ts";
import type { Operation } from "./operation.ts";

/** Bodies of this part; NJet's may be larger. */
const maxBodyBytes = 1024 ** 2;

type Bindings = { Bindings: HttpBindings };

/** Carries a problem out of the checks. */
class Refusal extends Error {
  readonly problem: Problem;
  constructor(what: Problem) {
    super(what.detail);
    this.problem = what;
  }
}

export interface ReluaApiParts {
  readonly operations: readonly Operation[];
  /** Told of what should not happen. */
  readonly log: (message: string) => void;
}
/** Of errors that are no sign of an agent in trouble. */
const statusOf: Readonly<Partial<Record<ErrorCode, number>>> = { "generation-unknown": 404, "no-vms": 409 };

export function createReluaApi({ operations, log }: ReluaApiParts): Hono<Bindings> {
  const app = new Hono<Bindings>();
  for (const operation of operations)
    app.on(operation.method, routeOf(operation.place), (context) => answer(operation, context));
  for (const [place, methods] of methodsByPlace(operations))
    app.all(routeOf(place), ({ req }) =>
      problemResponse(
        problem(405, "method-not-allowed", `${req.method} is not for ${req.path}; it takes ${methods}`, {
          headers: { allow: methods },
        }),
      ),
    );
  app.notFound(({ req }) =>
    problemResponse(problem(404, "not-found", `there is no ${req.path}; /openapi.json lists what there is`)),
  );
  app.onError((error, { req }) => {
    if (error instanceof Refusal) return problemResponse(error.problem);
    if (error instanceof ReluaError)
      return problemResponse({
        status: statusOf[error.code] ?? 503,
        code: error.code,
        detail: error.message,
      });
    log(`${req.method} ${req.path} failed: ${error.stack ?? error.message}`);
    return problemResponse(problem(500, "internal", "this should not happen; the agent's log says more"));
  });
  return app;
}

/** `{id}` is `:id`; a module's name may have slashes in it, so a parameter takes the rest of the path. */
function routeOf(place: string): string {
  return place.replace(/\{(\w+)\}/g, ":$1{.+}");
}

/** HEAD goes where GET does. */
function methodsByPlace(operations: readonly Operation[]): ReadonlyMap<string, string> {
  const methods = new Map<string, string>();
  for (const { place, method } of operations) {
    const own = method === "GET" ? "GET, HEAD" : method;
    const known = methods.get(place);
    methods.set(place, known === undefined ? own : `${known}, ${own}`);
  }
  return methods;
}

async function answer(operation: Operation, { req, env }: Context<Bindings>): Promise<Response> {
  const query = Object.fromEntries(
    Object.entries(req.queries()).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  );
  return operation.answer({
    path: checked(operation.path, req.param(), "the path"),
    query: checked(operation.query, query, "the query"),
    body: operation.body && checked(operation.body, await jsonBody(env), "the body"),
    request: env.incoming,
    response: env.outgoing,
  });
}

/** An empty body is an empty object: `curl -X POST` means the default. */
async function jsonBody({ incoming }: HttpBindings): Promise<unknown> {
  const bytes = await readBody(incoming, maxBodyBytes);
  if (bytes === "too-large")
    throw new Refusal(problem(413, "body-too-large", `the body is larger than ${maxBodyBytes} bytes`));
  if (bytes.length === 0) return {};
  const read = readJson(bytes);
  if (read.ok) return plainValueOf(read.root);
  throw new Refusal(problem(400, "body-invalid", `the body is no JSON: ${read.message}, at ${read.at}`));
}

function checked<T extends z.ZodType>(schema: T, input: unknown, what: string): z.output<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const errors = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`,
  );
  throw new Refusal(problem(400, "input-invalid", `${what} does not fit: ${errors.join("; ")}`, { errors }));
}
