import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ClosureMember, closureOf, type Dependents, longestChain } from "../../src/core/closure.ts";
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
      ["a", { name: "./lib/b", kind: "call", at: "a.lua:7", static: true }],
      ["./lib/b", { name: "lib.b", kind: "alias" }],
      ["lib.b", { name: "c", kind: "load", at: "lib/b.lua:1" }],
      ["c", undefined],
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

describe("a chain of 100,000 modules", () => {
  const nameOf = (i: number) => `m${String(i).padStart(6, "0")}`;
  const chain: Dependents = {
    dependents: (name) => {
      const i = Number(name.slice(1));
      return i < 99_999 ? [{ from: nameOf(i + 1), to: name, kind: "load", at: "?" }] : [];
    },
    aliases: () => [],
    stops: () => false,
  };

  it("is a closure like others; who asks why gets either end of a long chain", () => {
    const { members } = closureOf(chain, [nameOf(0)]);
    expect(members.length).toBe(100_000);
    expect(members[0]?.name).toBe(nameOf(99_999));
    const why = members[0]!.because;
    expect(why.length).toBe(longestChain);
    expect([why[0], why[1], why.at(-2), why.at(-1)]).toEqual([0, 1, 99_998, 99_999].map(nameOf));
    expect(why.filter((name) => name === "…").length).toBe(1);
    expect(members.every(({ because }) => because.length <= longestChain)).toBe(true);
    const [exact] = members.filter(({ name }) => name === nameOf(longestChain - 1));
    expect(exact?.because).toEqual(Array.from({ length: longestChain }, (_, i) => nameOf(i)));
  });
});

describe("closure on random graphs", () => {
  const nodes = Array.from({ length: 13 }, (_, n) => `m${n}`);
  const node = fc.constantFrom(...nodes);
  const edges = fc.array(fc.tuple(node, node), { maxLength: 40 });
  /** Requires, groups of names of one file, and pinned modules. */
  const graphs = fc.record({
    pairs: edges,
    files: fc.array(fc.nat(9), { minLength: nodes.length, maxLength: nodes.length }),
    pinned: fc.oneof(
      { weight: 2, arbitrary: fc.constant<string[]>([]) },
      fc.uniqueArray(node, { maxLength: 3 }),
    ),
    roots: fc.uniqueArray(node, { minLength: 1, maxLength: 3 }),
  });
  type Random = typeof graphs extends fc.Arbitrary<infer T> ? T : never;

  /** Nine files for thirteen names: four of them at least are aliases. */
  const aliasesIn = ({ files }: Random, name: string) =>
    nodes.filter((other, i) => other !== name && files[i] === files[nodes.indexOf(name)]);
  const dependentsIn = (it: Random): Dependents => ({
    dependents: (name) => edgesInto(it.pairs, name),
    aliases: (name) => aliasesIn(it, name),
    stops: (name) => it.pinned.includes(name),
  });

  /** The reference: steps from the roots, by looking at every edge and every name until nothing is nearer any more. */
  function distances(it: Random): ReadonlyMap<string, number> {
    const far = new Map(it.roots.map((root) => [root, 0]));
    for (let nearer = true; nearer; ) {
      nearer = false;
      const step = (from: string, to: string) => {
        const steps = far.get(from);
        if (steps === undefined || it.pinned.includes(from)) return;
        if ((far.get(to) ?? Number.POSITIVE_INFINITY) <= steps + 1) return;
        far.set(to, steps + 1);
        nearer = true;
      };
      for (const [requirer, required] of it.pairs) step(required, requirer);
      for (const name of nodes) for (const alias of aliasesIn(it, name)) step(name, alias);
    }
    return far;
  }

  type Close = (dependents: Dependents, roots: readonly string[]) => ReturnType<typeof closureOf>;
  const holds = (close: Close) =>
    fc.assert(
      fc.property(graphs, fc.infiniteStream(fc.nat()), (it, random) => {
        const { members, stopped } = close(dependentsIn(it), it.roots);
        const wanted = distances(it);
        const all = [...members, ...stopped];
        expect(names(members).toSorted()).toEqual(
          [...wanted.keys()].filter((name) => !it.pinned.includes(name)).sort(),
        );
        expect(names(stopped).toSorted()).toEqual(
          [...wanted.keys()].filter((name) => it.pinned.includes(name)).sort(),
        );
        for (const { name, because } of all) {
          expect(it.roots).toContain(because[0]);
          expect(because.at(-1)).toBe(name);
          expect(because.length).toBe(wanted.get(name)! + 1);
          for (const [i, from] of because.slice(1).entries()) {
            const to = because[i]!;
            const isStep =
              it.pairs.some((pair) => pair[0] === from && pair[1] === to) || aliasesIn(it, to).includes(from);
            expect(isStep).toBe(true);
          }
        }
        // In whatever order a graph came to be, its closure is the same.
        const shuffled = <T>(list: readonly T[]): T[] =>
          list
            .map((value) => ({ value, at: random.next().value as number }))
            .sort((a, b) => a.at - b.at)
            .map(({ value }) => value);
        const other = { ...it, pairs: shuffled(it.pairs), roots: shuffled(it.roots) };
        expect(close(dependentsIn(other), other.roots)).toEqual({ members, stopped });
      }),
      { numRuns: 300 },
    );

  it("are the fixpoint, by the shortest chains of requires and names, the same in every order", () =>
    holds(closureOf));

  const broken: Readonly<Record<string, Close>> = {
    "of direct dependents only": (dependents, roots) => {
      const whole = closureOf(dependents, roots);
      return { ...whole, members: whole.members.filter((member) => member.because.length <= 2) };
    },
    "without other names": (dependents, roots) => closureOf({ ...dependents, aliases: () => [] }, roots),
    "through pinned modules": (dependents, roots) => closureOf({ ...dependents, stops: () => false }, roots),
    "by chains that are not the shortest": (dependents, roots) => {
      const { members, stopped } = closureOf(dependents, roots);
      const longer = ({ name, because }: ClosureMember): ClosureMember => ({
        name,
        because: [because[0]!, ...because],
      });
      return { members: members.map(longer), stopped };
    },
    "in the order of the roots": (dependents, roots) => {
      const { members, stopped } = closureOf(dependents, roots);
      return { members: members.toSorted((a, b) => roots.indexOf(a.name) - roots.indexOf(b.name)), stopped };
    },
  };
  for (const [what, close] of Object.entries(broken))
    it(`(control) one ${what} is caught`, () => expect(() => holds(close)).toThrow());

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
