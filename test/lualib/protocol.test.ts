import { afterEach, describe, expect } from "vitest";
import { itWithDebian } from "../debian.ts";
import { ask } from "../support/http.ts";
import { type Nginx, nginxParts } from "../support/nginx.ts";
import { AgentStandIn, startWithLibrary } from "./agent-stand-in.ts";

let nginx: Nginx;
afterEach(() => nginx?.end());

const files = { "a.lua": "loads = (loads or 0) + 1 return loads" };
const server = 'location = /a { content_by_lua_block { ngx.print(require("a")) } }';
const order = (since: number, ...entries: readonly unknown[]) => ({ agent: "agent-1", since, entries });

describe("the log", () => {
  itWithDebian("takes what it has for a repeat", nginxParts, async () => {
    nginx = await startWithLibrary({ files, server, workers: 1 });
    const agent = new AgentStandIn(nginx);
    await ask(`${nginx.url}/a`);
    await agent.post(order(0, { generation: 1, evict: ["a"] }));
    expect((await ask(`${nginx.url}/a`)).body).toBe("2");
    const again = await agent.post(order(0, { generation: 1, evict: ["a"] }));
    expect(again).toMatchObject({ status: 200, body: { generation: 1, sequence: 1 } });
    expect((await ask(`${nginx.url}/a`)).body).toBe("2");
    const overlapping = order(0, { generation: 1, evict: ["a"] }, { generation: 2, evict: ["a"] });
    expect((await agent.post(overlapping)).body).toMatchObject({ generation: 2, sequence: 2 });
    expect((await ask(`${nginx.url}/a`)).body).toBe("3");
  });

  itWithDebian("refuses a delivery that stands on what it does not have", nginxParts, async () => {
    nginx = await startWithLibrary({ files, server });
    const agent = new AgentStandIn(nginx);
    await agent.post(order(0, { generation: 1, evict: [] }));
    const gap = await agent.post(order(5, { generation: 6, evict: ["a"] }));
    expect(gap).toMatchObject({ status: 409, body: { code: "gap", agent: "agent-1", generation: 1 } });
    expect(await agent.state()).toMatchObject({ generation: 1, sequence: 1 });
    // Starting over: what the log lacks, the agent finds by asking what the workers run.
    expect((await agent.post(order(0, { generation: 6, evict: ["a"] }))).body).toMatchObject({
      generation: 6,
      sequence: 2,
    });
  });

  itWithDebian(
    "takes the generations of another agent, and remembers those of the first",
    nginxParts,
    async () => {
      nginx = await startWithLibrary({ files, server, workers: 1 });
      const first = new AgentStandIn(nginx);
      const second = new AgentStandIn(nginx, "agent-2");
      await first.commit(["a"]);
      await first.commit(["a"]);
      expect(await second.state()).toMatchObject({ agent: "agent-1", generation: 2, sequence: 2 });
      expect(await second.commit(["a"])).toMatchObject({ agent: "agent-2", generation: 1, sequence: 3 });
      expect((await first.post(order(0, { generation: 2, evict: ["a"] }))).body.sequence).toBe(3);
      expect(await first.commit(["a"])).toMatchObject({ agent: "agent-1", generation: 3, sequence: 4 });
      expect((await first.state()).workers[0]).toMatchObject({ sequence: 4, generation: 3 });
    },
  );

  itWithDebian(
    "loses nothing of agents that deliver at the same time to several workers",
    nginxParts,
    async () => {
      nginx = await startWithLibrary({ files, server, dict: "4m", every: 0.01 });
      const evict = Array.from({ length: 300 }, (_, i) => `some.module.${i}`);
      const agents = Array.from({ length: 8 }, (_, i) => new AgentStandIn(nginx, `agent-${i}`));
      const deliver = async (agent: AgentStandIn) => {
        for (let generation = 1; generation <= 25; generation++) {
          const entries = [{ generation, evict }];
          const reply = await agent.post({ agent: agent.id, since: generation - 1, entries });
          expect(reply.status).toBe(200);
        }
      };
      await Promise.all(agents.map(deliver));
      expect((await agents[0]?.state())?.sequence).toBe(200);
    },
  );

  itWithDebian("survives a HUP", nginxParts, async () => {
    nginx = await startWithLibrary({ files, server });
    const agent = new AgentStandIn(nginx);
    await agent.commit(["a"]);
    await nginx.reload();
    expect(await agent.commit(["a"])).toMatchObject({ agent: "agent-1", generation: 2, sequence: 2 });
  });

  itWithDebian("says when an entry cannot fit, and goes on", nginxParts, async () => {
    nginx = await startWithLibrary({ files, server, dict: "64k" });
    const agent = new AgentStandIn(nginx);
    await agent.commit(["a"]);
    const names = Array.from({ length: 5_000 }, (_, i) => `some.module.${i}`);
    expect(await agent.post(order(1, { generation: 2, evict: names }))).toMatchObject({
      status: 413,
      body: { code: "too-large" },
    });
    expect(await agent.state()).toMatchObject({ generation: 1, sequence: 1 });
    expect(await agent.commit(["a"])).toMatchObject({ generation: 2, sequence: 2 });
  });

  itWithDebian("makes room in a small dict by dropping what is oldest", nginxParts, async () => {
    nginx = await startWithLibrary({ files, server, dict: "64k", every: 0.01 });
    const agent = new AgentStandIn(nginx);
    const names = Array.from({ length: 200 }, (_, i) => `some.module.${i}`);
    for (let i = 0; i < 30; i++) await agent.commit([...names, "a"]);
    const { sequence, workers } = await agent.state();
    expect(sequence).toBe(30);
    expect(workers.flatMap(({ errors }) => errors)).toEqual([]);
  });

  itWithDebian("is rebuilt when the dict was emptied", nginxParts, async () => {
    nginx = await startWithLibrary({
      files,
      server: `${server} location = /flush { content_by_lua_block { ngx.shared.relua:flush_all() } }`,
      workers: 1,
    });
    const agent = new AgentStandIn(nginx);
    await agent.commit([]);
    expect((await ask(`${nginx.url}/a`)).body).toBe("1");
    await ask(`${nginx.url}/flush`);
    await nginx.untilLog(/the log has begun anew: evicting everything, 1 modules/);
    expect((await ask(`${nginx.url}/a`)).body).toBe("2");
    expect(await agent.post(order(1, { generation: 2, evict: ["a"] }))).toMatchObject({ status: 409 });
    await agent.post(order(0, { generation: 2, evict: ["a"] }));
    expect((await ask(`${nginx.url}/a`)).body).toBe("3");
  });
});

describe("the location", () => {
  itWithDebian("lets nobody in without the token", nginxParts, async () => {
    nginx = await startWithLibrary({ files, server, options: 'token = "secret-1",' });
    const agent = new AgentStandIn(nginx);
    const send = (authorization?: string) =>
      agent.send("GET", undefined, "", authorization === undefined ? {} : { authorization });
    for (const wrong of [
      undefined,
      "secret-1",
      "Bearer secret-2",
      "Bearer secret",
      "Bearer ",
      "Basic secret-1",
    ])
      expect(await send(wrong)).toMatchObject({ status: 401, body: { code: "unauthorized" } });
    const delivery = order(0, { generation: 1, evict: ["a"] });
    expect((await agent.post(delivery)).status).toBe(401);
    expect((await send("Bearer secret-1")).body.sequence).toBe(0);
    expect((await agent.post(delivery, { authorization: "bearer secret-1" })).body.sequence).toBe(1);
  });

  itWithDebian("refuses web pages and methods it does not have", nginxParts, async () => {
    nginx = await startWithLibrary({ files, server });
    const agent = new AgentStandIn(nginx);
    const page = await agent.post(order(0), { origin: "http://evil.example" });
    expect(page).toMatchObject({ status: 403, body: { code: "origin" } });
    expect(await agent.send("PUT", "{}")).toMatchObject({ status: 405, body: { code: "method" } });
  });

  itWithDebian("says what is wrong with a body, and takes nothing of it", nginxParts, async () => {
    nginx = await startWithLibrary({ files, server });
    const agent = new AgentStandIn(nginx);
    const wrong: readonly [unknown, RegExp][] = [
      ["", /the body is no JSON: .* at byte 1/],
      ["{", /no JSON/],
      ['{"agent":"x"} y', /something after the value/],
      ["[]", /the body must be an object/],
      [{ entries: [] }, /agent must be a text of 1 to 200 bytes/],
      [{ agent: 5, entries: [] }, /agent must be/],
      [{ agent: "x".repeat(201), entries: [] }, /agent must be/],
      [{ agent: "x", since: -1, entries: [] }, /since must be/],
      [{ agent: "x", since: 1.5, entries: [] }, /since must be/],
      [{ agent: "x" }, /entries must be a list/],
      [{ agent: "x", entries: {} }, /entries must be a list/],
      [order(0, 1), /entries\[0\] must be an object/],
      [order(0, { evict: [] }), /entries\[0\]\.generation/],
      [order(0, { generation: 0, evict: [] }), /generation must be a whole number from 1/],
      [order(0, { generation: 1 }), /entries\[0\]\.evict must be a list/],
      [order(0, { generation: 1, evict: "a" }), /evict must be a list/],
      [order(0, { generation: 1, evict: ["a", 1] }), /evict\[1\] must be a text/],
      [order(0, { generation: 1, evict: [], recycle: [null] }), /recycle\[0\] must be a text/],
      [order(0, { generation: 1, evict: [], files: [{}] }), /files\[0\]\.path must be a text/],
      [
        order(0, { generation: 2, evict: [] }, { generation: 2, evict: [] }),
        /entries\[1\]\.generation must be above/,
      ],
      [order(0, ...Array.from({ length: 1_001 }, () => 1)), /entries has more than 1000/],
      [`${"[".repeat(100)}${"]".repeat(100)}`, /more than 64 levels/],
    ];
    for (const [body, message] of wrong) {
      const reply = await agent.post(body);
      expect([body, reply]).toMatchObject([body, { status: 400, body: { code: "malformed" } }]);
      expect(reply.body.message).toMatch(message);
    }
    expect(await agent.send("GET", undefined, "?reports=x")).toMatchObject({ status: 400 });
    expect(await agent.state()).toMatchObject({ agent: "", generation: 0, sequence: 0 });
  });

  itWithDebian("reads a body that nginx put into a file", nginxParts, async () => {
    nginx = await startWithLibrary({ files, server, dict: "8m" });
    const agent = new AgentStandIn(nginx);
    const reasons = { a: Array.from({ length: 20_000 }, (_, i) => `name.${i}`) };
    expect((await agent.post(order(0, { generation: 1, evict: ["a"], reasons }))).body.sequence).toBe(1);
  });

  itWithDebian("says so where the library has not started, and breaks nothing else", nginxParts, async () => {
    nginx = await startWithLibrary({ files, server, options: 'dict = "other",', sync: true });
    const agent = new AgentStandIn(nginx);
    expect(await nginx.bodies("/a")).toEqual(["1"]);
    expect(await agent.send("GET", undefined)).toMatchObject({
      status: 503,
      body: { code: "not-started", message: "there is no lua_shared_dict other" },
    });
    expect(nginx.log).toContain("[error]");
  });
});
