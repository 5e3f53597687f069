import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { closureOf, type Dependents } from "../../src/core/closure.ts";
import type { Edge } from "../../src/core/graph.ts";

const edgesInto = (pairs: readonly (readonly [string, string])[], name: string): Edge[] =>
  pairs
    .filter(([, to]) => to === name)
    .map(([from, to]) => ({ from, to, kind: "load", at: `${from}.lua:1` }));

/** A graph from "a -> b" lines: a requires b. */
function graph(
  text: string,
  options: { pinned?: string[]; aliases?: Record<string, string[]> } = {},
): Dependents {
  const edges = text
    .trim()
    .split("\n")
    .map((line) => line.trim().split(" -> ") as [string, string]);
  return {
    dependents: (name) => edgesInto(edges, name),
    aliases: (name) => options.aliases?.[name] ?? [],
    stops: (name) => options.pinned?.includes(name) ?? false,
  };
}
const names = (members: readonly { name: string }[]) => members.map((member) => member.name);

describe("closure", () => {
  it("is the root and everything that requires it, dependents first", () => {
    const { members } = closureOf(graph("a -> lib.b\nlib.b -> c\nother -> d"), ["c"]);
    expect(members).toEqual([
      { name: "a", because: ["c", "lib.b", "a"] },
      { name: "lib.b", because: ["c", "lib.b"] },
      { name: "c", because: ["c"] },
    ]);
  });

  it("takes the shortest of several chains", () => {
    const { members } = closureOf(graph("a -> b\nb -> c\na -> c"), ["c"]);
    expect(members.find((member) => member.name === "a")?.because).toEqual(["c", "a"]);
  });

  it("emits a diamond's top once, before both sides", () => {
    expect(names(closureOf(graph("top -> l\ntop -> r\nl -> base\nr -> base"), ["base"]).members)).toEqual([
      "top",
      "l",
      "r",
      "base",
    ]);
  });

  it("ends on cycles", () => {
    expect(names(closureOf(graph("a -> b\nb -> a\nc -> a"), ["a"]).members).sort()).toEqual(["a", "b", "c"]);
  });

  it("takes all names of a file together, and what depends on each", () => {
    const { members } = closureOf(graph("user -> app.models.x"), ["x"]);
    expect(names(members)).toEqual(["x"]);
    const both = closureOf(graph("user -> app.models.x", { aliases: { x: ["app.models.x"] } }), ["x"]);
    expect(names(both.members).sort()).toEqual(["app.models.x", "user", "x"]);
  });

  it("tells of each member how it came in: by which require, where, or as another name", () => {
    const { members } = closureOf(
      {
        ...graph("a -> lib.b\nlib.b -> c"),
        dependents: (name) =>
          name === "c"
            ? [{ from: "lib.b", to: "c", kind: "load", at: "lib/b.lua:1" }]
            : name === "./lib/b"
              ? [{ from: "a", to: name, kind: "call", at: "a.lua:7", static: true }]
              : [],
        aliases: (name) => (name === "lib.b" ? ["./lib/b"] : []),
      },
      ["c"],
    );
    expect(members.map(({ name, via }) => [name, via])).toEqual([
      ["lib.b", { name: "c", kind: "load", at: "lib/b.lua:1" }],
      ["c", undefined],
      ["a", { name: "./lib/b", kind: "call", at: "a.lua:7", static: true }],
      ["./lib/b", { name: "lib.b", kind: "alias" }],
    ]);
  });

  it("stops at a pinned module and names it as holder", () => {
    const result = closureOf(graph("a -> p\np -> c"), ["c"]);
    expect(names(result.members)).toEqual(["a", "p", "c"]);
    const pinned = closureOf(graph("a -> p\np -> c", { pinned: ["p"] }), ["c"]);
    expect(names(pinned.members)).toEqual(["c"]);
    expect(pinned.stopped).toEqual([{ name: "p", because: ["c", "p"] }]);
  });
});

describe("closure on random graphs", () => {
  const node = fc.integer({ min: 0, max: 12 }).map((n) => `m${n}`);
  const edges = fc.array(fc.tuple(node, node), { maxLength: 40 });

  type Close = (dependents: Dependents, roots: string[]) => ReturnType<typeof closureOf>;
  const holds = (close: Close) =>
    fc.assert(
      fc.property(edges, fc.uniqueArray(node, { minLength: 1, maxLength: 3 }), (pairs, roots) => {
        const dependents: Dependents = {
          dependents: (name) => edgesInto(pairs, name),
          aliases: () => [],
          stops: () => false,
        };
        // The reference: the fixpoint of "requires a member".
        const reachable = new Set(roots);
        for (let grown = true; grown; ) {
          grown = false;
          for (const [from, to] of pairs)
            if (reachable.has(to) && !reachable.has(from)) {
              reachable.add(from);
              grown = true;
            }
        }
        const { members } = close(dependents, roots);
        expect(new Set(names(members))).toEqual(reachable);
        expect(members.length).toBe(reachable.size);
        for (const { name, because } of members) {
          expect(roots).toContain(because[0]);
          expect(because.at(-1)).toBe(name);
          for (let i = 1; i < because.length; i++) expect(pairs).toContainEqual([because[i], because[i - 1]]);
        }
      }),
    );

  it("equals the fixpoint, and every chain is made of edges", () => holds(closureOf));

  it("(control) a closure of direct dependents only is caught", () => {
    const direct: Close = (dependents, roots) => {
      const whole = closureOf(dependents, roots);
      return { ...whole, members: whole.members.filter((member) => member.because.length <= 2) };
    };
    expect(() => holds(direct)).toThrow();
  });

  it("orders an acyclic graph so that no module comes before one that depends on it", () => {
    fc.assert(
      fc.property(edges, (pairs) => {
        const acyclic = pairs.filter(([from, to]) => Number(from.slice(1)) > Number(to.slice(1)));
        const { members } = closureOf(
          {
            dependents: (name) => edgesInto(acyclic, name),
            aliases: () => [],
            stops: () => false,
          },
          ["m0", "m1"],
        );
        const order = names(members);
        for (const [from, to] of acyclic)
          if (order.includes(to)) expect(order.indexOf(from)).toBeLessThan(order.indexOf(to));
      }),
    );
  });
});
