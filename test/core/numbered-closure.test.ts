/** A graph numbers its names for closures; whatever came and went before, they are those of the same edges by name. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Closure, closureOf, type Dependents, dependentsIn } from "../../src/core/closure.ts";
import { createGraph, type Edge, type Graph } from "../../src/core/graph.ts";

const nodes = Array.from({ length: 24 }, (_, n) => `m${n}`);
const node = fc.constantFrom(...nodes);
const notPinned = () => undefined;

const load = (graph: Graph, name: string, file: number) => {
  const path = `/srv/${name}.lua`;
  graph.observe(1, { name, path, file: `/srv/f${file}.lua`, probes: [], held: true, generation: 1 });
};
const edge = (from: string, to: string): Edge => ({ from, to, kind: "load", at: `${from}.lua:1` });

/** What a VM and a source can do to a graph. */
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.constant("connect" as const), node, node) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("load" as const), node, fc.nat(30)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("disconnect" as const), node) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("drop" as const), node) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constant("describe" as const), node, fc.array(node, { maxLength: 3 })),
    },
    { weight: 1, arbitrary: fc.tuple(fc.constant("withdraw" as const), node) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("close" as const), node) },
  ),
  { maxLength: 150 },
);
type Step = (typeof steps extends fc.Arbitrary<infer T> ? T : never) extends readonly (infer S)[] ? S : never;

function take(graph: Graph, step: Step): void {
  const [what, name] = step;
  if (what === "connect") graph.connect(edge(name, step[2]));
  else if (what === "load") load(graph, name, step[2]);
  else if (what === "disconnect") graph.disconnect(name);
  else if (what === "drop") graph.drop(1, name);
  else if (what === "withdraw") graph.withdraw(name);
  else if (what === "close") closureOf(dependentsIn(graph, notPinned), [name]);
  else {
    const requires = step[2].map((to) => edge(name, to));
    graph.describe({ name, path: `/srv/${name}.lua`, probes: [] }, requires);
  }
}

/** The same graph by its edges and names alone. */
function byName(graph: Graph): Dependents {
  const edges = [...graph.edges()].reverse();
  return {
    dependents: (name) => edges.filter(({ to }) => to === name),
    aliases: (name) => graph.aliases(name),
    stops: () => false,
  };
}

const told = ({ members, stopped }: Closure) =>
  [...members, ...stopped].map(({ name, because, via }) => ({ name, because, via }));

const holds = (dependentsOf: (graph: Graph) => Dependents) =>
  fc.assert(
    fc.property(steps, fc.uniqueArray(node, { minLength: 1, maxLength: 3 }), (taken, roots) => {
      const graph = createGraph();
      for (const step of taken) take(graph, step);
      const found = closureOf(dependentsOf(graph), roots);
      expect(told(found)).toEqual(told(closureOf(byName(graph), roots)));
      expect(told(closureOf(dependentsOf(graph), roots))).toEqual(told(found));
      expect(graph.numbered.marks.every((mark) => mark === 0)).toBe(true);
    }),
    { numRuns: 300 },
  );

describe("closures of a graph that changes", () => {
  it("are those of its edges by name", () => holds((graph) => dependentsIn(graph, notPinned)));

  it("(control) by numbers that are one too high are caught", () =>
    expect(() =>
      holds((graph) => ({
        ...dependentsIn(graph, notPinned),
        numbered: {
          ...withSizeOf(graph),
          requirersOf: (number) =>
            graph.numbered.requirersOf(number).map((each) => (each + 1) % graph.numbered.size),
        },
      })),
    ).toThrow());

  it("leave nothing behind when they fail", () => {
    const graph = createGraph();
    graph.connect(edge("a", "b"));
    graph.connect(edge("b", "c"));
    const stops = (name: string) => {
      if (name === "a") throw new Error("cannot tell");
      return false;
    };
    expect(() => closureOf({ ...dependentsIn(graph, notPinned), stops }, ["c"])).toThrow("cannot tell");
    const { members } = closureOf(dependentsIn(graph, notPinned), ["c"]);
    expect(members.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  });

  it("number names that come and go without end with the same few numbers", () => {
    const graph = createGraph();
    for (let i = 0; i < 5_000; i++) {
      load(graph, `user.${i}`, i);
      graph.connect(edge(`user.${i}`, `part.${i}`));
      graph.drop(1, `user.${i}`);
    }
    expect(graph.numbered.size).toBeLessThanOrEqual(2);
  });

  it("of a name that more require than are looked through are in order too", () => {
    const graph = createGraph();
    const many = Array.from({ length: 100 }, (_, i) => `r${(i * 37) % 100}`);
    for (const name of many) graph.connect(edge(name, "leaf"));
    const order = () => closureOf(dependentsIn(graph, notPinned), ["leaf"]).members.map(({ name }) => name);
    expect(order()).toEqual([...many.toSorted(), "leaf"]);
    for (const name of many.slice(10)) graph.disconnect(name);
    expect(order()).toEqual([...many.slice(0, 10).toSorted(), "leaf"]);
  });
});

function withSizeOf({
  numbered,
}: Graph): Pick<Graph["numbered"], "size" | "marks" | "numberOf" | "intoNumber"> {
  return {
    size: numbered.size,
    marks: numbered.marks,
    numberOf: (name) => numbered.numberOf(name),
    intoNumber: (number) => numbered.intoNumber(number),
  };
}
