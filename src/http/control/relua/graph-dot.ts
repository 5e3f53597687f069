/** The graph in the language of Graphviz. */

import type { PresentedGraph } from "../schemas.ts";
import { labelOf } from "./graph-label.ts";

/** Arrows lead from requirer to required: dashed when made by a call, dotted when only the source says so. */
export function dotOf({ nodes, edges, cycles, aliases, incomplete }: PresentedGraph): string {
  const ids = new Map(nodes.map(({ name }, index) => [name, `n${index}`]));
  const inCycle = new Set(cycles.flat());
  const hasAlias = new Set(aliases.flatMap(({ names }) => names));
  const lines = nodes.map(({ name, file, static: isStatic }) => {
    const styles = [...(isStatic ? ["dotted"] : []), ...(hasAlias.has(name) ? ["filled"] : [])];
    return `  ${ids.get(name)} [${[
      `label=${quote(labelOf(name))}`,
      `tooltip=${quote(labelOf(file ?? ""))}`,
      ...(styles.length > 0 ? [`style="${styles.join(",")}"`] : []),
      ...(inCycle.has(name) ? ["color=red"] : []),
    ].join(", ")}];`;
  });
  const knotOf = new Map(cycles.flatMap((names, index) => names.map((name) => [name, index] as const)));
  const arrows = edges.map(({ from, to, kind, at, static: isStatic }) => {
    const style = isStatic ? ["style=dotted"] : kind === "call" ? ["style=dashed"] : [];
    const isCyclic = knotOf.has(from) && knotOf.get(from) === knotOf.get(to);
    const attributes = [...style, ...(isCyclic ? ["color=red"] : []), `tooltip=${quote(labelOf(at))}`];
    return `  ${ids.get(from)} -> ${ids.get(to)} [${attributes.join(", ")}];`;
  });
  return [
    "digraph modules {",
    ...(incomplete === null ? [] : [`  // static edges are missing: ${labelOf(incomplete)}`]),
    "  // solid: load; dashed: call; dotted: known from the source alone; red: a cycle; filled: a file of several names",
    "  node [shape=box];",
    ...lines,
    ...arrows,
    "}",
    "",
  ].join("\n");
}

/** A quoted ID of the DOT language; in labels Graphviz reads escapes behind a backslash, so it is doubled. */
function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
