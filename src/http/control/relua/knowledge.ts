/** Everything that explanations are made of, as an agent knows it at one moment. */

import type { Knowledge } from "../../../core/explain.ts";
import type { Edge } from "../../../core/graph.ts";
import { knownFiles } from "../../../core/resolution.ts";
import { wholeGraph } from "../../../core/whole-graph.ts";
import { ReluaError } from "../../../errors.ts";
import type { ControlledAgent } from "../controlled-agent.ts";

/** Static edges as far as they can be had: one source that cannot be analysed must not leave everything unexplained. */
export async function staticEdgesOf(
  agent: ControlledAgent,
): Promise<{ readonly edges: readonly Edge[]; readonly incomplete: string | null }> {
  try {
    return { edges: await agent.staticEdges(), incomplete: null };
  } catch (error) {
    if (error instanceof ReluaError) return { edges: [], incomplete: error.message };
    throw error;
  }
}

export function knowledgeOf(agent: ControlledAgent, statics: readonly Edge[]): Knowledge {
  const { graph, searchPath, sources, reloader } = agent;
  const { watch, hold, rejected, rolledBackTo } = agent.status();
  return {
    graph,
    whole: wholeGraph(graph, statics, { searchPath, exists: (path) => sources.active.has(path) }),
    searchPath,
    active: knownFiles(sources.active),
    disk: knownFiles(sources.disk),
    ignoredBy: sources.ignoredBy,
    pinnedWhy: (name) => agent.pinnedWhy(name),
    skipped: watch.skipped,
    history: reloader.history.list(),
    hold,
    rejected,
    rolledBackTo,
  };
}
