/** A change deep below a handler reaches every VM, and nothing else does. */

import { describe, expect, it } from "vitest";
import { ask, askEveryVm } from "../support/http.ts";
import { type Served, serveFiles, serveRepository, serversWith } from "../support/served.ts";

const files = {
  "app.lua": `local a, counter = require "lib.a", require "counter"
return function() counter.n = counter.n + 1; ngx.say(a.b.c.v, " ", counter.n) end`,
  "lib/a.lua": `return { b = require "lib.b" }`,
  "lib/b.lua": `return { c = require "lib.c" }`,
  "lib/c.lua": "return { v = 1 }",
  "counter.lua": "return { n = 0 }",
};

/** By VM: the version it answered, and its counter. */
async function answers(served: Served): Promise<ReadonlyMap<number, readonly [number, number]>> {
  const all = await askEveryVm(`${served.url}/`, served.vms);
  return new Map(
    [...all].map(([vm, { body }]) => {
      const [version, count] = body.split(" ").map(Number);
      return [vm, [version!, count!]];
    }),
  );
}

describe.each([1, 2, 4])("%i VMs", (threads) => {
  it("answer new on their next request when a module three levels down changes; a counter goes on", async () => {
    const served = await serveFiles(
      files,
      `{ threads: ${threads}, servers: ${serversWith({ "/": "require 'app' ()" })} }`,
    );
    expect(served.vms).toBe(threads);
    const counts = new Map<number, number>();
    for (let version = 1; version <= 4; version++) {
      if (version > 1) {
        served.edit("lib/c.lua", `v = ${version - 1}`, `v = ${version}`);
        await served.command.untilOut(new RegExp(`generation ${version}\\b`));
      }
      for (const [vm, [answered, count]] of await answers(served)) {
        expect(answered).toBe(version);
        expect(count).toBeGreaterThan(counts.get(vm) ?? 0);
        counts.set(vm, count);
      }
      expect(counts.size).toBe(threads);
    }
    expect(served.command.out).toContain("4 modules evicted");
    await served.stop();
  });
});

describe("the shop", () => {
  it("charges the new tax in every VM; its request counter goes on, its quote counter begins anew", async () => {
    const served = await serveRepository();
    const price = `${served.url}/shop/price?item=tea&qty=2`;
    const taxes = async () =>
      [...(await askEveryVm(price, served.vms)).values()].map(({ body }) => JSON.parse(body).tax_cents);
    const stats = async () =>
      new Map(
        [...(await askEveryVm(`${served.url}/shop/stats`, served.vms))].map(([vm, { body }]) => [
          vm,
          JSON.parse(body) as { readonly requests: number; readonly quotes_since_load: number },
        ]),
      );
    expect(await taxes()).toEqual(Array.from({ length: served.vms }, () => 188));
    const before = await stats();
    served.edit("apps/shop/tax.lua", "percent = 19", "percent = 7");
    const [line] = await served.command.untilOut(/^.*generation 2\b.*$/m);
    expect(line).toContain("5 modules evicted");
    const after = await stats();
    for (const [vm, { requests, quotes_since_load }] of before) {
      expect(quotes_since_load).toBeGreaterThan(0);
      expect(after.get(vm)?.requests).toBeGreaterThan(requests);
      expect(after.get(vm)?.quotes_since_load).toBe(0);
    }
    expect(await taxes()).toEqual(Array.from({ length: served.vms }, () => 69));
    const { status } = await ask(`${served.url}/shop/nothing`);
    expect(status).toBe(404);
    await served.stop();
  });
});
