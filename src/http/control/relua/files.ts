/** `/api/v1/files/{file}`: what a file is, what the last reload did with it, what a change of it would do. */

import { resolve } from "node:path";
import { z } from "zod";
import { explainFile } from "../../../core/explain.ts";
import type { ControlledAgent } from "../controlled-agent.ts";
import { presentFileExplanation } from "../present-explanation.ts";
import { fileExplanationSchema } from "../schemas.ts";
import { nothing } from "./fields.ts";
import { knowledgeOf } from "./knowledge.ts";
import { type Operation, operation } from "./operation.ts";

export function fileOperation(agent: ControlledAgent): Operation {
  return operation({
    method: "GET",
    place: "/api/v1/files/{file}",
    summary: "One file, reached by a name or not",
    path: z.object({ file: z.string().describe("Absolute, or relative to the prefix") }),
    query: nothing,
    body: undefined,
    answers: { 200: { description: "The file", schema: fileExplanationSchema } },
    answer: ({ path: { file } }) => {
      const path = resolve(agent.prefix, file);
      const knowledge = knowledgeOf(agent, []);
      const explained = explainFile(knowledge, path);
      const onChange = agent.reloader.planFor(knowledge.active.pathsOf(path));
      return Response.json(presentFileExplanation(explained, path, onChange, agent.prefix));
    },
  });
}
