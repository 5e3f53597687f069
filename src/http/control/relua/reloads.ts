/** `/api/v1/reloads`: bringing every VM to what is on disk, and the history of what came of it. */

import { resolve } from "node:path";
import { z } from "zod";
import { closedObject } from "../../../core/closed-object.ts";
import type { Outcome } from "../../../core/outcome.ts";
import type { ReloadRequest } from "../../../reload/reloader.ts";
import type { ControlledAgent } from "../controlled-agent.ts";
import { presentOutcome } from "../present.ts";
import { problem, problemResponse } from "../problem.ts";
import { outcomeSchema } from "../schemas.ts";
import { flag, nothing, takes, text, texts, waitMs } from "./fields.ts";
import { type Operation, operation } from "./operation.ts";
import { answerOutcome, outcomeAnswers } from "./outcome-answer.ts";
import { Tickets } from "./tickets.ts";

export const reloadRequestSchema = closedObject({
  names: texts.optional().describe("Module names: they, their aliases and their dependents alone"),
  files: texts.optional().describe("Files, relative to the prefix: what changed in these alone"),
  all: flag.optional().describe("Every module that may be evicted, changed or not"),
  force: flag.optional().describe("Evict what names and files say though nothing changed"),
  dryRun: flag.optional().describe("Plan only"),
  reason: text.optional(),
  waitMs: waitMs.optional(),
}).describe("{}: everything that differs on disk now");

const historyLimit = z
  .string(takes("a number, once"))
  .regex(/^[1-9]\d{0,8}$/, takes("a number from 1"))
  .transform(Number)
  .optional()
  .describe("At most so many, the newest; all without it");

export function reloadOperations(agent: ControlledAgent): readonly Operation[] {
  const tickets = new Tickets<Outcome>();
  const present = (outcome: Outcome) => presentOutcome(outcome, agent.prefix);

  const reload = operation({
    method: "POST",
    place: "/api/v1/reloads",
    summary: "Brings every VM to what is on disk now; answers after the outcome",
    path: nothing,
    query: nothing,
    body: reloadRequestSchema,
    answers: {
      ...outcomeAnswers,
      202: { description: "With Prefer: respond-async; Location tells the outcome when it is there" },
    },
    answer: async ({ body, request }) => {
      const underWay = agent.reload(requestOf(body, agent.prefix), "api");
      if (!prefersAsync(request.headers.prefer)) return answerOutcome(await underWay, agent.prefix);
      const location = `/api/v1/reloads/${tickets.issue(underWay)}`;
      return new Response(null, {
        status: 202,
        headers: { location, "preference-applied": "respond-async" },
      });
    },
  });

  const history = operation({
    method: "GET",
    place: "/api/v1/reloads",
    summary: "What was committed and what was rejected, newest first",
    path: nothing,
    query: z.object({ limit: historyLimit }),
    body: undefined,
    answers: { 200: { description: "The history", schema: z.array(outcomeSchema) } },
    answer: ({ query: { limit } }) =>
      Response.json(agent.reloader.history.list().slice(0, limit).map(present)),
  });

  const entryOfHistory = operation({
    method: "GET",
    place: "/api/v1/reloads/{id}",
    summary: "One reload, by the id of its outcome or by the place that a 202 named",
    path: z.object({ id: z.string() }),
    query: nothing,
    body: undefined,
    answers: {
      200: { description: "The outcome", schema: outcomeSchema },
      202: { description: "Still under way" },
    },
    answer: async ({ path: { id } }) => {
      const ticket = tickets.look(id);
      if (ticket === "under way") return new Response(null, { status: 202 });
      const outcome = ticket ? await ticket : numbered(agent, id);
      if (outcome) return Response.json(present(outcome));
      return problemResponse(problem(404, "not-found", `the history has no reload ${id}`));
    },
  });

  return [reload, history, entryOfHistory];
}

function numbered(agent: ControlledAgent, id: string): Outcome | undefined {
  return /^\d{1,15}$/.test(id) ? agent.reloader.history.get(Number(id)) : undefined;
}

/** RFC 7240: preferences are separated by commas, and may have parameters. */
function prefersAsync(prefer: string | string[] | undefined): boolean {
  return [prefer ?? []]
    .flat()
    .flatMap((line) => line.split(","))
    .some((preference) => /^respond-async\s*(?:;|$)/i.test(preference.trim()));
}

function requestOf(body: z.output<typeof reloadRequestSchema>, prefix: string): ReloadRequest {
  const { names, files, all, force, dryRun, reason, waitMs } = body;
  return {
    ...(names === undefined ? {} : { names }),
    ...(files === undefined ? {} : { files: files.map((file) => resolve(prefix, file)) }),
    ...(all === undefined ? {} : { all }),
    ...(force === undefined ? {} : { force }),
    ...(dryRun === undefined ? {} : { dryRun }),
    ...(reason === undefined ? {} : { reason }),
    ...(waitMs === undefined ? {} : { waitMs }),
  };
}
