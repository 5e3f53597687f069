/** `/api/v1/graph`: who requires whom, for programs, for Graphviz and for Mermaid. */

import { z } from "zod";
import type { Graph } from "../../../core/graph.ts";
import { type GraphView, viewGraph } from "../../../core/graph-view.ts";
import { isChunk } from "../../../core/plan.ts";
import { relativeFile } from "../../../core/relative-file.ts";
import { canonicalName, resolve } from "../../../core/search-path.ts";
import { wholeGraph } from "../../../core/whole-graph.ts";
import type { ControlledAgent } from "../controlled-agent.ts";
import { presentEdge } from "../present-explanation.ts";
import { problem, problemResponse } from "../problem.ts";
import { graphSchema, type PresentedGraph } from "../schemas.ts";
import { nothing, takes, text } from "./fields.ts";
import { dotOf } from "./graph-dot.ts";
import { mermaidOf } from "./graph-mermaid.ts";
import { staticEdgesOf } from "./knowledge.ts";
import { type Operation, operation } from "./operation.ts";

/** Nodes and edges of one answer, together. */
export const mostShown = 50_000;

const defaultDepth = 2;

const depth = z
  .string(takes("a number, once"))
  .regex(/^\d{1,4}$/, takes("a number from 0"))
  .transform(Number)
  .describe(`Edges between the name and what is shown, in either direction; ${defaultDepth} when left out`);

export function graphOperations(agent: ControlledAgent): readonly Operation[] {
  return [
    operation({
      method: "GET",
      place: "/api/v1/graph",
      summary: "The dependency graph: the union over all VMs, completed by what the sources say",
      path: nothing,
      query: z
        .object({
          format: z.enum(["json", "dot", "mermaid"], takes('"json", "dot" or "mermaid"')).default("json"),
          around: text.min(1, takes("a module name")).optional().describe("Only what surrounds this name"),
          depth: depth.optional(),
        })
        .refine((query) => query.depth === undefined || query.around !== undefined, {
          path: ["depth"],
          ...takes("an around beside it"),
        }),
      body: undefined,
      answers: {
        200: {
          description: "Nodes and edges; with format=dot or mermaid a drawing's text",
          schema: graphSchema,
        },
      },
      answer: async ({ query }) => {
        const { graph, searchPath, sources, prefix } = agent;
        const { edges, incomplete } = await staticEdgesOf(agent);
        const exists = (path: string) => sources.active.has(path);
        const pathOf = (name: string) => resolve(searchPath, name, exists).path;
        const around = query.around && {
          name: nameKnown(graph, query.around),
          depth: query.depth ?? defaultDepth,
        };
        const whole = wholeGraph(graph, edges, { searchPath, exists });
        const view = viewGraph(graph, whole, { around: around || undefined, pathOf, limit: mostShown });
        if (view === undefined) return tooLarge(query.around);
        if (
          around &&
          view.edges.length === 0 &&
          view.nodes.every(({ path, vms }) => path === undefined && vms.length === 0)
        )
          return problemResponse(problem(404, "not-found", `nothing is known of a module ${around.name}`));
        return render(presentGraph(view, incomplete, prefix), query.format);
      },
    }),
  ];
}

/** As VMs know it, or in canonical spelling. */
function nameKnown(graph: Graph, asked: string): string {
  return graph.module(asked) !== undefined || isChunk(asked) ? asked : canonicalName(asked);
}

function tooLarge(around: string | undefined): Response {
  const how =
    around === undefined
      ? "ask for what is around one name: ?around=NAME&depth=2"
      : `ask for less around ${around}, by a smaller depth`;
  return problemResponse(
    problem(422, "graph-too-large", `that is more than ${mostShown} modules and edges; ${how}`),
  );
}

function render(graph: PresentedGraph, format: "json" | "dot" | "mermaid"): Response {
  if (format === "json") return Response.json(graph);
  const isDot = format === "dot";
  return new Response(isDot ? dotOf(graph) : mermaidOf(graph), {
    headers: { "content-type": `text/${isDot ? "vnd.graphviz" : "vnd.mermaid"}; charset=utf-8` },
  });
}

export function presentGraph(view: GraphView, incomplete: string | null, prefix: string): PresentedGraph {
  return {
    nodes: view.nodes.map(({ name, path, vms, static: isStatic }) => ({
      name,
      file: path === undefined ? null : relativeFile(path, prefix),
      vms: [...vms],
      ...(isStatic && { static: isStatic }),
    })),
    edges: view.edges.map((edge) => presentEdge(edge, prefix)),
    cycles: view.cycles.map((names) => [...names]),
    aliases: view.aliases.map(({ path, names }) => ({ file: relativeFile(path, prefix), names: [...names] })),
    incomplete,
  };
}
