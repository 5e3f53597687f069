import { describe, expect, it } from "vitest";
import { createGraph } from "../../src/core/graph.ts";
import { type AliasesInUse, GraphFeed } from "../../src/reload/graph-feed.ts";

const module = (name: string, file = `/app/${name}.lua`) => ({
  name,
  path: file,
  file,
  hash: "h",
  probes: [],
  held: true,
  generation: 1,
});
const edge = (from: string, to: string) => ({ from, to, kind: "load" as const, at: `${from}.lua:1` });
const nothing = { generation: 1, loaded: [], unloaded: [], edges: [] };

describe("the graph's feed", () => {
  it("takes what a VM loads, requires and drops", () => {
    const graph = createGraph();
    const feed = new GraphFeed(graph);
    feed.observed(1, { ...nothing, loaded: [module("a"), module("b")], edges: [edge("a", "b")] });
    expect([...graph.dependents("b")].map(({ from }) => from)).toEqual(["a"]);
    feed.observed(1, { ...nothing, unloaded: ["a", "b"] });
    expect(graph.module("a")).toBeUndefined();
  });

  it("leaves out edges that a commit has made obsolete, told late by a VM that has not moved", () => {
    const graph = createGraph();
    const feed = new GraphFeed(graph);
    feed.observed(1, { ...nothing, loaded: [module("a"), module("b")], edges: [edge("a", "b")] });
    feed.committed(2, ["a"]);
    feed.observed(2, { ...nothing, edges: [edge("a", "b")] });
    expect([...graph.dependents("b")]).toEqual([]);
    feed.observed(2, { ...nothing, generation: 2, edges: [edge("a", "b")] });
    expect([...graph.dependents("b")]).toHaveLength(1);
  });

  it("tells once of a file that is held under two names, with the places that require it", () => {
    const told: AliasesInUse[] = [];
    const feed = new GraphFeed(createGraph(), (found) => told.push(found));
    const loaded = [module("x", "/app/m/x.lua"), module("m.x", "/app/m/x.lua")];
    for (const vm of [1, 2])
      feed.observed(vm, { ...nothing, loaded, edges: [edge("a", "x"), edge("b", "m.x")] });
    expect(told).toEqual([
      {
        file: "/app/m/x.lua",
        names: [
          { name: "m.x", at: ["b.lua:1"] },
          { name: "x", at: ["a.lua:1"] },
        ],
      },
    ]);
  });
});
