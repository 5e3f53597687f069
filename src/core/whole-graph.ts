/** The graph of what VMs told, completed by what the sources say of modules and requires that no VM has come to. */

import { Edges } from "./edges.ts";
import type { Edge, Graph } from "./graph.ts";
import { canonicalName } from "./search-path.ts";

export interface WholeGraph {
  /** Edges that lead to `name`. */
  dependents(name: string): Iterable<Edge>;
  /** Edges that start at `name`. */
  requires(name: string): Iterable<Edge>;
  edges(): Iterable<Edge>;
}

/** By the list that they were made of: it is the same one until a source changes. */
const indexed = new WeakMap<readonly Edge[], Edges>();

function indexOf(edges: readonly Edge[]): Edges {
  const known = indexed.get(edges);
  if (known) return known;
  const index = new Edges();
  for (const edge of edges) index.connect(edge);
  indexed.set(edges, index);
  return index;
}

/** @param statics in canonical spelling, all of them `static` */
export function wholeGraph(graph: Graph, statics: readonly Edge[]): WholeGraph {
  const index = indexOf(statics);
  /** What a VM has told of the same require makes it no news: the source may have spelled the name in another way. */
  const isNews = ({ from, to }: Edge) => {
    for (const told of graph.requires(from)) if (canonicalName(told.to) === to) return false;
    return true;
  };
  function* news(edges: Iterable<Edge>) {
    for (const edge of edges) if (isNews(edge)) yield edge;
  }
  return {
    *dependents(name) {
      yield* graph.dependents(name);
      yield* news(index.into(name));
    },
    *requires(name) {
      yield* graph.requires(name);
      yield* news(index.outOf(name));
    },
    *edges() {
      yield* graph.edges();
      yield* news(index.all());
    },
  };
}
