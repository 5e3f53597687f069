/** `/api/v1/plan`: what a change would do, without doing it. */

import { resolve } from "node:path";
import { z } from "zod";
import type { ControlledAgent } from "../controlled-agent.ts";
import { presentPlan } from "../present.ts";
import { planSchema } from "../schemas.ts";
import { nothing } from "./fields.ts";
import { type Operation, operation } from "./operation.ts";

const file = z.string({ error: "it takes a file, relative to the prefix" }).min(1).max(4096);

export function planOperation(agent: ControlledAgent): Operation {
  return operation({
    method: "GET",
    place: "/api/v1/plan",
    summary: "What a change to these files would evict",
    path: nothing,
    query: z.object({
      changed: z
        .union([file, z.array(file).max(1000)], { error: "it takes a file, relative to the prefix" })
        .describe("Once for each file"),
    }),
    body: undefined,
    answers: { 200: { description: "The plan", schema: planSchema } },
    answer: ({ query: { changed } }) => {
      const paths = [changed].flat().map((path) => resolve(agent.prefix, path));
      return Response.json(presentPlan(agent.reloader.planFor(paths)));
    },
  });
}
