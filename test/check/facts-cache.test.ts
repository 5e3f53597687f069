/** Facts by content hash: as many as fit, those that were asked for last (Invariant 9). */

import { expect, it } from "vitest";
import { extractFacts } from "../../src/check/extract-facts.ts";
import { FactsCache } from "../../src/check/facts-cache.ts";

it("holds what fits, and forgets what was not asked for longest", () => {
  const cache = new FactsCache(10);
  // Each weighs two: the facts, and one require.
  for (let i = 0; i < 5; i++) cache.set(`h${i}`, extractFacts(`require "m${i}"`));
  expect(cache.size).toBe(5);
  cache.get("h0");
  cache.set("h5", extractFacts('require "m5"'));
  expect(["h0", "h1", "h2", "h5"].map((hash) => cache.get(hash) !== undefined)).toEqual([
    true,
    false,
    true,
    true,
  ]);
});

it("counts what facts hold, so that many large ones do not fit either", () => {
  const cache = new FactsCache(100);
  for (let i = 0; i < 50; i++) cache.set(`h${i}`, extractFacts(`require "m${i}" `.repeat(9)));
  expect(cache.size).toBe(10);
});

it("keeps the last one, however large, and counts one that is set again once", () => {
  const cache = new FactsCache(3);
  cache.set("large", extractFacts('require "m" '.repeat(9)));
  expect(cache.size).toBe(1);
  const small = new FactsCache(10);
  for (let i = 0; i < 100; i++) small.set("same", extractFacts('require "m"'));
  small.set("other", extractFacts('require "m"'));
  expect(small.size).toBe(2);
});
