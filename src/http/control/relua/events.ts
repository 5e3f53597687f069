/** `/api/v1/events`: server-sent events (WHATWG HTML, 9.2) of what happens in the agent. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { OutcomeKind } from "../../../core/outcome.ts";
import type { ControlledAgent } from "../controlled-agent.ts";
import { presentChange, presentOutcome, presentPlan, presentVm } from "../present.ts";
import { problem, problemResponse } from "../problem.ts";
import { EventLog, type LoggedEvent } from "./event-log.ts";
import { nothing } from "./fields.ts";
import { type Operation, operation } from "./operation.ts";

const keptEvents = 1000;
const maxStreams = 64;
/** What may wait for a slow reader before its stream is ended; it can resume by `Last-Event-ID`. */
const backlogBytes = 1024 ** 2;
/** Keeps proxies from cutting a quiet stream. */
const heartbeatMs = 15_000;

/** Outcomes that are events; the others changed nothing and stand in the way of nothing. */
const eventOf: { readonly [kind in OutcomeKind]?: "committed" | "rejected" } = {
  committed: "committed",
  "recycle-required": "committed",
  rejected: "rejected",
};

export class EventStreams {
  readonly #log = new EventLog(keptEvents);
  readonly #streams = new Set<ServerResponse>();

  constructor(agent: ControlledAgent) {
    const { prefix } = agent;
    agent.on("plan", (plan, changes) => {
      if (changes.length > 0)
        this.#log.add("change", () => ({ changes: changes.map((change) => presentChange(change, prefix)) }));
      this.#log.add("plan", () => presentPlan(plan, prefix));
    });
    agent.on("outcome", (outcome) => {
      const type = eventOf[outcome.outcome];
      if (type !== undefined) this.#log.add(type, () => presentOutcome(outcome, prefix));
    });
    agent.on("vm", (vm, why) => this.#log.add("vm", () => ({ ...presentVm(vm), why: why ?? null })));
    agent.on("log", (level, message, vm) => this.#log.add("log", () => ({ level, message, vm: vm ?? null })));
  }

  /** `GET /api/v1/events` */
  get operation(): Operation {
    return operation({
      method: "GET",
      place: "/api/v1/events",
      summary:
        "Events as they happen: change, plan, committed, rejected, vm, log; resumes from Last-Event-ID",
      path: nothing,
      query: nothing,
      body: undefined,
      answers: { 200: { description: "A stream that does not end", contentType: "text/event-stream" } },
      answer: ({ request, response }) => {
        if (this.#streams.size >= maxStreams)
          return problemResponse(problem(503, "too-many", `${maxStreams} event streams are open; close one`));
        this.#open(request, response);
        return RESPONSE_ALREADY_SENT;
      },
    });
  }

  /** Ends every stream. */
  close(): void {
    for (const stream of this.#streams) stream.end();
  }

  #open(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (request.method === "HEAD") {
      response.end();
      return;
    }
    response.write(":\n\n");
    const send = (event: LoggedEvent) => {
      response.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${event.data}\n\n`);
      if (response.writableLength > backlogBytes) response.destroy();
    };
    const lastId = /^\d{1,15}$/.exec(String(request.headers["last-event-id"] ?? ""))?.[0];
    if (lastId !== undefined) for (const event of this.#log.after(Number(lastId))) send(event);
    const unfollow = this.#log.follow(send);
    const heartbeat = setInterval(() => response.write(":\n\n"), heartbeatMs).unref();
    this.#streams.add(response);
    response.once("close", () => {
      unfollow();
      clearInterval(heartbeat);
      this.#streams.delete(response);
    });
  }
}
