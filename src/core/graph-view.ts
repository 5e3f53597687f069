/** The part of the graph that is shown: all of it, or what lies around one name; bounded, in one order, with its cycles. */

import type { Edge, Graph } from "./graph.ts";
import { knots } from "./knots.ts";
import { isChunk } from "./plan.ts";
import type { WholeGraph } from "./whole-graph.ts";

export interface ViewNode {
  /** A module, or a chunk that requires and is none. */
  readonly name: string;
  /** As the search path forms it. */
  readonly path: string | undefined;
  readonly vms: readonly number[];
  /** Known from sources alone: no VM holds it or has looked for it. */
  readonly static: boolean;
}

export interface GraphView {
  /** By name. */
  readonly nodes: readonly ViewNode[];
  /** By their ends. */
  readonly edges: readonly Edge[];
  /** Names that all lead to each other, by name. */
  readonly cycles: readonly (readonly string[])[];
  /** Files that VMs hold under several names: an instance for each. */
  readonly aliases: readonly { readonly path: string; readonly names: readonly string[] }[];
}

export interface ViewOptions {
  /** Only what is at most `depth` edges away from this name, in either direction. */
  readonly around?: { readonly name: string; readonly depth: number } | undefined;
  /** Where a name that no VM knows would be found. */
  readonly pathOf: (name: string) => string | undefined;
  /** Nodes and edges that are shown at most, counted together. */
  readonly limit: number;
}

/** Undefined when there is more than `limit`. */
export function viewGraph(graph: Graph, whole: WholeGraph, options: ViewOptions): GraphView | undefined {
  const { around, limit } = options;
  const found =
    around === undefined ? everything(graph, whole, limit) : surroundings(graph, whole, around, limit);
  if (found === undefined) return undefined;
  const names = [...found.names].sort();
  const edges = [...found.edges].sort(byEnds);
  const told = new Set(edges.flatMap((edge) => (edge.static ? [] : [edge.from, edge.to])));
  return {
    nodes: names.map((name) => nodeOf(graph, told, name, options.pathOf)),
    edges,
    cycles: cyclesAmong(names, edges),
    aliases: aliasesAmong(graph, names),
  };
}

/** By requirer, then by what it requires. */
export function byEnds(a: Pick<Edge, "from" | "to">, b: Pick<Edge, "from" | "to">): number {
  if (a.from !== b.from) return a.from < b.from ? -1 : 1;
  return a.to < b.to ? -1 : a.to > b.to ? 1 : 0;
}

interface Found {
  readonly names: Set<string>;
  readonly edges: Iterable<Edge>;
}

function everything(graph: Graph, whole: WholeGraph, limit: number): Found | undefined {
  const names = new Set<string>();
  const edges: Edge[] = [];
  const isTooMuch = () => names.size + edges.length > limit;
  for (const { name } of graph.modules()) {
    if (whole.isSpare(name)) continue;
    names.add(name);
    if (isTooMuch()) return undefined;
  }
  for (const edge of whole.edges()) {
    edges.push(edge);
    names.add(edge.from).add(edge.to);
    if (isTooMuch()) return undefined;
  }
  return { names, edges };
}

function surroundings(
  graph: Graph,
  whole: WholeGraph,
  { name, depth }: { readonly name: string; readonly depth: number },
  limit: number,
): Found | undefined {
  const names = new Set([name, ...graph.aliases(name)]);
  let edge: readonly string[] = [...names];
  for (let step = 0; step < depth && edge.length > 0; step++) {
    const next: string[] = [];
    for (const at of edge)
      for (const neighbour of neighboursOf(whole, at)) {
        if (names.has(neighbour)) continue;
        names.add(neighbour);
        next.push(neighbour);
        if (names.size > limit) return undefined;
      }
    edge = next;
  }
  const edges: Edge[] = [];
  for (const from of names)
    for (const each of whole.requires(from)) {
      if (!names.has(each.to)) continue;
      edges.push(each);
      if (names.size + edges.length > limit) return undefined;
    }
  return { names, edges };
}

function* neighboursOf(whole: WholeGraph, name: string): Iterable<string> {
  for (const { to } of whole.requires(name)) yield to;
  for (const { from } of whole.dependents(name)) yield from;
}

/** @param told names that VMs have required, or that have required */
function nodeOf(
  graph: Graph,
  told: ReadonlySet<string>,
  name: string,
  pathOf: ViewOptions["pathOf"],
): ViewNode {
  const record = graph.module(name);
  const isTold = told.has(name) || (record !== undefined && (!record.described || record.vms.size > 0));
  return {
    name,
    path: record === undefined ? pathOf(name) : record.path,
    vms: [...(record?.vms ?? [])].filter((id) => id > 0).sort((a, b) => a - b),
    static: !isTold && !isChunk(name),
  };
}

function cyclesAmong(names: readonly string[], edges: readonly Edge[]): readonly (readonly string[])[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) {
    const known = next.get(from);
    if (known) known.push(to);
    else next.set(from, [to]);
  }
  const found = knots(names, (name) => next.get(name) ?? []).map((knot) => [...knot].sort());
  return found.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
}

function aliasesAmong(graph: Graph, names: readonly string[]): GraphView["aliases"] {
  const byFile = new Map<string, string[]>();
  for (const name of names) {
    const record = graph.module(name);
    if (record?.file === undefined || record.vms.size === 0) continue;
    const known = byFile.get(record.file);
    if (known) known.push(name);
    else byFile.set(record.file, [name]);
  }
  return [...byFile].filter(([, held]) => held.length > 1).map(([path, held]) => ({ path, names: held }));
}
