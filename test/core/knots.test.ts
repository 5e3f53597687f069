/** Knots against their definition: nodes that lead to each other, and to themselves. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { knots } from "../../src/core/knots.ts";

type Knots = typeof knots<number>;

const size = 9;
const nodes = Array.from({ length: size }, (_, node) => node);
const pairs = fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 24 });
const inOrder = (groups: readonly (readonly number[])[]) =>
  groups.map((group) => [...group].sort()).sort((a, b) => a[0]! - b[0]!);

/** Two nodes are in a knot when each is reached from the other by at least one step. */
function byDefinition(edges: readonly (readonly [number, number])[]): readonly (readonly number[])[] {
  const reached = new Set(edges.map(([from, to]) => `${from} ${to}`));
  for (const via of nodes)
    for (const from of nodes)
      for (const to of nodes)
        if (reached.has(`${from} ${via}`) && reached.has(`${via} ${to}`)) reached.add(`${from} ${to}`);
  const found = new Map<string, number[]>();
  for (const node of nodes) {
    const knot = nodes.filter((other) => reached.has(`${node} ${other}`) && reached.has(`${other} ${node}`));
    if (knot.includes(node)) found.set(knot.join(" "), knot);
  }
  return [...found.values()];
}

const agree = (find: Knots) =>
  fc.assert(
    fc.property(pairs, (edges) => {
      const next = (node: number) => edges.flatMap(([from, to]) => (from === node ? [to] : []));
      expect(inOrder(find(nodes, next).map((knot) => [...knot]))).toEqual(inOrder(byDefinition(edges)));
    }),
  );

describe("knots", () => {
  it("are the groups that lead to each other", () => agree(knots));

  it("(control) leaving out the nodes that lead to themselves alone is caught", () => {
    expect(() => agree((all, next) => knots(all, next).filter((knot) => knot.size > 1))).toThrow();
  });

  it("are found in a chain of 200,000 without running out of stack", () => {
    const length = 200_000;
    const chain = Array.from({ length }, (_, node) => node);
    const [knot] = knots(chain, (node) => [(node + 1) % length]);
    expect(knot?.size).toBe(length);
    expect(knots(chain, (node) => (node + 1 < length ? [node + 1] : []))).toEqual([]);
  });
});
