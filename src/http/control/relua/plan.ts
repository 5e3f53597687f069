/** `/api/v1/plan`: what a change would do, without doing it. */

import { resolve } from "node:path";
import { z } from "zod";
import { explainFile } from "../../../core/explain.ts";
import { relativeFile } from "../../../core/relative-file.ts";
import { toldReason } from "../../../core/told-resolution.ts";
import type { ControlledAgent } from "../controlled-agent.ts";
import { presentPlan } from "../present.ts";

import { plannedFilesSchema } from "../schemas.ts";
import { nothing } from "./fields.ts";
import { knowledgeOf } from "./knowledge.ts";
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
    answers: { 200: { description: "The plan", schema: plannedFilesSchema } },
    answer: ({ query: { changed } }) => {
      const { prefix, reloader } = agent;
      const knowledge = knowledgeOf(agent, []);
      const { pathsOf } = knowledge.active;
      const asked = [changed].flat().map((file) => resolve(prefix, file));
      const plan = reloader.planFor(asked.flatMap((path) => pathsOf(path)));
      return Response.json({
        ...presentPlan(plan, prefix),
        changed: asked.map((path) => ({
          file: relativeFile(path, prefix),
          roots: pathsOf(path).flatMap((each) => plan.concerned.get(each) ?? []),
          reasons: explainFile(knowledge, path)
            // It is asked what a change would do: that there is none now is no reason.
            .reasons.filter(({ code }) => code !== "unchanged" && code !== "pending")
            .map((reason) => toldReason(reason, prefix)),
        })),
      });
    },
  });
}
