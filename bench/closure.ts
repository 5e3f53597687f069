/** What a change costs in a very large application: its graph, the closure of a change in it, and the plan. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { closureOf, dependentsIn } from "../src/core/closure.ts";
import { createGraph, type Graph } from "../src/core/graph.ts";
import { planChange } from "../src/core/plan.ts";
import type { Answer, Row } from "./question.ts";

const modules = 100_000;
/** Graphs in which a closure of the same size is looked for. */
const sizes = [1_000, 10_000, modules];
const edgesPerModule = 5;
const rounds = 5;
const pinnedWhy = () => undefined;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const nameOf = (i: number) => `app.area${i % 97}.part${i % 13}.m${i}`;
const pathOf = (i: number) => `/srv/app/area${i % 97}/part${i % 13}/m${i}.lua`;

/** What `i` requires: the module from which all come, and others of the nearest hundreds, thousands, and anywhere. */
function requiresOf(i: number): readonly number[] {
  const required = new Set<number>();
  for (let n = 0; required.size < Math.min(edgesPerModule, i); n++) {
    const reach = [i, 20, 20_000, 200, i][n % edgesPerModule]!;
    required.add(i - 1 - (hash(i * 31 + n) % Math.min(i, reach)));
  }
  return [...required];
}

function hash(n: number): number {
  const mixed = Math.imul(n ^ (n >>> 15), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

function build(requires: (i: number) => readonly number[], size = modules): Graph {
  const graph = createGraph();
  for (let i = 0; i < size; i++) load(graph, i, requires(i), 1);
  return graph;
}

/** What a VM reports of a module that it has loaded. */
function load(graph: Graph, i: number, requires: readonly number[], generation: number): void {
  const path = pathOf(i);
  graph.observe(1, {
    name: nameOf(i),
    path,
    file: path,
    hash: `${i}`,
    probes: [`${path}.first`],
    held: true,
    generation,
  });
  for (const to of requires)
    graph.connect({
      from: nameOf(i),
      to: nameOf(to),
      kind: "load",
      at: `area${i % 97}/m${i}.lua:${to % 50}`,
    });
}

/** Heap and time that `make` takes. */
function measured<T>(make: () => T): { readonly made: T; readonly ms: number; readonly bytes: number } {
  // Once before: code that is compiled, and texts that are put together at their first use, are not what is asked for.
  make();
  const before = heapBytes();
  const began = performance.now();
  const made = make();
  const ms = performance.now() - began;
  return { made, ms, bytes: heapBytes() - before };
}

function heapBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** The median. */
function timed(what: () => unknown): number {
  const times = Array.from({ length: rounds }, () => {
    const began = performance.now();
    what();
    return performance.now() - began;
  });
  return times.sort((a, b) => a - b)[rounds >> 1]!;
}

const close = (graph: Graph, i: number) => closureOf(dependentsIn(graph, pinnedWhy), [nameOf(i)]);

const plan = (graph: Graph, i: number) =>
  planChange({
    changes: [{ path: pathOf(i), kind: "changed", was: "", hash: "?" }],
    requested: [],
    graph,
    pinnedWhy,
    namesOf: () => [],
    resolves: () => true,
  });

/** Roots whose closures have about these sizes, in a graph of so many modules. */
function rootsBySize(graph: Graph, size: number, wanted: readonly number[]): readonly number[] {
  const places = new Set(Array.from({ length: 400 }, (_, n) => Math.floor((size - 1) * (1 - 0.97 ** n))));
  const sized = [...places].map((i) => ({ i, size: close(graph, i).members.length }));
  const far = (size: number, wanted: number) => Math.abs(Math.log(size / wanted));
  return wanted.map(
    (each) => sized.reduce((best, one) => (far(one.size, each) < far(best.size, each) ? one : best)).i,
  );
}

/** Members and edges of the closure: what it cannot cost less than. */
function walked(graph: Graph, root: number): { readonly members: number; readonly edges: number } {
  const { members } = close(graph, root);
  let edges = 0;
  for (const { name } of members) for (const _ of graph.dependents(name)) edges++;
  return { members: members.length, edges };
}

/** Of a closure of each size, in the largest graph. Ratios: of the time for each member and edge. */
function bySize(graph: Graph): readonly Row[] {
  const roots = [...rootsBySize(graph, modules, [10, 100, 1_000, 10_000]), 0];
  const closures = roots.map((root) => {
    const { members, edges } = walked(graph, root);
    const ms = timed(() => close(graph, root));
    return { members, edges, ms, planMs: timed(() => plan(graph, root)), each: ms / (members + edges) };
  });
  const base = closures[2]!.each;
  return closures.map(({ members, edges, ms, planMs, each }) => ({
    name: `closure of ${members} modules, ${edges} edges`,
    ratio: each / base,
    unit: `times that of ${closures[2]!.members} for each of them: ${ms.toFixed(2)} ms, with the plan ${planMs.toFixed(2)} ms`,
  }));
}

/** A closure of about a hundred modules in graphs of all sizes, and telling the graph that it was loaded anew. */
function byGraph(): readonly Row[] {
  const costs = sizes.map((size) => {
    const graph = build(requiresOf, size);
    const root = rootsBySize(graph, size, [100])[0]!;
    const { members } = close(graph, root);
    const numbers = members.map(({ name }) => Number(name.slice(name.lastIndexOf("m") + 1)));
    const required = new Map(numbers.map((i) => [i, requiresOf(i)]));
    const each = (what: () => unknown) => (timed(what) * 1_000) / members.length;
    const planUs = each(() => plan(graph, root));
    const updateUs = each(() => {
      for (const i of numbers) graph.drop(1, nameOf(i));
      for (const [i, requires] of required) load(graph, i, requires, 2);
    });
    return { size, members: members.length, planUs, updateUs };
  });
  const base = costs[0]!;
  return costs.map(({ size, members, planUs, updateUs }) => ({
    name: `closure of ${members} of ${size}`,
    ratio: planUs / base.planUs,
    unit: `times that of ${base.size} for each member: plan ${planUs.toFixed(1)} µs, graph update ${updateUs.toFixed(1)} µs`,
  }));
}

/** Ratios: time for each member and edge of a closure, beside that of another closure. */
export async function run(): Promise<Answer> {
  const { made: graph, ms, bytes } = measured(() => build(requiresOf));
  let edges = 0;
  for (const _ of graph.edges()) edges++;
  const rows: Row[] = [
    {
      name: "graph",
      ratio: Number.NaN,
      unit: `${modules} modules, ${edges} edges: built in ${ms.toFixed(0)} ms, ${(bytes / 1024 ** 2).toFixed(0)} MiB`,
    },
    ...bySize(graph),
  ];

  const { made: chain } = measured(() => build((i) => (i > 0 ? [i - 1] : [])));
  const long = measured(() => close(chain, 0));
  const asked = measured(() =>
    long.made.members.map(({ because }) => because.length).reduce((a, b) => a + b),
  );
  rows.push({
    name: `closure of a chain of ${long.made.members.length}`,
    ratio: Number.NaN,
    unit: `${long.ms.toFixed(0)} ms, ${(long.bytes / 1024 ** 2).toFixed(1)} MiB; all chains put together: ${asked.ms.toFixed(0)} ms`,
  });
  // Kept until here, so that nothing was measured against its going.
  if (graph.module(nameOf(0)) === undefined) throw new Error("the graph has lost a module");
  rows.push(...byGraph());
  return { question: "What do graph, closure and plan cost with 100,000 modules and 500,000 edges?", rows };
}
