/** The answer of every call that ends in an outcome: its JSON, under the status that says how it went. */

import type { Outcome, OutcomeKind } from "../../../core/outcome.ts";
import { presentOutcome } from "../present.ts";
import { outcomeSchema } from "../schemas.ts";
import type { Answer } from "./operation.ts";

const statusOf: Readonly<Record<OutcomeKind, number>> = {
  committed: 200,
  "recycle-required": 200,
  unchanged: 200,
  planned: 200,
  rejected: 422,
  held: 409,
};

export const outcomeAnswers: Readonly<Record<number, Answer>> = {
  200: { description: "committed, recycle-required, unchanged or planned", schema: outcomeSchema },
  409: { description: "held", schema: outcomeSchema },
  422: { description: "rejected: the generation before goes on", schema: outcomeSchema },
};

export function answerOutcome(outcome: Outcome, prefix: string): Response {
  return Response.json(presentOutcome(outcome, prefix), { status: statusOf[outcome.outcome] });
}
