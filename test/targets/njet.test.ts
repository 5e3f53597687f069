/** NJet as a target: names go out, answers are understood, and nothing is claimed that NJet does not say. */

import { afterEach, describe, expect, it } from "vitest";
import { createTargets } from "../../src/targets/targets.ts";
import { until } from "../support/nginx.ts";
import { AgentSide, deliveryOf } from "./agent-side.ts";
import { HttpStandIn } from "./http-stand-in.ts";
import { NjetStandIn } from "./njet-stand-in.ts";

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

const files = { "/srv/a.lua": "a1", "/srv/b.lua": "b1", "/srv/c.lua": "c1" };

async function beside(path = "", timeoutMs = 2_000) {
  const njet = new NjetStandIn({ a: "a1", b: "b1", c: "c1" });
  const http = await HttpStandIn.start(njet.answer);
  endings.push(() => http.close());
  const side = new AgentSide(files);
  const [target] = createTargets([{ type: "njet", url: http.url + path, timeoutMs }], side.context);
  if (!target) throw new Error("no target");
  endings.push(() => target.close());
  const puts = () => http.requests.filter(({ method }) => method === "PUT").map(({ body }) => body);
  return { njet, http, side, target, puts };
}

describe("NJet", () => {
  it("gets the names of the closure, dependents first, at the path it has", async () => {
    const { njet, side, target, puts, http } = await beside();
    side.graph.describe({ name: "c", path: "/srv/c.lua", file: "/srv/c.lua", hash: "?", probes: [] }, []);
    side.graph.describe({ name: "a", path: "/srv/a.lua", file: "/srv/a.lua", hash: "?", probes: [] }, [
      { from: "a", to: "c", kind: "load", at: "a.lua:1" },
    ]);
    for (const name of ["a", "b", "c"]) njet.require(0, name);
    target.start();
    njet.write({ c: "c2" });
    side.commit({ "/srv/c.lua": "c2" }, [target]);
    expect(await target.applied(2, 5_000)).toEqual({ target: http.url, applied: [], missing: [] });
    expect(puts()).toEqual(['["a","c"]']);
    expect(http.requests.every(({ url }) => url === "/api/v1/config/http_lua_package_clean")).toBe(true);
    expect(njet.require(0, "c")).toBe("c2");
    expect(njet.workers[0]?.loaded.has("b")).toBe(true);
  });

  it("gets names that nobody was seen to load: it never says what it has loaded", async () => {
    const { side, target, puts } = await beside();
    target.start();
    side.commit({ "/srv/b.lua": "b2" }, [target]);
    await target.applied(2, 5_000);
    expect(puts()).toEqual(['["b"]']);
  });

  it("never gets names that are built in or pinned, which it would clear", async () => {
    const { side, target, puts } = await beside();
    target.start();
    side.commit({ "/srv/string.lua": "return 1", "/srv/b.lua": "b2" }, [target]);
    await target.applied(2, 5_000);
    expect(puts()).toEqual(['["b"]']);
  });

  it("is never said to have acknowledged: it answers before its workers apply, and one that was away misses it", async () => {
    const { njet, side, target } = await beside();
    for (let worker = 0; worker < 4; worker++) njet.require(worker, "b");
    (njet.workers[3] as { connected: boolean }).connected = false;
    target.start();
    njet.write({ b: "b2" });
    side.commit({ "/srv/b.lua": "b2" }, [target]);
    await target.applied(2, 5_000);
    expect([0, 1, 2, 3].map((worker) => njet.require(worker, "b"))).toEqual(["b2", "b1", "b1", "b1"]);
    njet.deliverMessages();
    expect([0, 1, 2, 3].map((worker) => njet.require(worker, "b"))).toEqual(["b2", "b2", "b2", "b1"]);
    expect(target.status()).toMatchObject({
      type: "njet",
      state: "current",
      generation: 2,
      acknowledges: false,
      workers: [],
      error: expect.stringContaining("answers before its workers have applied"),
    });
  });

  it("keeps a path that the address has", async () => {
    const { http, target } = await beside("/other/path");
    target.start();
    await until(() => target.status().state === "down");
    expect(http.requests[0]?.url).toBe("/other/path");
    expect(target.status().error).toContain("404");
  });

  const troubles = [
    ["timeout", "rpc timeout"],
    ["no-request-free", "could not hand the call to a worker"],
    ["no-module", "do not run the module http_dyn_lua"],
    ["no-vm", "lua vm is empty"],
  ] as const;
  it.each(troubles)("that says %s is asked again until it takes it", async (trouble, error) => {
    const { njet, side, target, puts } = await beside();
    target.start();
    await until(() => target.status().state === "current");
    njet.trouble = trouble;
    side.commit({ "/srv/b.lua": "b2" }, [target]);
    expect(await target.applied(2, 300)).toMatchObject({
      missing: [target.name],
      error: expect.stringContaining(error),
    });
    await until(() => puts().length >= 3);
    expect(target.status()).toMatchObject({ state: "down", generation: 1 });
    njet.trouble = undefined;
    expect((await target.applied(2, 10_000)).missing).toEqual([]);
    expect(side.logged).toHaveLength(2);
    expect(side.logged[0]).toContain(error);
    expect(side.logged[1]).toMatch(/^notice: .* works again after \d+ failures/);
  });

  it("that is away gets all it missed in one call when it is back", async () => {
    const { http, side, target, puts } = await beside();
    target.start();
    await until(() => target.status().state === "current");
    await http.close();
    side.commit({ "/srv/a.lua": "a2" }, [target]);
    side.commit({ "/srv/b.lua": "b2" }, [target]);
    side.commit({ "/srv/a.lua": "a3" }, [target]);
    await until(() => target.status().state === "down");
    await http.open();
    expect((await target.applied(4, 10_000)).missing).toEqual([]);
    expect(puts().map((body) => JSON.parse(body).sort())).toEqual([["a", "b"]]);
  });

  it("gets long lists in several bodies, each within its bound, and none twice when one fails", async () => {
    const { http, target, puts } = await beside();
    const names = Array.from({ length: 20_000 }, (_, number) => `${"long.".repeat(20)}m${number}`);
    target.start();
    await until(() => target.status().state === "current");
    // The second body of the first try.
    http.fault = () =>
      puts().length === 2 ? { status: 500, body: '{"code":500,"msg":"server error"}' } : undefined;
    target.commit(deliveryOf(2, { evicted: names.map((name) => ({ name, because: [name] })) }));
    expect((await target.applied(2, 20_000)).missing).toEqual([]);
    const bodies = puts();
    expect(bodies.length).toBeGreaterThan(3);
    expect(Math.max(...bodies.map((body) => Buffer.byteLength(body)))).toBeLessThan(5 * 1024 * 1024);
    expect(bodies[2]).toBe(bodies[1]);
    bodies.splice(1, 1);
    expect(bodies.flatMap((body) => JSON.parse(body) as string[])).toEqual(names);
  });

  it.each(["never", "reset", "half", "garbage"] as const)(
    "%s: is tried again within the time that a call may take",
    async (fault) => {
      const { http, side, target } = await beside("", 300);
      target.start();
      await until(() => target.status().state === "current");
      http.fault = fault;
      side.commit({ "/srv/b.lua": "b2" }, [target]);
      await until(() => target.status().state === "down");
      http.fault = undefined;
      expect((await target.applied(2, 10_000)).missing).toEqual([]);
    },
  );

  it.each([
    [200, "<html>welcome</html>", "not an answer of NJet"],
    [200, "[]", "not an answer of NJet"],
    [200, '{"code":3,"msg":"$.x unknown"}', "code 3: $.x unknown"],
    [200, "please use put to invoke this api\n", "arrived as a GET"],
    [401, "", "lets us not in"],
    [502, "bad gateway", "HTTP 502: bad gateway"],
  ])("an answer %i %j is not taken for done", async (status, body, error) => {
    const { http, side, target } = await beside();
    target.start();
    await until(() => target.status().state === "current");
    http.fault = { status, body };
    side.commit({ "/srv/b.lua": "b2" }, [target]);
    await until(() => target.status().state === "down");
    expect(target.status().error).toContain(error);
    expect(target.status().generation).toBe(1);
  });

  it("that took it in part, as Relua's own agent says, is current, and the rest is in the log", async () => {
    const { http, side, target } = await beside();
    target.start();
    await until(() => target.status().state === "current");
    http.fault = {
      status: 200,
      body: '{"data":["string is built in and was kept"],"code":1,"msg":"partial success."}',
    };
    side.commit({ "/srv/b.lua": "b2" }, [target]);
    expect((await target.applied(2, 5_000)).missing).toEqual([]);
    expect(side.logged).toEqual([
      expect.stringContaining("partial success. string is built in and was kept"),
    ]);
  });

  it("is let go at once by close, in the middle of a call", async () => {
    const { http, side, target } = await beside("", 60_000);
    target.start();
    await until(() => target.status().state === "current");
    http.fault = "never";
    side.commit({ "/srv/b.lua": "b2" }, [target]);
    await until(() => http.requests.length === 2);
    const report = target.applied(2, 60_000);
    await target.close();
    expect((await report).missing).toEqual([target.name]);
  });
});
