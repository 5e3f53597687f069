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

describe("what sources say", () => {
  const source = (name: string) => ({
    name,
    path: `/srv/${name}.lua`,
    file: `/srv/${name}.lua`,
    hash: "h",
    probes: [],
  });
  const says = (from: string, to: string, kind: EdgeKind = "load") => ({
    from,
    to,
    kind,
    at: `${from}.lua:1`,
  });
  const shown = (graph: Graph) =>
    [...graph.edges()].map(
      ({ from, to, kind, static: isStatic }) => `${from} ${kind} ${to}${isStatic ? " static" : ""}`,
    );

  it("stands for modules that no VM has, by path and by edge", () => {
    const graph = createGraph();
    graph.describe({ ...source("a"), probes: ["/first/a.lua"] }, [says("a", "b")]);
    expect(graph.module("a")).toMatchObject({ path: "/srv/a.lua", hash: "h" });
    expect([...graph.namesTouching("/first/a.lua")]).toEqual(["a"]);
    expect(shown(graph)).toEqual(["a load b static"]);
  });

  it("yields to what a VM has seen, and shows again when that is evicted", () => {
    const graph = createGraph();
    graph.describe(source("a"), [says("a", "b"), says("a", "c", "call")]);
    expect(graph.connect(says("a", "b", "call"))).toBe(true);
    expect(graph.connect(says("a", "d", "call"))).toBe(true);
    expect(shown(graph)).toEqual(["a call b", "a call c static", "a call d"]);
    graph.disconnect("a");
    expect(shown(graph)).toEqual(["a load b static", "a call c static"]);
  });

  it("is replaced by what the next version says, but for what a VM still holds to be true", () => {
    const graph = createGraph();
    graph.describe(source("a"), [says("a", "b"), says("a", "c")]);
    graph.connect(says("a", "b"));
    graph.describe({ ...source("a"), hash: "h2" }, [says("a", "d")]);
    expect(graph.module("a")?.hash).toBe("h2");
    expect(shown(graph)).toEqual(["a load b", "a load d static"]);
    graph.disconnect("a");
    expect(shown(graph)).toEqual(["a load d static"]);
  });

  it("does not change what a VM holds", () => {
    const graph = createGraph();
    graph.observe(1, {
      name: "a",
      path: "/other/a.lua",
      hash: "held",
      probes: [],
      held: true,
      generation: 1,
    });
    graph.describe(source("a"), []);
    expect(graph.module("a")).toMatchObject({ path: "/other/a.lua", hash: "held" });
    graph.drop(1, "a");
    expect(graph.module("a")).toBeDefined();
    graph.withdraw("a");
    expect(graph.module("a")).toBeUndefined();
  });

  it("is never forgotten for its number, and goes with the source", () => {
    const graph = createGraph();
    for (let i = 0; i < 3_000; i++) graph.describe(source(`m${i}`), [says(`m${i}`, `m${i + 1}`, "call")]);
    for (let i = 0; i < 3_000; i++) missing(graph, `user.${i}`, "call");
    expect(dependents(graph, "m1")).toEqual(["m0"]);
    for (let i = 0; i < 3_000; i++) graph.withdraw(`m${i}`);
    expect(shown(graph).filter((edge) => edge.includes("static"))).toEqual([]);
    expect(graph.module("m5")).toBeUndefined();
  });
});

describe("names that go", () => {
  it("take a long chain of what only they required with them", () => {
    const graph = createGraph();
    for (let i = 0; i < 50_000; i++) {
      graph.observe(1, { name: `m${i}`, path: `/srv/m${i}.lua`, probes: [], held: true, generation: 1 });
      if (i > 0) graph.connect({ from: `m${i}`, to: `m${i - 1}`, kind: "load", at: "?" });
    }
    graph.dropVm(1);
    expect([...graph.modules()]).toEqual([]);
    expect([...graph.edges()]).toEqual([]);
  });

  it("take nothing that another VM holds", () => {
    const graph = createGraph();
    for (const vm of [1, 2])
      for (const name of ["a", "b"])
        graph.observe(vm, { name, path: `/srv/${name}.lua`, probes: [], held: true, generation: 1 });
    graph.connect({ from: "a", to: "b", kind: "load", at: "?" });
    graph.dropVm(1);
    expect(dependents(graph, "b")).toEqual(["a"]);
  });
});

describe("a file", () => {
  it("that another real file replaced with the same content has the aliases of that one", () => {
    const graph = createGraph();
    const held = { probes: [], held: true, generation: 1, hash: "h" };
    graph.observe(1, { ...held, name: "x", path: "/current/x.lua", file: "/releases/1/x.lua" });
    graph.observe(1, { ...held, name: "y", path: "/shared/y.lua", file: "/releases/2/x.lua" });
    expect(graph.aliases("x")).toEqual([]);
    graph.relocate("/current/x.lua", "/releases/2/x.lua");
    expect(graph.aliases("x")).toEqual(["y"]);
    expect(graph.module("x")?.file).toBe("/releases/2/x.lua");
  });
});
