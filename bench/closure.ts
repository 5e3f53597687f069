/** What a change costs in a very large application: its graph, the closure of a change in it, and the plan. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { closureOf, dependentsIn } from "../src/core/closure.ts";
import { createGraph, type Graph } from "../src/core/graph.ts";
import { planChange } from "../src/core/plan.ts";
import type { Answer, Row } from "./question.ts";

const modules = 100_000;
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

function build(requires: (i: number) => readonly number[]): Graph {
  const graph = createGraph();
  for (let i = 0; i < modules; i++) {
    const path = pathOf(i);
    graph.observe(1, {
      name: nameOf(i),
      path,
      file: path,
      hash: `${i}`,
      probes: [`${path}.first`],
      held: true,
      generation: 1,
    });
    for (const to of requires(i))
      graph.connect({
        from: nameOf(i),
        to: nameOf(to),
        kind: "load",
        at: `area${i % 97}/m${i}.lua:${to % 50}`,
      });
  }
  return graph;
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

/** Roots whose closures have about these sizes. */
function rootsBySize(graph: Graph, sizes: readonly number[]): readonly number[] {
  const sized = Array.from({ length: 400 }, (_, n) => Math.floor(modules * (1 - 0.97 ** (n + 1)))).map(
    (i) => ({
      i: Math.min(i, modules - 1),
      size: close(graph, Math.min(i, modules - 1)).members.length,
    }),
  );
  const far = (size: number, wanted: number) => Math.abs(Math.log(size / wanted));
  return sizes.map(
    (wanted) => sized.reduce((best, one) => (far(one.size, wanted) < far(best.size, wanted) ? one : best)).i,
  );
}

/** Ratios: milliseconds for each thousand modules of the closure, beside those of the closure of about 1,000. */
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
  ];
  const roots = rootsBySize(graph, [10, 100, 1_000, 10_000]);
  const perThousand = new Map<number, number>();
  const closures = [...roots, 0].map((root) => {
    const size = close(graph, root).members.length;
    const ms = timed(() => close(graph, root));
    const change = { path: pathOf(root), kind: "changed", was: "", hash: "?" } as const;
    const planMs = timed(() =>
      planChange({
        changes: [change],
        requested: [],
        graph,
        pinnedWhy,
        namesOf: () => [],
        resolves: () => true,
      }),
    );
    perThousand.set(root, (ms / size) * 1_000);
    return { root, size, ms, planMs };
  });
  const base = perThousand.get(roots[2]!)!;
  for (const { root, size, ms, planMs } of closures)
    rows.push({
      name: `closure of ${size}`,
      ratio: perThousand.get(root)! / base,
      unit: `${ms.toFixed(2)} ms, with the plan ${planMs.toFixed(2)} ms`,
    });

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
  return { question: "What do graph, closure and plan cost with 100,000 modules and 500,000 edges?", rows };
}
