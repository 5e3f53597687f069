/** Names of a file that nothing uses: shown, each would repeat all that its file requires. */

import type { Edge, Graph } from "./graph.ts";
import { namesOf, resolve, type SearchPath } from "./search-path.ts";

export interface SpareNameParts {
  readonly graph: Pick<Graph, "module" | "dependents">;
  /** What sources require, by the name required. */
  readonly requiredBySources: (name: string) => readonly Edge[];
  readonly searchPath: SearchPath;
  readonly exists: (path: string) => boolean;
}

/**
 * Tells whether a name is spare: no VM holds it, nobody requires it, and its file has another name that is in use, or a
 * shorter one. `shop.init` is when `shop` leads to the same file. Good until the graph or the files change.
 */
export function spareNames(parts: SpareNameParts): (name: string) => boolean {
  const { graph, requiredBySources, searchPath, exists } = parts;
  const told = new Map<string, boolean>();
  const isUsed = (name: string) =>
    (graph.module(name)?.vms.size ?? 0) > 0 ||
    !isEmpty(graph.dependents(name)) ||
    requiredBySources(name).length > 0;
  const isSpare = (name: string) => {
    if (isUsed(name)) return false;
    const { path } = resolve(searchPath, name, exists);
    if (path === undefined) return false;
    return namesOf(searchPath, path, exists).some(
      (other) =>
        other.name !== name &&
        other.shadowedBy === undefined &&
        (isUsed(other.name) || isBefore(other.name, name)),
    );
  };
  return (name) => {
    const known = told.get(name) ?? isSpare(name);
    told.set(name, known);
    return known;
  };
}

function isEmpty(all: Iterable<unknown>): boolean {
  return all[Symbol.iterator]().next().done === true;
}

function isBefore(a: string, b: string): boolean {
  return a.length < b.length || (a.length === b.length && a < b);
}
