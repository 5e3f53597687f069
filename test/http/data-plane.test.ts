/** The life of the data plane: addresses, a new table of routes, and the end. */

import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { planBindings } from "../../src/http/bindings.ts";
import { openDataPlane } from "../../src/http/data-plane.ts";
import { createRoutes } from "../../src/http/routing.ts";
import { anyLocation, freePort, get, openClient, openTestPlane, TestDispatcher } from "./plane.ts";

const serverOn = (listens: readonly string[], name = "") => ({
  listens,
  serverNames: [name],
  locations: [{ location: "/" }],
});

const open = (listens: readonly string[]) =>
  openDataPlane({
    dispatcher: new TestDispatcher(),
    routes: createRoutes([serverOn(listens)]),
    limits: { bodyBytes: 0 },
    exposeGeneration: true,
    generation: () => 1,
  });

describe("an address", () => {
  it("in use is named, with what to do; the others are let go again", async () => {
    const taken = createServer().listen(await freePort(), "127.0.0.1");
    await once(taken, "listening");
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    const free = await freePort();
    await expect(open([`127.0.0.1:${free}`, `127.0.0.1:${port}`])).rejects.toMatchObject({
      code: "address-in-use",
      message: `127.0.0.1:${port} is in use by another program; stop that, or write another address in servers[].listens`,
    });
    const plane = await open([`127.0.0.1:${free}`]);
    await plane.close(0);
  });

  it("that is not this machine's is named", async () => {
    await expect(open(["192.0.2.1:8080"])).rejects.toMatchObject({
      code: "listen-failed",
      message: expect.stringMatching(/^192\.0\.2\.1:8080 is no address of this machine/),
    });
  });

  it("is bound once for all servers on it, and once for each port 0", async () => {
    const port = await freePort();
    const { plane } = await openTestPlane([
      serverOn([`127.0.0.1:${port}`, "127.0.0.1:0"], "a"),
      serverOn([`127.0.0.1:${port}`, "127.0.0.1:0"], "b"),
    ]);
    expect(plane.addresses).toHaveLength(3);
    expect(new Set(plane.addresses.map((address) => address.port)).size).toBe(3);
    expect(plane.addresses[0]).toEqual({ host: "127.0.0.1", port });
  });

  it("of all interfaces leaves the connections to a single one to the servers there", async () => {
    const port = await freePort();
    const { dispatcher } = await openTestPlane([
      serverOn([`*:${port}`], "all"),
      serverOn([`127.0.0.2:${port}`], "one"),
    ]);
    dispatcher.react = (work) => work.answer(`<${work.request.serverName}>`);
    for (const [host, name] of [
      ["127.0.0.1", "all"],
      ["127.0.0.2", "one"],
    ] as const) {
      const client = await openClient(port, host);
      client.send(get("/"));
      await client.until(`<${name}>`);
    }
  });

  it("of all interfaces covers its port and family only", () => {
    const keys = ["0.0.0.0:80", "127.0.0.1:80", "127.0.0.1:81", "[::1]:80", "0.0.0.0:0", "127.0.0.1:0"];
    const routes = createRoutes([serverOn(keys)]);
    const bound = planBindings([...routes.listens.values()]);
    expect(bound.map(({ address }) => address.host + address.port)).toEqual([
      "0.0.0.080",
      "127.0.0.181",
      "::180",
      "0.0.0.00",
      "127.0.0.10",
    ]);
    expect(bound[0]?.listenOf({ host: "127.0.0.1", port: 80 })).toBe("127.0.0.1:80");
    expect(bound[0]?.listenOf({ host: "127.0.0.9", port: 80 })).toBe("0.0.0.0:80");
    expect(bound[3]?.listenOf({ host: "127.0.0.1", port: 4711 })).toBe("0.0.0.0:0");
  });
});

describe("a new table", () => {
  it("holds for requests that start from then on, also where they are redirected", async () => {
    const { plane, client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(get("/1") + get("/2"));
    const first = await dispatcher.next();
    expect(first.request.location).toBe(1);
    plane.replaceRoutes(createRoutes([{ ...anyLocation[0]!, locations: [{ location: "/" }] }], 2));
    first.sink.redirect({ uri: "/elsewhere" }, first);
    expect(first.continuations[0]?.location).toBe(2);
    first.answer();
    expect((await dispatcher.next()).request.location).toBe(2);
  });
});

describe("the end", () => {
  it("comes at once for connections that are idle or have not said anything", async () => {
    const { plane, client, dispatcher } = await openTestPlane();
    dispatcher.react = (work) => work.answer();
    const [idle, silent] = [await client(), await client()];
    idle.send(get("/"));
    await idle.until("answer");
    await plane.close(60_000);
    await Promise.all([idle.closed, silent.closed]);
    expect(plane.connections).toBe(0);
  });

  it("waits for the requests that are here, and lets no other in", async () => {
    const { plane, client, port, dispatcher } = await openTestPlane();
    const partial = await client();
    partial.send("GET /partial HTTP/1.1\r\nHo");
    // Connects afterwards, so that what came before has been read when its request is there.
    const whole = await client();
    whole.send(get("/whole") + get("/behind"));
    const work = await dispatcher.next();
    const closed = plane.close(60_000);
    await expect(openClient(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    partial.send("st: a\r\n\r\n");
    (await dispatcher.next()).answer();
    work.answer();
    await closed;
    expect(await whole.rest()).toMatch(/\r\nConnection: close\r\n.*answer to \/whole\n$/s);
    expect(await partial.rest()).toMatch(/\r\nConnection: close\r\n.*answer to \/partial\n$/s);
  });

  it("waits for a response whose head promised to keep the connection", async () => {
    const { plane, client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(get("/"));
    const { sink } = await dispatcher.next();
    sink.head({ status: 200, headers: [], errorPage: false, generation: 1 }, 1);
    await browser.until("keep-alive");
    const closed = plane.close(60_000);
    sink.finish();
    await closed;
    expect(await browser.rest()).toMatch(/0\r\n\r\n$/);
  });

  it("cuts what takes longer than it is given", async () => {
    const { plane, client, dispatcher } = await openTestPlane();
    const browser = await client();
    browser.send(get("/"));
    const work = await dispatcher.next();
    await plane.close(20);
    await work.aborted;
    expect(await browser.rest()).toBe("");
  });
});
