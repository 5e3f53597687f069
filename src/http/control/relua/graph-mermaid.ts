/** The graph as a flowchart of Mermaid. */

import type { PresentedGraph } from "../schemas.ts";
import { labelOf } from "./graph-label.ts";

/** Solid arrows are loads, those marked `call` calls; dotted ones are known from the source alone. */
export function mermaidOf({ nodes, edges, cycles, aliases, incomplete }: PresentedGraph): string {
  const ids = new Map(nodes.map(({ name }, index) => [name, `n${index}`]));
  const idsOf = (names: readonly string[]) => names.map((name) => ids.get(name));
  const classes = [
    {
      name: "static",
      style: "stroke-dasharray: 3 3",
      of: nodes.filter((node) => node.static).map(({ name }) => name),
    },
    { name: "cycle", style: "stroke: #c00, stroke-width: 2px", of: cycles.flat() },
    { name: "alias", style: "fill: #fd8", of: aliases.flatMap(({ names }) => names) },
  ].filter(({ of }) => of.length > 0);
  return [
    "flowchart LR",
    ...(incomplete === null ? [] : [`  %% static edges are missing: ${plain(incomplete)}`]),
    ...nodes.map(({ name }) => `  ${ids.get(name)}["${escaped(labelOf(name))}"]`),
    ...edges.map(
      ({ from, to, kind, static: isStatic }) =>
        `  ${ids.get(from)} ${isStatic ? "-.->" : "-->"}${kind === "call" ? "|call|" : ""} ${ids.get(to)}`,
    ),
    ...classes.map(({ name, style }) => `  classDef ${name} ${style}`),
    ...classes.map(({ name, of }) => `  class ${idsOf(of).join(",")} ${name}`),
    "",
  ].join("\n");
}

/**
 * Between quotes Mermaid reads entities of its own, `#35;`, Markdown behind a backtick, HTML, and directives, `%%{…}%%`.
 * A label must not be empty.
 */
function escaped(label: string): string {
  const text = label === "" ? " " : label;
  return text.replace(/["#&<>;`\\%{}]/g, (character) => `#${character.charCodeAt(0)};`);
}

/** In a comment: a brace may begin a directive. */
function plain(text: string): string {
  return labelOf(text).replace(/[{}]/g, "");
}
