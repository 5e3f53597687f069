import { describe, expect, it } from "vitest";
import type { Change } from "../../src/core/change-set.ts";
import { createGraph } from "../../src/core/graph.ts";
import { planChange } from "../../src/core/plan.ts";

function loaded(...modules: { name: string; path?: string; file?: string; probes?: string[] }[]) {
  const graph = createGraph();
  for (const module of modules) {
    const path = module.path ?? `/app/${module.name.replaceAll(".", "/")}.lua`;
    graph.observe(1, {
      name: module.name,
      path,
      file: module.file ?? path,
      hash: "old",
      probes: module.probes ?? [],
      held: true,
      generation: 1,
    });
  }
  return graph;
}
const changed = (path: string): Change => ({ path, kind: "changed", was: "old", hash: "new" });

function plan(
  graph: ReturnType<typeof createGraph>,
  changes: Change[],
  options: { pinned?: string[]; requested?: string[]; asked?: string[]; gone?: string[] } = {},
) {
  return planChange({
    changes,
    requested: options.requested ?? [],
    asked: options.asked ?? [],
    graph,
    pinnedWhy: (name) => (options.pinned?.includes(name) ? "pinned" : undefined),
    namesOf: (path) => [{ name: path.replace("/app/", "").replace(".lua", "").replaceAll("/", ".") }],
    resolves: (name) => !options.gone?.includes(name),
  });
}

describe("plan", () => {
  it("evicts the changed module and its dependents, explains each, and loads dependencies first", () => {
    const graph = loaded({ name: "a" }, { name: "lib.b" }, { name: "c" }, { name: "other" });
    graph.connect({ from: "a", to: "lib.b", kind: "load", at: "a.lua:1" });
    graph.connect({ from: "lib.b", to: "c", kind: "load", at: "lib/b.lua:1" });
    const result = plan(graph, [changed("/app/c.lua")]);
    expect(result.roots).toEqual(["c"]);
    expect(result.evict.map((member) => member.because.join(" → "))).toEqual([
      "c → lib.b → a",
      "c → lib.b",
      "c",
    ]);
    expect(result.load).toEqual(["c", "lib.b", "a"]);
    expect(result.kept).toEqual([]);
  });

  it("keeps what no VM has loaded, and says so", () => {
    const result = plan(loaded({ name: "a" }), [changed("/app/fresh.lua")]);
    expect(result.evict).toEqual([]);
    expect(result.kept).toEqual([{ name: "fresh", why: "not loaded" }]);
  });

  it("makes a name a root when a file appears on a path its search had missed", () => {
    const graph = loaded({ name: "foo", path: "/app/foo/init.lua", probes: ["/app/foo.lua"] });
    const result = plan(graph, [{ path: "/app/foo.lua", kind: "added", hash: "new" }]);
    expect(result.roots).toEqual(["foo"]);
  });

  it("evicts those who got nothing when the missing module appears", () => {
    const graph = loaded({ name: "a" });
    graph.observe(1, { name: "opt", probes: ["/app/opt.lua"], held: false, generation: 1 });
    graph.connect({ from: "a", to: "opt", kind: "load", at: "a.lua:1" });
    const result = plan(graph, [{ path: "/app/opt.lua", kind: "added", hash: "new" }]);
    expect(result.evict.map((member) => member.name)).toEqual(["a", "opt"]);
    expect(result.load).toEqual(["a"]);
  });

  it("evicts all names of a file and the dependents of each", () => {
    const graph = loaded(
      { name: "x", path: "/app/models/x.lua" },
      { name: "models.x", path: "/app/models/x.lua" },
      { name: "user" },
    );
    graph.connect({ from: "user", to: "models.x", kind: "load", at: "user.lua:1" });
    const result = plan(graph, [], { requested: ["x"] });
    expect(result.evict.map((member) => member.name).sort()).toEqual(["models.x", "user", "x"]);
  });

  it("keeps a pinned holder and names what it holds", () => {
    const graph = loaded({ name: "p" }, { name: "c" });
    graph.connect({ from: "p", to: "c", kind: "load", at: "p.lua:1" });
    const result = plan(graph, [changed("/app/c.lua")], { pinned: ["p"] });
    expect(result.evict.map((member) => member.name)).toEqual(["c"]);
    expect(result.kept).toEqual([{ name: "p", why: "pinned; stale holder of c" }]);
  });

  it("asks for a recycle when a pinned module itself changed", () => {
    const result = plan(loaded({ name: "p" }), [changed("/app/p.lua")], { pinned: ["p"] });
    expect(result.evict).toEqual([]);
    expect(result.recycleRequired).toEqual(["p"]);
  });

  it("does not ask to load what resolves nowhere any more", () => {
    const graph = loaded({ name: "a" }, { name: "c" });
    graph.connect({ from: "a", to: "c", kind: "load", at: "a.lua:1" });
    const result = plan(graph, [{ path: "/app/c.lua", kind: "removed", was: "old" }], { gone: ["c"] });
    expect(result.evict.map((member) => member.name)).toEqual(["a", "c"]);
    expect(result.load).toEqual(["a"]);
  });

  it("says of each name that was asked for why it stays", () => {
    const graph = loaded({ name: "a" }, { name: "same" }, { name: "p" });
    const asked = ["a", "same", "p", "fresh", "nowhere"];
    const result = plan(graph, [changed("/app/a.lua")], { asked, pinned: ["p"], gone: ["nowhere"] });
    expect(result.evict.map((member) => member.name)).toEqual(["a"]);
    expect(result.kept).toEqual([
      { name: "same", why: "unchanged" },
      { name: "p", why: "pinned" },
      { name: "fresh", why: "not loaded" },
      { name: "nowhere", why: "not found" },
    ]);
  });

  it("passes through handlers without listing them", () => {
    const graph = loaded({ name: "c" });
    graph.connect({ from: "=content_by(/x)", to: "c", kind: "call", at: "content_by(/x):1" });
    expect(plan(graph, [changed("/app/c.lua")]).evict.map((member) => member.name)).toEqual(["c"]);
  });
});
