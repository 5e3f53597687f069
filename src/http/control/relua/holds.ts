/** `/api/v1/hold`, `/release`, `/rollback`: keeping commits back, and going back. */

import { z } from "zod";
import { closedObject } from "../../../core/closed-object.ts";
import type { ControlledAgent } from "../controlled-agent.ts";
import { presentHold } from "../present.ts";
import { holdSchema } from "../schemas.ts";
import { nothing, takes, text, waitMs } from "./fields.ts";
import { type Operation, operation } from "./operation.ts";
import { answerOutcome, outcomeAnswers } from "./outcome-answer.ts";

const dayMs = 24 * 3_600_000;

export const holdRequestSchema = closedObject({
  owner: text.optional().describe("Who holds, for those who wonder"),
  reason: text.optional(),
  limitMs: z
    .int(takes(`1 to ${dayMs}`))
    .min(1, takes(`1 to ${dayMs}`))
    .max(dayMs, takes(`1 to ${dayMs}`))
    .optional()
    .describe("Milliseconds until the hold ends by itself"),
});

const releaseRequestSchema = closedObject({ reason: text.optional(), waitMs: waitMs.optional() });

const rollbackRequestSchema = closedObject({
  generation: z
    .int(takes("the number of a generation"))
    .nonnegative(takes("the number of a generation"))
    .describe("Whose sources to return to"),
  reason: text.optional(),
});

export function holdOperations(agent: ControlledAgent): readonly Operation[] {
  return [
    operation({
      method: "POST",
      place: "/api/v1/hold",
      summary: "Collects changes without committing, until release or until the limit",
      path: nothing,
      query: nothing,
      body: holdRequestSchema,
      answers: { 200: { description: "The hold", schema: holdSchema } },
      answer: ({ body: { owner, reason, limitMs } }) =>
        Response.json(
          presentHold(
            agent.hold({
              owner: owner ?? "control API",
              ...(reason === undefined ? {} : { reason }),
              ...(limitMs === undefined ? {} : { limitMs }),
            }),
          ),
        ),
    }),
    operation({
      method: "POST",
      place: "/api/v1/release",
      summary: "Ends the hold and commits everything that differs by now, as one change set",
      path: nothing,
      query: nothing,
      body: releaseRequestSchema,
      answers: outcomeAnswers,
      answer: async ({ body: { reason, waitMs } }) =>
        answerOutcome(
          await agent.release({
            ...(reason === undefined ? {} : { reason }),
            ...(waitMs === undefined ? {} : { waitMs }),
          }),
          agent.prefix,
        ),
    }),
    operation({
      method: "POST",
      place: "/api/v1/rollback",
      summary: "A new generation with the sources of an old one; stands until the disk changes again",
      path: nothing,
      query: nothing,
      body: rollbackRequestSchema,
      answers: outcomeAnswers,
      answer: async ({ body: { generation, reason } }) =>
        answerOutcome(await agent.rollback(generation, reason), agent.prefix),
    }),
  ];
}
