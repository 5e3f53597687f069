/** The graph that the sources tell: names, edges, places; kept up to date, it equals one that is made anew. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { extractFacts } from "../../src/check/extract-facts.ts";
import { createStaticGraph, type StaticGraph } from "../../src/check/static-graph.ts";
import type { SourceFile } from "../../src/core/manifest.ts";
import { parseSearchPath } from "../../src/core/search-path.ts";
import type { SourceFacts } from "../../src/core/source-facts.ts";

const searchPath = parseSearchPath("$prefix/a/?.lua;$prefix/a/?/init.lua;$prefix/b/?.lua", {
  prefix: "/srv",
  cwd: "/srv",
});

type Texts = Readonly<Record<string, string>>;

/** Path relative to /srv → text, as files whose hash is their text. */
const filesOf = (texts: Texts): readonly SourceFile[] =>
  Object.entries(texts).map(([name, text]) => ({
    path: `/srv/${name}`,
    file: `/srv/${name}`,
    hash: text,
    content: { arena: 1, offset: 0, length: text.length },
  }));

const factsOf = (texts: Texts): ReadonlyMap<string, SourceFacts> =>
  new Map(Object.values(texts).map((text) => [text, extractFacts(text)]));

const newGraph = () => createStaticGraph({ searchPath, prefix: "/srv" });

function graphOf(texts: Texts): StaticGraph {
  const graph = newGraph();
  graph.update({ present: filesOf(texts), absent: [] }, factsOf(texts));
  return graph;
}

const edgesOf = (graph: StaticGraph) =>
  [...graph.edges()].map(({ from, to, kind, at }) => `${from} -> ${to} ${kind} ${at}`).sort();

describe("a static graph", () => {
  it("has an edge for each name that is required, with its place", () => {
    const graph = graphOf({
      "a/main.lua": 'require "lib.x"\nlocal function f() require "y" end\nrequire "./y"\nrequire "nowhere"',
      "a/lib/x.lua": "",
      "b/y.lua": "require('main')",
    });
    expect(edgesOf(graph)).toEqual(
      [
        "main -> ./y load a/main.lua:3",
        "main -> lib.x load a/main.lua:1",
        "main -> nowhere load a/main.lua:4",
        "main -> y call a/main.lua:2",
        "./y -> main load b/y.lua:1",
        "y -> main load b/y.lua:1",
      ].sort(),
    );
    expect([...graph.edges()].every((edge) => edge.static)).toBe(true);
    expect(graph.module("y")).toMatchObject({
      path: "/srv/b/y.lua",
      probes: ["/srv/a/y.lua", "/srv/a/y/init.lua"],
    });
  });

  it("has a node for each spelling in use, for as long as it is", () => {
    const graph = graphOf({ "a/x.lua": 'require "p/q"', "a/w.lua": 'require "p/q"', "a/p/q.lua": "" });
    const spelled = () => graph.namesOf("/srv/a/p/q.lua");
    expect(spelled()).toEqual(["p.q", "p/q"]);
    const canonical = { "a/x.lua": 'require "p.q"' };
    graph.update({ present: filesOf(canonical), absent: [] }, factsOf(canonical));
    expect(spelled()).toEqual(["p.q", "p/q"]);
    expect(graph.update({ present: [], absent: ["/srv/a/w.lua"] }, new Map()).withdrawn).toEqual([
      "w",
      "p/q",
    ]);
    expect(spelled()).toEqual(["p.q"]);
  });

  it("has edges from every name of a file", () => {
    const graph = graphOf({ "a/x/init.lua": 'require "z"' });
    expect(graph.namesOf("/srv/a/x/init.lua")).toEqual(["x.init", "x"]);
    expect(edgesOf(graph)).toEqual(["x -> z load a/x/init.lua:1", "x.init -> z load a/x/init.lua:1"]);
  });

  it("has no node for a file that no name leads to because another shadows it", () => {
    const graph = graphOf({ "b/m.lua": 'require "x"', "a/m.lua": 'require "y"' });
    graph.update(
      { present: filesOf({ "b/m.lua": 'require "z"' }), absent: [] },
      factsOf({ m: 'require "z"' }),
    );
    expect([...graph.modules()].map(({ name, path }) => [name, path])).toEqual([["m", "/srv/a/m.lua"]]);
  });

  it("has files that run by their path as nodes of their own", () => {
    const graph = graphOf({ "a/x.lua": 'dofile "a/y.lua"', "a/y.lua": 'require "z"' });
    expect(edgesOf(graph)).toEqual([
      "@/srv/a/y.lua -> z load a/y.lua:1",
      "x -> @/srv/a/y.lua call a/x.lua:1",
      "y -> z load a/y.lua:1",
    ]);
  });

  it("gives a name to the file that shadows another, and back", () => {
    const graph = graphOf({ "b/m.lua": 'require "old"' });
    const shadow = { "a/m.lua": 'require "new"' };
    const { described } = graph.update({ present: filesOf(shadow), absent: [] }, factsOf(shadow));
    expect(described.map(({ name, path }) => [name, path])).toEqual([["m", "/srv/a/m.lua"]]);
    expect(edgesOf(graph)).toEqual(["m -> new load a/m.lua:1"]);
    expect(graph.namesOf("/srv/b/m.lua")).toEqual([]);
    graph.update({ present: [], absent: ["/srv/a/m.lua"] }, new Map());
    expect(edgesOf(graph)).toEqual(["m -> old load b/m.lua:1"]);
    expect(graph.update({ present: [], absent: ["/srv/b/m.lua"] }, new Map()).withdrawn).toEqual(["m"]);
    expect([...graph.modules()]).toEqual([]);
  });
});

describe("kept up to date", () => {
  const names = ["m", "n", "n.init", "p.q"];
  const paths = ["a", "b"].flatMap((root) =>
    names
      .map((name) => `${root}/${name.replaceAll(".", "/")}.lua`)
      .concat(`${root}/m/init.lua`, `${root}/x.y.lua`),
  );
  const text = fc
    .array(
      fc.constantFrom(
        ...[...names, "./m", "p/q", "p//q"].map((name) => `require "${name}"`),
        'dofile "a/m.lua"',
        'dofile "b/x.y.lua"',
      ),
      {
        maxLength: 3,
      },
    )
    .map((lines) => lines.join("\n"));
  const steps = fc.array(
    fc.array(fc.record({ path: fc.constantFrom(...paths), text: fc.option(text, { nil: undefined }) }), {
      minLength: 1,
      maxLength: 4,
    }),
    { minLength: 1, maxLength: 6 },
  );

  /** Applies the steps to one graph, and says whether it ends like one that is made of the result. */
  const endsLikeNew = (
    edits: typeof steps extends fc.Arbitrary<infer T> ? T : never,
    forgets: boolean,
  ): boolean => {
    const graph = newGraph();
    const disk = new Map<string, string>();
    for (const step of edits) {
      const present: Record<string, string> = {};
      const absent = new Set<string>();
      for (const { path, text: content } of step) {
        delete present[path];
        absent.delete(`/srv/${path}`);
        if (content === undefined) absent.add(`/srv/${path}`);
        else present[path] = content;
        if (content === undefined) disk.delete(path);
        else disk.set(path, content);
      }
      graph.update({ present: filesOf(present), absent: forgets ? [] : absent }, factsOf(present));
    }
    const anew = graphOf(Object.fromEntries(disk));
    const seen = (of: StaticGraph) =>
      JSON.stringify(
        [...of.modules()]
          .filter(({ name }) => !name.startsWith("@"))
          .sort((a, b) => (a.name < b.name ? -1 : 1)),
      );
    return seen(graph) === seen(anew);
  };

  it("it equals the graph that is made anew", () => {
    fc.assert(
      fc.property(steps, (edits) => endsLikeNew(edits, false)),
      { numRuns: 500 },
    );
  });

  it("control: one that forgets removals does not", () => {
    const { failed } = fc.check(
      fc.property(steps, (edits) => endsLikeNew(edits, true)),
      { numRuns: 500 },
    );
    expect(failed).toBe(true);
  });
});
