/** What VMs told and what sources say, put together: each require once, and nothing twice under names that nobody uses. */

import { describe, expect, it } from "vitest";
import { createGraph, type Edge } from "../../src/core/graph.ts";
import { viewGraph } from "../../src/core/graph-view.ts";
import { parseSearchPath, resolve } from "../../src/core/search-path.ts";
import { wholeGraph } from "../../src/core/whole-graph.ts";

const searchPath = parseSearchPath("apps/?.lua;apps/?/init.lua;./?.lua", { prefix: "/srv", cwd: "/srv" });
const files = new Set(["/srv/apps/shop/init.lua", "/srv/apps/shop/tax.lua", "/srv/tool.lua"]);
const exists = (path: string) => files.has(path);

const byText = (from: string, to: string): Edge => ({ from, to, kind: "load", at: "?:1", static: true });
/** As the sources say it: under each name that the search path gives to shop/init.lua. */
const statics = ["shop", "shop.init", "apps.shop.init"].map((from) => byText(from, "shop.tax"));

function shown(graph = createGraph(), edges: readonly Edge[] = statics) {
  const whole = wholeGraph(graph, edges, { searchPath, exists });
  const pathOf = (name: string) => resolve(searchPath, name, exists).path;
  const view = viewGraph(graph, whole, { pathOf, limit: 100 });
  return {
    nodes: view?.nodes.map(({ name }) => name),
    edges: view?.edges.map(({ from, to, static: isStatic }) => `${from} ${isStatic ? "~>" : "->"} ${to}`),
    dependents: [...whole.dependents("shop.tax")].map(({ from }) => from),
    known: view?.nodes.filter(({ static: isStatic }) => !isStatic).map(({ name }) => name),
  };
}

const load = (graph: ReturnType<typeof createGraph>, name: string, path: string) =>
  graph.observe(1, { name, path, file: path, probes: [], held: true, generation: 1 });

describe("the whole graph", () => {
  it("shows a file that nobody requires under its shortest name", () => {
    expect(shown()).toMatchObject({
      nodes: ["shop", "shop.tax"],
      edges: ["shop ~> shop.tax"],
      dependents: ["shop"],
    });
  });

  it("shows it under the names that are required", () => {
    const required = [...statics, byText("tool", "shop.init")];
    expect(shown(createGraph(), required)).toMatchObject({
      nodes: ["shop.init", "shop.tax", "tool"],
      edges: ["shop.init ~> shop.tax", "tool ~> shop.init"],
    });
  });

  it("shows it under the name that a VM holds, and each require that the VM told of as told", () => {
    const graph = createGraph();
    load(graph, "apps.shop.init", "/srv/apps/shop/init.lua");
    graph.connect({ from: "apps.shop.init", to: "shop.tax", kind: "load", at: "init.lua:1" });
    expect(shown(graph)).toMatchObject({
      nodes: ["apps.shop.init", "shop.tax"],
      edges: ["apps.shop.init -> shop.tax"],
      known: ["apps.shop.init", "shop.tax"],
    });
  });

  it("shows all names that are in use", () => {
    const graph = createGraph();
    load(graph, "shop", "/srv/apps/shop/init.lua");
    load(graph, "shop.init", "/srv/apps/shop/init.lua");
    expect(shown(graph).dependents).toEqual(["shop", "shop.init"]);
  });

  it("tells of a spare name what it requires, to who asks for it by that name", () => {
    const whole = wholeGraph(createGraph(), statics, { searchPath, exists });
    expect([...whole.requires("shop.init")]).toEqual([byText("shop.init", "shop.tax")]);
  });

  it("leaves out spare names of what a host's sources describe", () => {
    const graph = createGraph();
    for (const name of ["shop", "shop.init"])
      graph.describe({ name, path: "/srv/apps/shop/init.lua", probes: [] }, [byText(name, "shop.tax")]);
    expect(shown(graph, [])).toMatchObject({ nodes: ["shop", "shop.tax"], edges: ["shop ~> shop.tax"] });
  });
});
