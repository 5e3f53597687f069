/** What waits for a host: in order, bounded, and losing nothing. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Change } from "../../src/core/change-set.ts";
import { DeliveryLog } from "../../src/targets/delivery-log.ts";
import { Pauses } from "../../src/targets/pauses.ts";
import { together, type Waiting } from "../../src/targets/waiting.ts";
import { deliveryOf } from "./agent-side.ts";

const nothingPinned = () => undefined;
const generations = (entries: readonly Waiting[]) =>
  entries.map(({ since, generation }) => [since, generation]);

describe("the delivery log", () => {
  it("tells what the host has not taken, and what nobody has proved", () => {
    const log = new DeliveryLog(nothingPinned);
    for (const generation of [2, 3, 4]) log.append(deliveryOf(generation));
    log.taken(3);
    expect(generations(log.pending)).toEqual([[3, 4]]);
    expect(generations(log.unproven)).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
    log.proved(2);
    expect(generations(log.unproven)).toEqual([
      [2, 3],
      [3, 4],
    ]);
    log.rewind();
    expect(generations(log.pending)).toEqual([
      [2, 3],
      [3, 4],
    ]);
    log.proved(4);
    expect([log.pending, log.unproven, log.last]).toEqual([[], [], 4]);
    log.rewind();
    expect(log.pending).toEqual([]);
  });

  it("holds 256 entries at most, and every name of what it was given", () => {
    const log = new DeliveryLog(nothingPinned);
    for (let generation = 2; generation <= 1_001; generation++) log.append(deliveryOf(generation));
    expect(log.pending).toHaveLength(256);
    expect(log.pending[0]).toMatchObject({ since: 1, generation: 746 });
    expect(new Set(log.pending.flatMap(({ evicted }) => evicted.map(({ name }) => name))).size).toBe(1_000);
    log.proved(745);
    expect(log.pending[0]).toMatchObject({ since: 1, generation: 746 });
  });

  it("has names that nobody was seen to load among the evicted, but for pinned ones", () => {
    const log = new DeliveryLog((name) => (name === "string" ? "built in" : undefined));
    const kept = [
      { name: "quiet", why: "not loaded" },
      // Asked for, and known from its source alone.
      { name: "m2", why: "not loaded" },
      { name: "string", why: "not loaded" },
      { name: "other", why: "shadowed by /srv/other.lua" },
    ];
    log.append(deliveryOf(2, { kept }));
    expect(log.pending[0]?.evicted.map(({ name }) => name)).toEqual(["m2", "quiet"]);
    expect(log.pending[0]?.kept.map(({ name }) => name)).toEqual(["string", "other"]);
  });
});

describe("several deliveries taken together", () => {
  const contents = ["", "x", "y", "z"];
  const history = fc.array(fc.tuple(fc.constantFrom("p", "q"), fc.constantFrom(...contents)), {
    minLength: 1,
  });

  /** A file's content by path; "" for none. */
  function play(history: readonly (readonly [string, string])[]) {
    const now = new Map([
      ["p", "x"],
      ["q", ""],
    ]);
    const entries = history.map(([path, hash], at): Waiting => {
      const was = now.get(path) ?? "";
      now.set(path, hash);
      return {
        since: at,
        generation: at + 1,
        evicted: [],
        changes: changes(path, was, hash),
        kept: [],
        recycleRequired: [],
      };
    });
    return { now, entries };
  }
  function changes(path: string, was: string, hash: string): readonly Change[] {
    if (was === hash) return [];
    if (was === "") return [{ path, kind: "added", hash }];
    return hash === "" ? [{ path, kind: "removed", was }] : [{ path, kind: "changed", was, hash }];
  }

  it("change each file from what it was at first to what it is at last", () => {
    fc.assert(
      fc.property(history, (history) => {
        const { now, entries } = play(history);
        const all = together(entries);
        const expected = [...changes("p", "x", now.get("p") ?? ""), ...changes("q", "", now.get("q") ?? "")];
        const byPath = (a: Change, b: Change) => (a.path < b.path ? -1 : 1);
        expect([...all.changes].sort(byPath)).toEqual(expected);
        expect([all.since, all.generation]).toEqual([0, entries.length]);
      }),
    );
  });

  it("evict every name once, in the newest order, and keep nothing of it", () => {
    const entry = (generation: number, names: readonly string[], more: Partial<Waiting> = {}): Waiting => ({
      since: generation - 1,
      generation,
      evicted: names.map((name) => ({ name, because: [String(generation), name] })),
      changes: [],
      kept: [],
      recycleRequired: [],
      ...more,
    });
    const kept = [
      { name: "c", why: "pinned" },
      { name: "a", why: "pinned" },
    ];
    const all = together([
      entry(2, ["b", "a"], { recycleRequired: ["f"] }),
      entry(3, ["a", "d"], { kept, recycleRequired: ["g", "f"] }),
    ]);
    expect(all.evicted.map(({ name, because }) => [name, because[0]])).toEqual([
      ["a", "3"],
      ["d", "3"],
      ["b", "2"],
    ]);
    expect(all.kept.map(({ name }) => name)).toEqual(["c"]);
    expect(all.recycleRequired).toEqual(["f", "g"]);
  });
});

describe("pauses", () => {
  it("grow to a bound, with chance in them, and are short again after a success", () => {
    const pauses = new Pauses();
    const bounds = [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000];
    for (const bound of bounds) {
      const ms = pauses.next();
      expect(ms).toBeGreaterThanOrEqual(bound / 2);
      expect(ms).toBeLessThanOrEqual(bound);
    }
    pauses.reset();
    expect(pauses.next()).toBeLessThanOrEqual(100);
  });
});
