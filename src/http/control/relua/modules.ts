/** `/api/v1/modules`: what is loaded, from where, by whom. */

import { z } from "zod";
import type { ModuleRecord } from "../../../core/graph.ts";
import type { ControlledAgent } from "../controlled-agent.ts";
import { relativeFile } from "../present.ts";
import { problem, problemResponse } from "../problem.ts";
import { moduleSchema } from "../schemas.ts";
import { nothing } from "./fields.ts";
import { type Operation, operation } from "./operation.ts";

export function moduleOperations(agent: ControlledAgent): readonly Operation[] {
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
        const modules = [...agent.graph.modules()].sort((a, b) => (a.name < b.name ? -1 : 1));
        return Response.json(modules.map((module) => presentModule(agent, module)));
      },
    }),
    operation({
      method: "GET",
      place: "/api/v1/modules/{name}",
      summary: "One module",
      path: z.object({ name: z.string() }),
      query: nothing,
      body: undefined,
      answers: { 200: { description: "The module", schema: moduleSchema } },
      answer: ({ path: { name } }) => {
        const module = agent.graph.module(name);
        if (module) return Response.json(presentModule(agent, module));
        return problemResponse(problem(404, "not-found", `no VM holds or has looked for a module ${name}`));
      },
    }),
  ];
}

function presentModule(
  agent: ControlledAgent,
  { name, path, hash, generation, vms }: ModuleRecord,
): z.infer<typeof moduleSchema> {
  const { graph, prefix } = agent;
  return {
    name,
    file: path === undefined ? null : relativeFile(path, prefix),
    hash: hash ?? null,
    generation,
    vms: [...vms].filter((id) => id > 0).sort((a, b) => a - b),
    aliases: [...graph.aliases(name)].sort(),
    pinned: agent.pinnedWhy(name) ?? null,
    requires: [...graph.requires(name)].map(({ to }) => to).sort(),
    dependents: [...graph.dependents(name)].map(({ from }) => from).sort(),
  };
}
