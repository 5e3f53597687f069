/** The roots of a change set: names whose content or whose resolution a change concerns. */

import type { Graph } from "./graph.ts";

/** What is at a path now: a content, or nothing. */
export interface PathChange {
  readonly path: string;
  /** Undefined when the path is gone. */
  readonly hash?: string | undefined;
}

/** Names that were loaded from this path with another content, or whose search had missed a file here that is there now. */
export function namesConcerned(graph: Graph, change: PathChange): readonly string[] {
  const names: string[] = [];
  for (const name of graph.namesTouching(change.path)) {
    const record = graph.module(name);
    if (record?.path === change.path ? record.hash !== change.hash : change.hash !== undefined)
      names.push(name);
  }
  return names;
}
