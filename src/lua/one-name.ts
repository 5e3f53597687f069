/** With `reload.aliases: "error"`: in one VM a file is one module, by the name under which it was required first. */

import type { Graph } from "../core/graph.ts";

/** What is wrong with requiring `file` as `name`; undefined when no other name of it is in use. */
export function secondName(graph: Graph, name: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  for (const other of graph.namesOfFile(file)) {
    if (other === name || !graph.module(other)?.vms.size) continue;
    // One that nobody requires any more, such as one that a warm VM has loaded again, is in nobody's way.
    for (const { at } of graph.dependents(other))
      return `'${name}' and '${other}' are one file, ${file}: first required at ${at} (reload.aliases)`;
  }
  return undefined;
}
