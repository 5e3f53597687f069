import { afterEach, describe, expect } from "vitest";
import { itWithDebian } from "../debian.ts";
import { ask } from "../support/http.ts";
import { type Nginx, nginxParts, until } from "../support/nginx.ts";
import { AgentStandIn, startWithLibrary } from "./agent-stand-in.ts";
import { StaleLoad } from "./stale-load.ts";

let nginx: Nginx;
afterEach(() => nginx?.end());

/** a → lib.b → c; `a` answers with its own version, b's and c's. */
const application = (version: number) => ({
  "c.lua": `return ${version}`,
  "lib/b.lua": `local c = require 'c' return { own = ${version}, c = c }`,
  "a.lua": `local b = require 'lib.b'
    return { run = function() ngx.print(${version}, "/", b.own, "/", b.c, "/", require("c")) end }`,
});
const closure = ["a", "lib.b", "c"];
const counter = { "counter.lua": "local n = 0 return function() n = n + 1 return n end" };
const server = `
  location = /a { content_by_lua_block { require("a").run() } }
  location = /count { content_by_lua_block { ngx.print(require("counter")()) } }
  # What people do by hand: it clears the name that was edited, in the worker that happens to answer.
  location = /by-hand { content_by_lua_block { package.loaded[ngx.var.arg_name] = nil } }`;

describe("a generation", () => {
  itWithDebian("reaches every worker, and no module outside of it loses its state", nginxParts, async () => {
    nginx = await startWithLibrary({ files: { ...application(1), ...counter }, server });
    const agent = new AgentStandIn(nginx);
    expect(await nginx.bodies("/a")).toEqual(["1/1/1/1"]);
    await nginx.askEveryWorker("/count");
    nginx.write(application(2));
    expect(await nginx.bodies("/a")).toEqual(["1/1/1/1"]);
    const state = await agent.commit(closure);
    expect(state).toMatchObject({ version: 1, agent: "agent-1", generation: 1, sequence: 1 });
    expect(await nginx.bodies("/a")).toEqual(["2/2/2/2"]);
    expect(await nginx.bodies("/count")).not.toContain("1");
  });

  itWithDebian("leaves nothing old in 200 in a row under load", nginxParts, async () => {
    nginx = await startWithLibrary({ files: application(0), server, every: 0.01 });
    const agent = new AgentStandIn(nginx);
    await nginx.askEveryWorker("/a");
    const load = new StaleLoad(`${nginx.url}/a`);
    for (let version = 1; version <= 200; version++) {
      nginx.write(application(version));
      await agent.commit(closure);
      load.raise(version);
    }
    await until(() => load.answers > 2_000);
    // A worker that loads while the next files arrive one by one has a mixture, until their generation arrives.
    expect(await load.end()).toMatchObject({ stale: 0, failed: 0, workers: 4 });
    expect(await nginx.bodies("/a")).toEqual(["200/200/200/200"]);
  });

  itWithDebian(
    "mixes no versions when the files are in place before it is delivered",
    nginxParts,
    async () => {
      nginx = await startWithLibrary({ files: application(0), server, every: 0.01 });
      const agent = new AgentStandIn(nginx);
      await nginx.askEveryWorker("/a");
      const load = new StaleLoad(`${nginx.url}/a`);
      for (let version = 1; version <= 50; version++) {
        nginx.write(application(version));
        await agent.commit(closure);
        load.raise(version);
        // Every module has been loaded anew before the next files are written.
        await nginx.askEveryWorker("/a");
      }
      await until(() => load.answers > 1_000);
      expect(await load.end()).toMatchObject({ stale: 0, mixed: 0, failed: 0 });
    },
  );

  itWithDebian(
    "control: clearing the changed name by hand leaves old code, and a mixture",
    nginxParts,
    async () => {
      nginx = await startWithLibrary({ files: application(0), server });
      await nginx.askEveryWorker("/a");
      const load = new StaleLoad(`${nginx.url}/a`);
      nginx.write(application(1));
      await nginx.askEveryWorker("/by-hand?name=c");
      load.raise(1);
      const before = load.answers;
      await until(() => load.answers > before + 200);
      const tally = await load.end();
      expect(tally.stale).toBeGreaterThan(100);
      expect(tally.mixed).toBeGreaterThan(100);
    },
  );

  itWithDebian("is applied by sync() before the timer's turn", nginxParts, async () => {
    nginx = await startWithLibrary({ files: application(1), server, every: 60, sync: true });
    const agent = new AgentStandIn(nginx);
    await nginx.askEveryWorker("/a");
    nginx.write(application(2));
    const entries = [{ generation: 1, evict: closure }];
    await agent.post({ agent: "agent-1", since: 0, entries });
    expect(await nginx.bodies("/a")).toEqual(["2/2/2/2"]);
    expect((await agent.state()).workers.map((worker) => worker.sequence)).toEqual([1, 1, 1, 1]);
  });

  itWithDebian(
    "without sync() waits for the timer: that is what the test before shows",
    nginxParts,
    async () => {
      nginx = await startWithLibrary({ files: application(1), server, every: 60 });
      const agent = new AgentStandIn(nginx);
      await nginx.askEveryWorker("/a");
      nginx.write(application(2));
      await agent.post({ agent: "agent-1", since: 0, entries: [{ generation: 1, evict: closure }] });
      expect(await nginx.bodies("/a")).toEqual(["1/1/1/1", "2/2/2/2"]);
    },
  );

  itWithDebian("takes along what a worker has loaded on top since its last report", nginxParts, async () => {
    nginx = await startWithLibrary({ files: application(1), server, every: 60, sync: true });
    const agent = new AgentStandIn(nginx);
    await nginx.askEveryWorker("/a");
    nginx.write(application(2));
    // No agent can know of lib.b and a: nobody has asked for reports.
    await agent.post({ agent: "agent-1", since: 0, entries: [{ generation: 1, evict: ["c"] }] });
    expect(await nginx.bodies("/a")).toEqual(["2/2/2/2"]);
  });

  itWithDebian("is not applied while a chunk is running", nginxParts, async () => {
    nginx = await startWithLibrary({
      files: {
        "c.lua": "return {}",
        "slow.lua": `local c = require "c"
          local stop = os.clock() + 10
          while ngx.shared.relua:get("seq") == 0 and os.clock() < stop do end
          require("resty.relua").sync()
          return { run = function() ngx.print(tostring(c == package.loaded.c)) end, c = c }`,
      },
      server: `location = /slow { content_by_lua_block { require("slow").run() } }
        location = /same { content_by_lua_block { ngx.print(tostring(require("slow").c == require("c"))) } }`,
    });
    const agent = new AgentStandIn(nginx);
    const slow = ask(`${nginx.url}/slow`);
    // One worker is busy: among so many connections there is one to another.
    const entries = [{ generation: 1, evict: ["slow", "c"] }];
    const deliveries = Array.from({ length: 30 }, () => agent.post({ agent: "agent-1", since: 0, entries }));
    expect((await slow).body).toBe("true");
    await Promise.all(deliveries);
    await agent.untilAcknowledged(1);
    expect(await nginx.bodies("/same")).toEqual(["true"]);
  });

  itWithDebian("obeys an agent that knows who depends, and leaves out whom to keep", nginxParts, async () => {
    nginx = await startWithLibrary({ files: application(1), server });
    const agent = new AgentStandIn(nginx);
    await nginx.askEveryWorker("/a");
    await until(async () => {
      const { reportSequence } = await agent.state("?reports=0");
      const { reports } = await agent.state(`?reports=${reportSequence}`);
      return reports?.length === 0;
    });
    nginx.write(application(2));
    await agent.commit(["c"]);
    expect(await nginx.bodies("/a")).toEqual(["1/1/1/2"]);
    await agent.commit(["a", "lib.b", "c"], { pinned: ["lib.b"] });
    // Listed is listed: `pinned` holds what the worker would add by itself.
    expect(await nginx.bodies("/a")).toEqual(["2/2/2/2"]);
  });
});

describe("workers that come late", () => {
  itWithDebian("are right after a kill, a HUP, and another kill", nginxParts, async () => {
    nginx = await startWithLibrary({ files: application(1), server });
    const agent = new AgentStandIn(nginx);
    await nginx.askEveryWorker("/a");
    for (const [version, disturb] of [
      [2, () => nginx.killWorker(nginx.workers[1] as number)],
      [3, () => nginx.reload()],
      [4, () => nginx.killWorker(nginx.workers[3] as number)],
    ] as const) {
      nginx.write(application(version));
      await Promise.all([disturb(), agent.commit(closure)]);
      await agent.untilAcknowledged((await agent.state()).sequence);
      expect(await nginx.bodies("/a")).toEqual([`${version}/${version}/${version}/${version}`]);
    }
    const { workers, generation } = await agent.state();
    expect(generation).toBe(3);
    expect(workers.map(({ id }) => id)).toEqual([0, 1, 2, 3]);
    expect(workers.map(({ pid }) => pid).sort((a, b) => a - b)).toEqual(nginx.workers);
    expect(workers.flatMap(({ errors }) => errors)).toEqual([]);
  });

  itWithDebian(
    "speak for their number alone once they are there, though the old ones still live",
    nginxParts,
    async () => {
      nginx = await startWithLibrary({ files: application(1), server, every: 0.01 });
      const agent = new AgentStandIn(nginx);
      await nginx.askEveryWorker("/a");
      let isReloading = true;
      const seen = new Map<number, number[]>();
      const looking = (async () => {
        while (isReloading)
          for (const { id, pid } of (await agent.state()).workers) {
            const pids = seen.get(id) ?? [];
            if (pids.at(-1) !== pid) seen.set(id, [...pids, pid]);
          }
      })();
      // Whoever applies an entry says so, and old workers live on beside the new ones for a while.
      const writing = (async () => {
        for (let generation = 1; isReloading; generation++)
          await agent.post({
            agent: "agent-1",
            since: generation - 1,
            entries: [{ generation, evict: ["a"] }],
          });
      })();
      await until(() => seen.size === 4);
      await nginx.reload();
      await nginx.askEveryWorker("/a");
      const { pid } = (await agent.state()).workers[0] ?? {};
      await until(() => seen.get(0)?.at(-1) === pid);
      isReloading = false;
      await Promise.all([looking, writing]);
      expect([...seen.values()].map((pids) => pids.length)).toEqual([2, 2, 2, 2]);
      const { reports } = await agent.state("?reports=0");
      expect(new Set(reports?.map(({ pid }) => pid))).toEqual(new Set(nginx.workers));
    },
  );

  itWithDebian("forget what the master had preloaded before they were forked", nginxParts, async () => {
    nginx = await startWithLibrary({
      files: application(1),
      server,
      init: "require('resty.relua').init() require('a')",
    });
    const agent = new AgentStandIn(nginx);
    expect(await nginx.bodies("/a")).toEqual(["1/1/1/1"]);
    nginx.write(application(2));
    await agent.commit(closure);
    await nginx.killWorker(nginx.workers[0] as number);
    expect(await nginx.bodies("/a")).toEqual(["2/2/2/2"]);
    // A HUP loads everything anew in the master: nothing of the log is for its workers.
    await nginx.reload();
    expect(nginx.log).not.toContain("evicting everything");
    expect(await nginx.bodies("/a")).toEqual(["2/2/2/2"]);
  });

  itWithDebian("forget it also when init() did not see it", nginxParts, async () => {
    nginx = await startWithLibrary({ files: application(1), server, init: "require('a')" });
    const agent = new AgentStandIn(nginx);
    const { reports } = await agent.state("?reports=0");
    expect(reports?.[0]?.loaded).toContainEqual({ name: "c", path: nginx.tree.path("lua/c.lua") });
    nginx.write(application(2));
    await agent.commit(closure);
    expect(await nginx.bodies("/a")).toEqual(["2/2/2/2"]);
    await nginx.killWorker(nginx.workers[2] as number);
    expect(await nginx.bodies("/a")).toEqual(["2/2/2/2"]);
  });

  itWithDebian("evict everything when the log has dropped what they missed", nginxParts, async () => {
    nginx = await startWithLibrary({
      files: {
        ...application(1),
        ...counter,
        "types.lua": "require('ffi').cdef 'typedef struct { int x; } relua_test_t;' return 1",
        "kept.lua": "local hot = require 'relua.hot' hot.pin() return 1",
      },
      server: `${server} location = /more { content_by_lua_block { require("types") ngx.print(require("kept")) } }`,
      options: "entries = 3,",
      every: 60,
    });
    const agent = new AgentStandIn(nginx);
    for (const path of ["/a", "/more", "/count"]) await nginx.askEveryWorker(path);
    nginx.write({
      ...application(2),
      "types.lua": "require('ffi').cdef 'typedef struct { int y; } relua_test_t;' return 2",
    });
    const entries = Array.from({ length: 8 }, (_, i) => ({
      generation: i + 1,
      evict: i === 0 ? closure : [],
    }));
    await agent.post({ agent: "agent-1", since: 0, entries });
    // Nobody has looked at the log but the worker that took it, and that one came too late for the first five as well.
    const { workers } = await agent.state();
    expect(workers.map(({ sequence }) => sequence).sort()).toEqual([0, 0, 0, 8]);
    await nginx.untilLog(/entry 1 is no longer in the log: evicting everything, \d+ modules/);
    const applied = workers.find(({ sequence }) => sequence === 8);
    expect(applied).toMatchObject({ generation: 8, pinned: ["kept"] });
    expect(applied?.recycle).toEqual([expect.stringMatching(/^types changed and declares FFI types$/)]);
    const answers = await nginx.askEveryWorker("/a");
    expect(answers.get(applied?.pid as number)?.body).toBe("2/2/2/2");
    expect((await nginx.askEveryWorker("/more")).get(applied?.pid as number)?.body).toBe("1");
  });
});
