/** `/api/v1/graph`: who requires whom, for programs and for Graphviz. */

import { z } from "zod";
import type { Edge, Graph } from "../../../core/graph.ts";
import type { ControlledAgent } from "../controlled-agent.ts";
import { relativeFile } from "../present.ts";
import { graphSchema } from "../schemas.ts";
import { nothing } from "./fields.ts";
import { type Operation, operation } from "./operation.ts";

type PresentedGraph = z.infer<typeof graphSchema>;

export function graphOperations(agent: ControlledAgent): readonly Operation[] {
  return [
    operation({
      method: "GET",
      place: "/api/v1/graph",
      summary: "The dependency graph: the union over all VMs",
      path: nothing,
      query: z.object({
        format: z.enum(["json", "dot"], { error: 'it takes "json" or "dot"' }).default("json"),
      }),
      body: undefined,
      answers: { 200: { description: "Nodes and edges, or Graphviz with format=dot", schema: graphSchema } },
      answer: ({ query: { format } }) => {
        const graph = presentGraph(agent.graph, agent.prefix);
        if (format === "json") return Response.json(graph);
        return new Response(dotOf(graph), {
          headers: { "content-type": "text/vnd.graphviz; charset=utf-8" },
        });
      },
    }),
  ];
}

/** Nodes and edges by name. Requirers that are no modules, handlers and init chunks, are nodes too. */
export function presentGraph(graph: Graph, prefix: string): PresentedGraph {
  const edges = [...graph.edges()].sort(byEnds);
  const names = new Set([...graph.modules()].map(({ name }) => name));
  for (const { from, to } of edges) names.add(from).add(to);
  return {
    nodes: [...names].sort().map((name) => {
      const module = graph.module(name);
      return {
        name,
        file: module?.path === undefined ? null : relativeFile(module.path, prefix),
        vms: [...(module?.vms ?? [])].filter((id) => id > 0).sort((a, b) => a - b),
      };
    }),
    edges: edges.map(({ from, to, kind, at }) => ({ from, to, kind, at })),
  };
}

/** Arrows lead from requirer to required; those made by a call are dashed. */
export function dotOf({ nodes, edges }: PresentedGraph): string {
  return [
    "digraph modules {",
    ...nodes.map(({ name, file }) => `  ${quote(name)} [tooltip=${quote(file ?? "")}];`),
    ...edges.map(
      ({ from, to, kind }) => `  ${quote(from)} -> ${quote(to)}${kind === "call" ? " [style=dashed]" : ""};`,
    ),
    "}",
    "",
  ].join("\n");
}

/** A quoted ID of the DOT language: only the quote is escaped, but a backslash at the end would escape it. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

function byEnds(a: Edge, b: Edge): number {
  if (a.from !== b.from) return a.from < b.from ? -1 : 1;
  return a.to < b.to ? -1 : 1;
}
