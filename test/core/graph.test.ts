/** The graph keeps what a plan needs, and forgets what there is no end of. */

import { describe, expect, it } from "vitest";
import { createGraph, type EdgeKind, type Graph } from "../../src/core/graph.ts";

/** `from` requires a name that nobody finds. */
function missing(graph: Graph, name: string, kind: EdgeKind, from = "app"): void {
  graph.connect({ from, to: name, kind, at: "app.lua:1" });
  graph.observe(1, { name, probes: [`/srv/${name}.lua`], held: false, generation: 1 });
}

const dependents = (graph: Graph, name: string) => [...graph.dependents(name)].map(({ from }) => from);

describe("names that nobody holds", () => {
  it("stay while somebody required them: a file at a probe concerns the one who did", () => {
    const graph = createGraph();
    missing(graph, "plugin", "call");
    expect([...graph.namesTouching("/srv/plugin.lua")]).toEqual(["plugin"]);
    expect(dependents(graph, "plugin")).toEqual(["app"]);
  });

  it("made at run time without end: the oldest are forgotten, with all that led to them", () => {
    const graph = createGraph();
    graph.observe(1, { name: "app", path: "/srv/app.lua", probes: [], held: true, generation: 1 });
    for (let i = 0; i < 20_000; i++) missing(graph, `user.${i}`, "call");
    expect([...graph.modules()].length).toBeLessThanOrEqual(1_001);
    expect([...graph.edges()].length).toBeLessThanOrEqual(1_000);
    expect([...graph.namesTouching("/srv/user.0.lua")]).toEqual([]);
    expect(dependents(graph, "user.0")).toEqual([]);
    expect(dependents(graph, "user.19999")).toEqual(["app"]);
  });

  it("that a module looked for while it loaded are never forgotten: it was built on their absence", () => {
    const graph = createGraph();
    for (let i = 0; i < 1_500; i++) missing(graph, `optional.${i}`, "load");
    for (let i = 0; i < 20_000; i++) missing(graph, `user.${i}`, "call");
    expect(dependents(graph, "optional.0")).toEqual(["app"]);
    expect([...graph.modules()].length).toBeLessThanOrEqual(2 * 1_500 + 1_001);
  });

  it("do not count those that are held, though they were not before", () => {
    const graph = createGraph();
    for (let i = 0; i < 5_000; i++) {
      missing(graph, `m${i}`, "call");
      graph.observe(1, { name: `m${i}`, path: `/srv/m${i}.lua`, probes: [], held: true, generation: 1 });
    }
    for (let i = 0; i < 5_000; i++) missing(graph, `user.${i}`, "call");
    expect(dependents(graph, "m0")).toEqual(["app"]);
    graph.dropVm(1);
    graph.observe(2, { name: "m0", path: "/srv/m0.lua", probes: [], held: true, generation: 1 });
    expect([...graph.modules()].length).toBeLessThanOrEqual(1_001);
  });
});
