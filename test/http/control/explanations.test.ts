/** Modules, files, resolutions, plans and the graph, as the control API explains them. */

import { describe, expect, test } from "vitest";
import { ReluaError } from "../../../src/errors.ts";
import { site } from "./calls.ts";
import { outcome, prefix, status } from "./fake-agent.ts";

const content = { arena: 1, offset: 0, length: 1 };

/** a → lib.b, which two VMs hold, one under a second name; `spare` requires lib.b and nobody has loaded it. */
async function siteWithModules() {
  const at = await site();
  const { graph, sources } = at.agent;
  const file = `${prefix}/lib/lib/b.lua`;
  for (const [path, hash] of [
    ["apps/a.lua", "0a"],
    ["lib/lib/b.lua", "0b"],
    ["apps/spare.lua", "05"],
    ["lib/a.lua", "ff"],
  ] as const) {
    const source = { path: `${prefix}/${path}`, file: `${prefix}/${path}`, hash, content };
    sources.active.set(source.path, source);
    sources.disk.set(source.path, source);
  }
  const loaded = { probes: [], held: true, generation: 3 };
  graph.observe(1, { ...loaded, name: "lib.b", path: file, file, hash: "0b" });
  graph.observe(2, { ...loaded, name: "lib.b", path: file, file, hash: "0b" });
  graph.observe(1, { ...loaded, name: "./lib/b", path: file, file, hash: "0b" });
  const a = `${prefix}/apps/a.lua`;
  graph.observe(1, { ...loaded, name: "a", path: a, file: a, hash: "0a" });
  graph.connect({ from: "a", to: "lib.b", kind: "load", at: "a.lua:1" });
  graph.connect({ from: '=content_by(/"x\\)', to: "a", kind: "call", at: "content_by:1" });
  at.agent.statics = [
    { from: "spare", to: "lib.b", kind: "load", at: "apps/spare.lua:2", static: true },
    { from: "a", to: "lib.b", kind: "load", at: "apps/a.lua:1", static: true },
  ];
  return at;
}

describe("a module", () => {
  const b = {
    name: "lib.b",
    file: "lib/lib/b.lua",
    hash: "0b",
    generation: 3,
    vms: [1, 2],
    aliases: ["./lib/b"],
    pinned: null,
    requires: [],
    dependents: ["a"],
  };

  test("in the list of all", async () => {
    const at = await siteWithModules();
    const { json } = await at.call("GET", "/api/v1/modules");
    expect((json as { name: string }[]).map(({ name }) => name)).toEqual(["./lib/b", "a", "lib.b"]);
    expect(json).toContainEqual(b);
  });

  test("by its name: what it is, who requires it where, what happened to it last, what would happen", async () => {
    const at = await siteWithModules();
    at.agent.history.add(
      outcome({
        changes: [
          { path: `${prefix}/lib/lib/b.lua`, kind: "changed", hash: "0b", was: "00", roots: ["lib.b"] },
        ],
        evicted: [{ name: "lib.b", because: ["lib.b"] }],
      }),
    );
    const rejection = { path: `${prefix}/apps/a.lua`, line: 3, message: "boom", requiredBy: [] };
    at.agent.history.add(outcome({ id: 13, outcome: "rejected", evicted: [], errors: [rejection] }));
    expect((await at.call("GET", "/api/v1/modules/lib.b")).json).toEqual({
      ...b,
      resolution: {
        name: "lib.b",
        file: "lib/lib/b.lua",
        realFile: "lib/lib/b.lua",
        probes: ["apps/lib/b.lua", "apps/lib/b/init.lua"],
        shadowed: [],
        names: [{ name: "lib.b" }],
        reason: null,
      },
      edges: [
        { from: "a", to: "lib.b", kind: "load", at: "a.lua:1" },
        { from: "spare", to: "lib.b", kind: "load", at: "apps/spare.lua:2", static: true },
      ],
      reasons: [{ code: "unchanged", text: "lib/lib/b.lua is on the disk as it runs" }],
      last: {
        id: 13,
        outcome: "rejected",
        generation: 7,
        startedAt: "2026-01-02T03:04:05.678Z",
        evicted: false,
        causes: [],
        chain: [],
        reason: { code: "rejected", text: "rejected in #13: apps/a.lua:3: boom" },
      },
      lastEvicted: {
        id: 12,
        outcome: "committed",
        generation: 7,
        startedAt: "2026-01-02T03:04:05.678Z",
        evicted: true,
        causes: [{ file: "lib/lib/b.lua", kind: "changed", hash: "0b", was: "00", roots: ["lib.b"] }],
        chain: [{ name: "lib.b" }],
        reason: null,
      },
      onChange: {
        roots: ["c"],
        evicted: [{ name: "a", because: ["c", "a"] }],
        kept: [],
        recycleRequired: [],
      },
      incomplete: null,
    });
    expect(at.agent.planned).toEqual([[`${prefix}/lib/lib/b.lua`]]);
  });

  test("that no VM has loaded, by whichever spelling", async () => {
    const at = await siteWithModules();
    for (const name of ["spare", ".%2Fspare"])
      expect((await at.call("GET", `/api/v1/modules/${name}`)).json).toMatchObject({
        name: "spare",
        file: "apps/spare.lua",
        hash: "05",
        generation: null,
        vms: [],
        requires: [],
        edges: [{ from: "spare", to: "lib.b", at: "apps/spare.lua:2", static: true }],
        reasons: [{ code: "not-loaded" }, { code: "unchanged" }],
        resolution: { file: "apps/spare.lua", probes: [] },
      });
  });

  test("that workers of a host may hold is not told to be held by none", async () => {
    const at = await siteWithModules();
    const path = `${prefix}/apps/spare.lua`;
    at.agent.graph.describe({ name: "spare", path, file: path, hash: "05", probes: [] }, []);
    for (const target of ["modules/spare", "files/apps%2Fspare.lua"])
      expect((await at.call("GET", `/api/v1/${target}`)).json).toMatchObject({
        reasons: [{ code: "unchanged" }],
      });
  });

  test("that shadows another file", async () => {
    const at = await siteWithModules();
    expect((await at.call("GET", "/api/v1/modules/a")).json).toMatchObject({
      resolution: { file: "apps/a.lua", shadowed: ["lib/a.lua"] },
    });
  });

  test("that nobody knows, with the places where it could be", async () => {
    const at = await siteWithModules();
    const { status: code, json: problem } = await at.call("GET", "/api/v1/modules/nope");
    expect([code, problem]).toMatchObject([
      404,
      {
        code: "not-found",
        errors: ["no file apps/nope.lua", "no file apps/nope/init.lua", "no file lib/nope.lua"],
      },
    ]);
  });

  test("with a slash or other characters in its name, as it is or encoded", async () => {
    const at = await siteWithModules();
    at.agent.graph.observe(1, { name: "x/y z", probes: [], held: true, generation: 1 });
    for (const name of ["x/y%20z", "x%2Fy%20z"])
      expect((await at.call("GET", `/api/v1/modules/${name}`)).json).toMatchObject({
        name: "x/y z",
        file: null,
      });
  });

  test("is explained without the sources where they cannot be analysed, which is told", async () => {
    const at = await siteWithModules();
    at.agent.statics = new ReluaError("analysis-failed", "its thread died");
    expect((await at.call("GET", "/api/v1/modules/lib.b")).json).toMatchObject({
      edges: [{ from: "a" }],
      incomplete: "its thread died",
    });
  });
});

describe("a file", () => {
  test("with its names, its last change and what another would do", async () => {
    const at = await siteWithModules();
    const path = `${prefix}/lib/lib/b.lua`;
    at.agent.history.add(
      outcome({
        changes: [{ path, kind: "changed", hash: "0b", was: "00", roots: ["lib.b"] }],
        evicted: [
          { name: "a", because: ["lib.b", "a"] },
          { name: "lib.b", because: ["lib.b"] },
          { name: "z", because: ["y", "z"] },
        ],
      }),
    );
    for (const file of ["lib%2Flib%2Fb.lua", "lib/lib/b.lua", encodeURIComponent(path)])
      expect((await at.call("GET", `/api/v1/files/${file}`)).json).toMatchObject({
        file: "lib/lib/b.lua",
        realFile: "lib/lib/b.lua",
        hash: "0b",
        onDisk: "0b",
        names: [
          { name: "lib.b", vms: [1, 2] },
          { name: "./lib/b", vms: [1] },
        ],
        reasons: [{ code: "unchanged" }],
        last: { id: 12, change: { kind: "changed", roots: ["lib.b"] }, evicted: ["a", "lib.b"] },
        onChange: { roots: ["c"] },
      });
  });

  test.each([
    ["apps/spare.lua", "not-loaded", "no VM has loaded spare"],
    ["lib/a.lua", "shadowed", "shadowed by apps/a.lua, which answers to a before"],
    ["apps/.git/x.lua", "ignored", "ignored: names that start with a dot"],
    ["apps/pipe.lua", "ignored", "skipped: FIFO"],
    ["apps/gone.lua", "absent", "nothing is at apps/gone.lua"],
    ["README.md", "outside", "outside the search path: no template leads there"],
  ])("%s: %s", async (file, code, text) => {
    const at = await siteWithModules();
    const skipped = [{ path: `${prefix}/apps/pipe.lua`, reason: "FIFO" }];
    at.agent.currentStatus = { ...status, watch: { ...status.watch, skipped } };
    const { json } = await at.call("GET", `/api/v1/files/${encodeURIComponent(file)}`);
    expect((json as { reasons: unknown[] }).reasons[0]).toEqual({ code, text });
    const resolved = await at.call("GET", `/api/v1/resolve?file=${encodeURIComponent(file)}`);
    expect(resolved.json).toMatchObject({ reason: code === "not-loaded" ? null : { code, text } });
  });
});

describe("resolving", () => {
  test("a name, with what the search tried before and what is shadowed", async () => {
    const at = await siteWithModules();
    expect((await at.call("GET", "/api/v1/resolve?name=lib/b")).json).toEqual({
      name: "lib.b",
      file: "lib/lib/b.lua",
      realFile: "lib/lib/b.lua",
      probes: ["apps/lib/b.lua", "apps/lib/b/init.lua"],
      shadowed: [],
      names: [{ name: "lib.b" }],
      reason: null,
    });
    expect((await at.call("GET", "/api/v1/resolve?name=nope")).json).toMatchObject({
      file: null,
      probes: ["apps/nope.lua", "apps/nope/init.lua", "lib/nope.lua"],
      reason: { code: "not-found" },
    });
  });

  test("takes a name or a file", async () => {
    const at = await siteWithModules();
    for (const query of ["", "?name=a&file=b", "?name="])
      expect((await at.call("GET", `/api/v1/resolve${query}`)).status, query).toBe(400);
  });
});

describe("the plan for files", () => {
  test("is made without a reload, and says of each file what it would do", async () => {
    const at = await siteWithModules();
    const { json } = await at.call("GET", "/api/v1/plan?changed=apps/spare.lua&changed=/x.lua");
    expect(json).toEqual({
      roots: ["c"],
      evicted: [{ name: "a", because: ["c", "a"] }],
      kept: [],
      recycleRequired: [],
      changed: [
        {
          file: "apps/spare.lua",
          roots: [],
          reasons: [{ code: "not-loaded", text: "no VM has loaded spare" }],
        },
        {
          file: "/x.lua",
          roots: [],
          reasons: [{ code: "outside", text: "outside the search path: no template leads there" }],
        },
      ],
    });
    expect(at.agent.planned).toEqual([[`${prefix}/apps/spare.lua`, "/x.lua"]]);
    expect(at.agent.touched).toBe(0);
    expect((await at.call("GET", "/api/v1/plan")).status).toBe(400);
  });
});

describe("the graph", () => {
  test("as JSON", async () => {
    const at = await siteWithModules();
    expect((await at.call("GET", "/api/v1/graph")).json).toEqual({
      nodes: [
        { name: "./lib/b", file: "lib/lib/b.lua", vms: [1] },
        { name: '=content_by(/"x\\)', file: null, vms: [] },
        { name: "a", file: "apps/a.lua", vms: [1] },
        { name: "lib.b", file: "lib/lib/b.lua", vms: [1, 2] },
        { name: "spare", file: "apps/spare.lua", vms: [], static: true },
      ],
      edges: [
        { from: '=content_by(/"x\\)', to: "a", kind: "call", at: "content_by:1" },
        { from: "a", to: "lib.b", kind: "load", at: "a.lua:1" },
        { from: "spare", to: "lib.b", kind: "load", at: "apps/spare.lua:2", static: true },
      ],
      cycles: [],
      aliases: [{ file: "lib/lib/b.lua", names: ["./lib/b", "lib.b"] }],
      incomplete: null,
    });
  });

  test("for Graphviz", async () => {
    const at = await siteWithModules();
    const { text, headers } = await at.call("GET", "/api/v1/graph?format=dot");
    expect(headers["content-type"]).toBe("text/vnd.graphviz; charset=utf-8");
    expect(text.split("\n").filter((line) => !line.startsWith("  //"))).toEqual([
      "digraph modules {",
      "  node [shape=box];",
      '  n0 [label="./lib/b", tooltip="lib/lib/b.lua", style="filled"];',
      '  n1 [label="=content_by(/\\"x\\\\)", tooltip=""];',
      '  n2 [label="a", tooltip="apps/a.lua"];',
      '  n3 [label="lib.b", tooltip="lib/lib/b.lua", style="filled"];',
      '  n4 [label="spare", tooltip="apps/spare.lua", style="dotted"];',
      '  n1 -> n2 [style=dashed, tooltip="content_by:1"];',
      '  n2 -> n3 [tooltip="a.lua:1"];',
      '  n4 -> n3 [style=dotted, tooltip="apps/spare.lua:2"];',
      "}",
      "",
    ]);
    expect((await at.call("GET", "/api/v1/graph?format=png")).json).toMatchObject({ code: "input-invalid" });
  });

  test("for Mermaid, with cycles and aliases marked", async () => {
    const at = await siteWithModules();
    at.agent.graph.connect({ from: "lib.b", to: "a", kind: "call", at: "b.lua:9" });
    const { text, headers } = await at.call("GET", "/api/v1/graph?format=mermaid");
    expect(headers["content-type"]).toBe("text/vnd.mermaid; charset=utf-8");
    expect(text.split("\n")).toEqual([
      "flowchart LR",
      '  n0["./lib/b"]',
      '  n1["=content_by(/#34;x#92;)"]',
      '  n2["a"]',
      '  n3["lib.b"]',
      '  n4["spare"]',
      "  n1 -->|call| n2",
      "  n2 --> n3",
      "  n3 -->|call| n2",
      "  n4 -.-> n3",
      "  classDef static stroke-dasharray: 3 3",
      "  classDef cycle stroke: #c00, stroke-width: 2px",
      "  classDef alias fill: #fd8",
      "  class n4 static",
      "  class n2,n3 cycle",
      "  class n0,n3 alias",
      "",
    ]);
    const { json } = await at.call("GET", "/api/v1/graph");
    expect(json).toMatchObject({ cycles: [["a", "lib.b"]] });
  });

  test("around a name, as far as depth says", async () => {
    const at = await siteWithModules();
    const namesOf = async (query: string) =>
      ((await at.call("GET", `/api/v1/graph?${query}`)).json as { nodes: { name: string }[] }).nodes.map(
        ({ name }) => name,
      );
    expect(await namesOf("around=spare")).toEqual(["a", "lib.b", "spare"]);
    expect(await namesOf("around=spare&depth=1")).toEqual(["lib.b", "spare"]);
    expect(await namesOf("around=./spare&depth=0")).toEqual(["spare"]);
    expect(await namesOf("around=lib.b&depth=0")).toEqual(["./lib/b", "lib.b"]);
    expect((await at.call("GET", "/api/v1/graph?around=nope")).status).toBe(404);
    expect((await at.call("GET", "/api/v1/graph?depth=1")).status).toBe(400);
  });

  test("of too many modules is refused with what to ask for, and can be had around one", async () => {
    const at = await siteWithModules();
    for (let i = 0; i < 60_000; i++)
      at.agent.graph.observe(1, { name: `m${i}`, probes: [], held: true, generation: 1 });
    const { status: code, json: problem } = await at.call("GET", "/api/v1/graph?format=dot");
    expect([code, problem]).toMatchObject([
      422,
      { code: "graph-too-large", detail: expect.stringContaining("?around=NAME&depth=2") },
    ]);
    expect((await at.call("GET", "/api/v1/graph?around=a")).status).toBe(200);
  });
});
