/** Calls of the control API over HTTP, for the commands that talk to a running agent. */

import { z } from "zod";
import { ReluaError } from "../errors.ts";
import { formatMs } from "../observe/quantities.ts";
import type { AgentAddress } from "./agent-address.ts";

export interface Call {
  readonly method: "GET" | "POST" | "PUT";
  /** Without a leading slash: `api/v1/status`. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly timeoutMs: number;
  /** The answer is no JSON but text. */
  readonly text?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** RFC 9457, with Relua's code; title and detail as far as they are there. */
const problemSchema = z.object({
  code: z.string(),
  title: z.string().optional(),
  detail: z.string().optional(),
  errors: z.array(z.string()).optional().catch(undefined),
});

/**
 * The answer, whatever its status, unless it is a problem.
 * @throws ReluaError `agent-unreachable`, `request-timeout`, `agent-refused`
 */
export async function callAgent({ url, token, origin }: AgentAddress, call: Call): Promise<Answer> {
  const answer = await send({ url, token, origin }, call);
  const type = answer.headers.get("content-type") ?? "none";
  const place = `${new URL(call.path, url)} (${origin})`;
  let body: unknown = await answer.text();
  try {
    if (call.text !== true || !type.startsWith("text/")) body = JSON.parse(String(body));
  } catch {
    throw new ReluaError(
      "agent-unreachable",
      `what answers at ${place} is no agent: status ${answer.status}, content type ${type}`,
    );
  }
  if (type.startsWith("application/problem+json")) throw refusal(problemSchema.safeParse(body).data, place);
  return { status: answer.status, body };
}

async function send({ url, token, origin }: AgentAddress, call: Call): Promise<Response> {
  const { method, path, body, timeoutMs } = call;
  try {
    return await fetch(new URL(path, url), {
      method,
      redirect: "error",
      headers: {
        accept: call.text === true ? "text/*" : "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (error) {
    const place = `${url.origin} (${origin})`;
    if (error instanceof Error && error.name === "TimeoutError")
      throw new ReluaError(
        "request-timeout",
        `the agent at ${place} has not answered within ${formatMs(timeoutMs)}`,
        ["it may still be at work; see relua status"],
        { cause: error },
      );
    throw new ReluaError(
      "agent-unreachable",
      `no agent answers at ${place}: ${causeOf(error)}`,
      ["start one with relua serve, or name another address with --url"],
      { cause: error },
    );
  }
}

function refusal(problem: z.infer<typeof problemSchema> | undefined, place: string): ReluaError {
  const what = problem?.detail ?? problem?.title ?? "without a reason";
  const details = [...(problem?.errors ?? [])];
  if (problem?.code === "token-required") details.push("set RELUA_TOKEN to the agent's control.token");
  return new ReluaError("agent-refused", `the agent refused (${problem?.code ?? place}): ${what}`, details);
}

/** fetch hides what the system said behind "fetch failed". */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "ECONNREFUSED") return "nothing listens there";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "there is no such host";
  return cause.message === "" ? (code ?? cause.name) : cause.message;
}
