import { describe, expect, it } from "vitest";
import { createGraph } from "../../src/core/graph.ts";
import type { Move } from "../../src/core/move.ts";
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
/** To `generation`; nothing but these names is evicted. */
const move = (generation: number, evict: string[]): Move => ({
  generation,
  roots: [],
  evict,
  manifest: { present: [], absent: [], arenas: new Map() },
});
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
    feed.committed(move(2, ["a"]));
    feed.observed(2, { ...nothing, edges: [edge("a", "b")] });
    expect([...graph.dependents("b")]).toEqual([]);
    feed.observed(2, { ...nothing, generation: 2, edges: [edge("a", "b")] });
    expect([...graph.dependents("b")]).toHaveLength(1);
  });

  it("forgets what handlers and files that dofile ran required: they run anew, too", () => {
    const graph = createGraph();
    const feed = new GraphFeed(graph);
    const chunk = "=file(/app/setup.lua)";
    const edges = [edge("a", chunk), edge(chunk, "b"), edge("=content_by(/)", "a"), edge("other", "b")];
    feed.observed(1, { ...nothing, loaded: ["a", "b", "other"].map((name) => module(name)), edges });
    feed.committed(move(2, ["b", "a", "other"]));
    expect([...graph.edges()]).toEqual([]);
  });

  it("keeps what a handler that is not concerned required", () => {
    const graph = createGraph();
    const feed = new GraphFeed(graph);
    feed.observed(1, {
      ...nothing,
      loaded: [module("a"), module("b")],
      edges: [edge("=content_by(/)", "a")],
    });
    feed.committed(move(2, ["b"]));
    expect([...graph.edges()]).toHaveLength(1);
  });

  it("moves a name to the real file that is behind its path now", () => {
    const graph = createGraph();
    const feed = new GraphFeed(graph);
    feed.observed(1, {
      ...nothing,
      loaded: [{ ...module("x"), path: "/current/x.lua", file: "/releases/1/x.lua" }],
    });
    const present = [
      {
        path: "/current/x.lua",
        file: "/releases/2/x.lua",
        hash: "h",
        content: { arena: 1, offset: 0, length: 0 },
      },
    ];
    feed.committed({ ...move(2, []), manifest: { present, absent: [], arenas: new Map() } });
    expect(graph.module("x")?.file).toBe("/releases/2/x.lua");
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

  it("tells nothing of a name that nobody requires any more, until somebody does", () => {
    const told: AliasesInUse[] = [];
    const feed = new GraphFeed(createGraph(), (found) => told.push(found));
    const loaded = [module("x", "/app/m/x.lua"), module("m.x", "/app/m/x.lua")];
    feed.observed(1, { ...nothing, loaded, edges: [edge("a", "x")] });
    expect(told).toEqual([]);
    feed.observed(1, { ...nothing, edges: [edge("b", "m.x")] });
    expect(told.map(({ names }) => names.map(({ name }) => name))).toEqual([["m.x", "x"]]);
  });
});
