/** `/api/v1/modules`: what is loaded, from where, by whom; and of each module why it went, or did not. */

import { z } from "zod";
import { explainModule } from "../../../core/explain.ts";
import { resolutionReason } from "../../../core/nowhere.ts";
import { relativeFile } from "../../../core/relative-file.ts";
import { candidates } from "../../../core/search-path.ts";
import type { ControlledAgent } from "../controlled-agent.ts";
import { type ModuleSurroundings, presentModule, presentModuleExplanation } from "../present-explanation.ts";
import { problem, problemResponse } from "../problem.ts";
import { moduleExplanationSchema, moduleSchema } from "../schemas.ts";
import { nothing } from "./fields.ts";
import { knowledgeOf, staticEdgesOf } from "./knowledge.ts";
import { type Operation, operation } from "./operation.ts";

export function moduleOperations(agent: ControlledAgent): readonly Operation[] {
  const { graph, prefix, searchPath } = agent;
  return [
    operation({
      method: "GET",
      place: "/api/v1/modules",
      summary: "Every module that a VM holds or looked for, by name",
      path: nothing,
      query: nothing,
      body: undefined,
      answers: { 200: { description: "The modules", schema: z.array(moduleSchema) } },
      answer: () => {
        const modules = [...graph.modules()].sort((a, b) => (a.name < b.name ? -1 : 1));
        return Response.json(
          modules.map((module) => presentModule(module, surroundingsOf(agent, module.name), prefix)),
        );
      },
    }),
    operation({
      method: "GET",
      place: "/api/v1/modules/{name}",
      summary:
        "One module, loaded or not: what it is, what the last reloads did to it, what a change would do",
      path: z.object({ name: z.string() }),
      query: nothing,
      body: undefined,
      answers: { 200: { description: "The module", schema: moduleExplanationSchema } },
      answer: async ({ path: { name } }) => {
        const { edges, incomplete } = await staticEdgesOf(agent);
        const knowledge = knowledgeOf(agent, edges);
        const explained = explainModule(knowledge, name);
        if (explained === undefined) {
          const tried = candidates(searchPath, name).map(
            ({ path }) => `no file ${relativeFile(path, prefix)}`,
          );
          const detail = `no VM holds or has looked for a module ${name}, and nothing on the search path answers to it`;
          return problemResponse(problem(404, "not-found", detail, { errors: tried }));
        }
        const path = explained.record?.path ?? explained.resolution.path;
        const onChange =
          path === undefined ? undefined : agent.reloader.planFor(knowledge.active.pathsOf(path));
        const surroundings = surroundingsOf(agent, explained.name);
        const reason = resolutionReason(knowledge, knowledge.active.files, explained.resolution);
        return Response.json(
          presentModuleExplanation(explained, { surroundings, onChange, reason, incomplete }, prefix),
        );
      },
    }),
  ];
}

function surroundingsOf(agent: ControlledAgent, name: string): ModuleSurroundings {
  const { graph } = agent;
  const told = (edges: ReturnType<typeof graph.requires>) =>
    [...edges].filter((edge) => edge.static !== true);
  return {
    aliases: graph.aliases(name),
    pinned: agent.pinnedWhy(name),
    requires: told(graph.requires(name)).map(({ to }) => to),
    dependents: told(graph.dependents(name)).map(({ from }) => from),
  };
}
