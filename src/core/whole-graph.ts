/** The graph of what VMs told, completed by what the sources say of modules and requires that no VM has come to. */

import { Edges } from "./edges.ts";
import type { Edge, Graph } from "./graph.ts";
import { canonicalName, type SearchPath } from "./search-path.ts";
import { spareNames } from "./spare-names.ts";

export interface WholeGraph {
  /** Edges that lead to `name`, but for those from names that nothing uses. */
  dependents(name: string): Iterable<Edge>;
  /** Edges that start at `name`. */
  requires(name: string): Iterable<Edge>;
  /** All but those from names that nothing uses. */
  edges(): Iterable<Edge>;
  /** Whether nothing uses this name of a file that has another (see `spareNames`). */
  isSpare(name: string): boolean;
}

/** The files by which names are told from each other. */
export interface SearchedFiles {
  readonly searchPath: SearchPath;
  readonly exists: (path: string) => boolean;
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
export function wholeGraph(graph: Graph, statics: readonly Edge[], files: SearchedFiles): WholeGraph {
  const index = indexOf(statics);
  const isSpare = spareNames({ graph, requiredBySources: (name) => index.into(name), ...files });
  /** What a VM has told of the same require makes it no news: the source may have spelled the name in another way. */
  const isNews = ({ from, to }: Edge) => {
    for (const told of graph.requires(from)) if (canonicalName(told.to) === to) return false;
    return true;
  };
  function* news(edges: Iterable<Edge>) {
    for (const edge of edges) if (isNews(edge)) yield edge;
  }
  function* fromUsed(edges: Iterable<Edge>) {
    for (const edge of edges) if (edge.static !== true || !isSpare(edge.from)) yield edge;
  }
  return {
    *dependents(name) {
      yield* fromUsed(graph.dependents(name));
      yield* news(fromUsed(index.into(name)));
    },
    *requires(name) {
      yield* graph.requires(name);
      yield* news(index.outOf(name));
    },
    *edges() {
      yield* fromUsed(graph.edges());
      yield* news(fromUsed(index.all()));
    },
    isSpare,
  };
}
