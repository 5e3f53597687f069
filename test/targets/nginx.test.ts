/** The real nginx with four workers as a target: what every worker runs after a generation was applied. */

import { afterEach, describe, expect } from "vitest";
import type { HostTarget } from "../../src/reload/target.ts";
import { createTargets } from "../../src/targets/targets.ts";
import { itWithDebian } from "../debian.ts";
import { ask } from "../support/http.ts";
import { Nginx, nginxParts, until, workerOf } from "../support/nginx.ts";
import { AgentSide } from "./agent-side.ts";

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** `/x` answers what module `x` returns; the rest is the guide's configuration. */
async function startNginx(files: Readonly<Record<string, string>>, { sync = true } = {}): Promise<Nginx> {
  const nginx = await Nginx.start({
    files,
    http: `
      lua_shared_dict relua 4m;
      init_by_lua_block { require("resty.relua").init() }
      init_worker_by_lua_block { require("resty.relua").init_worker({ token = "secret" }) }`,
    server: `
      client_body_buffer_size 1m;
      location = /relua { content_by_lua_block { require("resty.relua").content() } }
      location / {
        ${sync ? 'rewrite_by_lua_block { require("resty.relua").sync() }' : ""}
        content_by_lua_block { ngx.print(tostring(require(ngx.var.uri:sub(2)))) }
      }`,
  });
  endings.push(() => nginx.end());
  return nginx;
}

interface Beside {
  readonly side: AgentSide;
  readonly target: HostTarget;
  /** Writes to the disk and commits; resolves when all workers have applied it. */
  readonly deploy: (files: Readonly<Record<string, string | null>>) => Promise<void>;
}

/** An agent that sees what is on the disk as its generation 1. */
function agentBeside(nginx: Nginx, files: Readonly<Record<string, string>>, agent = "agent-1"): Beside {
  const prefix = nginx.tree.path("lua");
  const absolute = <T>(some: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(some).map(([name, text]) => [`${prefix}/${name}`, text]));
  const side = new AgentSide(absolute(files), { agent, prefix, pinned: ["pinned"] });
  const [target] = createTargets(
    [{ type: "nginx", name: "nginx", url: `${nginx.url}/relua`, token: "secret", timeoutMs: 5_000 }],
    side.context,
  );
  if (!target) throw new Error("no target");
  endings.push(() => target.close());
  target.start();
  const deploy = async (some: Readonly<Record<string, string | null>>) => {
    nginx.write(some);
    side.commit(absolute(some), [target]);
    const report = await target.applied(side.generation, 10_000);
    expect(report).toMatchObject({ missing: [] });
    expect(report.applied).toHaveLength(4);
  };
  return { side, target, deploy };
}

const tree = {
  "a.lua": 'return "a over " .. require("lib.b")',
  "lib/b.lua": 'return "b over " .. require("c")',
  "c.lua": 'return "c1"',
  "state.lua": "return { tostring(ngx.worker.pid()) .. math.random() }",
};

describe("nginx", () => {
  itWithDebian(
    "runs a generation in every worker once it has been applied, dependents and all",
    nginxParts,
    async () => {
      const nginx = await startNginx(tree);
      await nginx.askEveryWorker("/a");
      const states = await nginx.askEveryWorker("/state");
      const { target, deploy, side } = agentBeside(nginx, tree);
      await deploy({ "c.lua": 'return "c2"' });
      expect(await nginx.bodies("/a")).toEqual(["a over b over c2"]);
      for (const [pid, answer] of await nginx.askEveryWorker("/state"))
        expect(answer.body, "state outside of the closure").toBe(states.get(pid)?.body);
      const status = target.status();
      expect(status).toMatchObject({ type: "nginx", state: "current", generation: 2, acknowledges: true });
      expect(status.workers.map(({ worker, generation, errors }) => [worker, generation, errors])).toEqual(
        ["0", "1", "2", "3"].map((worker) => [worker, 2, []]),
      );
      expect(new Set(status.workers.map(({ pid }) => pid))).toEqual(new Set(nginx.workers));
      expect(side.logged).toEqual([]);
    },
  );

  itWithDebian(
    "tells the graph what its workers have loaded, and who requires whom",
    nginxParts,
    async () => {
      const nginx = await startNginx(tree);
      await nginx.askEveryWorker("/a");
      const { side, target } = agentBeside(nginx, tree);
      await target.applied(1, 10_000);
      expect(side.graph.module("lib.b")).toMatchObject({
        path: nginx.tree.path("lua/lib/b.lua"),
        hash: side.context.active(nginx.tree.path("lua/lib/b.lua"))?.hash,
      });
      expect(side.graph.module("c")?.vms).toEqual(new Set([1, 2, 3, 4]));
      expect(side.context.closure(["c"]).map(({ name, because }) => [name, because])).toEqual([
        ["a", ["c", "lib.b", "a"]],
        ["lib.b", ["c", "lib.b"]],
        ["c", ["c"]],
      ]);
    },
  );

  for (const sync of [true, false])
    itWithDebian(
      `gives no old code to a request that starts after a generation was applied, under load, ${sync ? "with" : "without"} sync()`,
      nginxParts,
      async () => {
        const nginx = await startNginx(tree, { sync });
        const { deploy, side } = agentBeside(nginx, tree);
        let applied = 1;
        let asking = true;
        let asked = 0;
        const old: string[] = [];
        const client = async () => {
          while (asking) {
            const atLeast = applied;
            const { body } = await ask(`${nginx.url}/a`);
            asked++;
            if (Number(/\d+$/.exec(body)?.[0]) < atLeast) old.push(`${body} after generation ${atLeast}`);
          }
        };
        const clients = Array.from({ length: 8 }, client);
        while (side.generation < 30) {
          await deploy({ "c.lua": `return "c${side.generation + 1}"` });
          applied = side.generation;
        }
        asking = false;
        await Promise.all(clients);
        expect(old).toEqual([]);
        expect(asked).toBeGreaterThan(100);
      },
    );

  itWithDebian("goes on through 200 generations in a row, without anybody waiting", nginxParts, async () => {
    const nginx = await startNginx(tree);
    await nginx.askEveryWorker("/a");
    const { side, target, deploy } = agentBeside(nginx, tree);
    const path = nginx.tree.path("lua/c.lua");
    for (let generation = 2; generation < 200; generation++) {
      nginx.write({ "c.lua": `return "c${generation}"` });
      side.commit({ [path]: `return "c${generation}"` }, [target]);
    }
    await deploy({ "c.lua": 'return "the last"' });
    expect(side.generation).toBe(200);
    expect(await nginx.bodies("/a")).toEqual(["a over b over the last"]);
  });

  itWithDebian(
    "is brought up to date by an agent that comes late, or again, without any memory",
    nginxParts,
    async () => {
      const nginx = await startNginx(tree);
      await nginx.askEveryWorker("/a");
      const states = await nginx.askEveryWorker("/state");
      nginx.write({ "c.lua": 'return "c2"' });
      // Started after the change: its generation 1 is c2.
      const first = agentBeside(nginx, { ...tree, "c.lua": 'return "c2"' });
      expect((await first.target.applied(1, 10_000)).missing).toEqual([]);
      expect(await nginx.bodies("/a")).toEqual(["a over b over c2"]);
      await first.deploy({ "c.lua": 'return "c3"' });
      await nginx.askEveryWorker("/a");
      await first.target.close();
      nginx.write({ "c.lua": 'return "c4"', "lib/b.lua": 'return "B over " .. require("c")' });
      const files = { ...tree, "c.lua": 'return "c4"', "lib/b.lua": 'return "B over " .. require("c")' };
      const second = agentBeside(nginx, files, "agent-2");
      expect((await second.target.applied(1, 10_000)).missing).toEqual([]);
      expect(await nginx.bodies("/a")).toEqual(["a over B over c4"]);
      await second.deploy({ "c.lua": 'return "c5"' });
      expect(await nginx.bodies("/a")).toEqual(["a over B over c5"]);
      for (const [pid, answer] of await nginx.askEveryWorker("/state"))
        expect(answer.body).toBe(states.get(pid)?.body);
    },
  );

  itWithDebian("evicts what was asked for though no content changed", nginxParts, async () => {
    const nginx = await startNginx(tree);
    const before = await nginx.askEveryWorker("/state");
    const { side, target } = agentBeside(nginx, tree);
    await target.applied(1, 10_000);
    side.commit({}, [target], ["state"]);
    expect((await target.applied(2, 10_000)).missing).toEqual([]);
    for (const [pid, answer] of await nginx.askEveryWorker("/state"))
      expect(answer.body).not.toBe(before.get(pid)?.body);
  });

  itWithDebian("has right workers after one was killed, and after a HUP", nginxParts, async () => {
    const nginx = await startNginx(tree);
    await nginx.askEveryWorker("/a");
    const { target, deploy } = agentBeside(nginx, tree);
    await deploy({ "c.lua": 'return "c2"' });
    await nginx.killWorker(nginx.workers[1] as number);
    await nginx.askEveryWorker("/a");
    await deploy({ "c.lua": 'return "c3"' });
    expect(await nginx.bodies("/a")).toEqual(["a over b over c3"]);
    await nginx.reload();
    await nginx.askEveryWorker("/a");
    await deploy({ "c.lua": 'return "c4"' });
    expect(await nginx.bodies("/a")).toEqual(["a over b over c4"]);
    expect(
      target
        .status()
        .workers.map(({ pid }) => pid)
        .sort(),
    ).toEqual([...nginx.workers].sort());
    expect(target.status().workers.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  });

  itWithDebian(
    "says which workers run what was not committed, and evicts nothing for it",
    nginxParts,
    async () => {
      const nginx = await startNginx(tree);
      const { side, target } = agentBeside(nginx, tree);
      await target.applied(1, 10_000);
      // Rejected: it stays on the disk, where a worker that has not loaded it yet finds it.
      nginx.write({ "c.lua": 'return "not committed"' });
      side.onDisk({ [nginx.tree.path("lua/c.lua")]: 'return "not committed"' });
      const { headers } = await ask(`${nginx.url}/a`);
      const pid = Number(headers["x-worker"]);
      const errors = () => target.status().workers.find((worker) => worker.pid === pid)?.errors ?? [];
      await until(() => errors().length > 0);
      expect(errors()).toEqual([
        `c runs ${nginx.tree.path("lua/c.lua")} as it is on the disk, which is not committed`,
      ]);
      expect(target.status()).toMatchObject({ state: "current", generation: 1 });
      side.commit({}, [target]);
      expect((await target.applied(2, 10_000)).missing).toEqual([]);
      await until(() => errors().length === 0);
    },
  );

  itWithDebian(
    "is repaired when a worker runs what is neither active nor on the disk",
    nginxParts,
    async () => {
      const nginx = await startNginx(tree);
      const { side, target } = agentBeside(nginx, tree);
      await target.applied(1, 10_000);
      // A worker reads the file in the moment in which somebody has it differently.
      nginx.write({ "c.lua": 'return "between two looks"' });
      const answer = await ask(`${nginx.url}/a`);
      expect(answer.body).toBe("a over b over between two looks");
      nginx.write({ "c.lua": 'return "c1"' });
      await until(async () => {
        const bodies = await nginx.bodies("/a");
        return bodies.join() === "a over b over c1";
      });
      await until(() => target.status().state === "current");
      expect(side.logged).toEqual(["notice: target nginx: workers ran another content of c: evicted 3"]);
      expect(workerOf(answer)).toBeGreaterThan(0);
    },
  );

  itWithDebian(
    "keeps what is pinned, and names the workers that hold the old content",
    nginxParts,
    async () => {
      const files = { ...tree, "pinned.lua": 'return "pinned 1"' };
      const nginx = await startNginx(files);
      await nginx.askEveryWorker("/pinned");
      const { side, target } = agentBeside(nginx, files);
      await target.applied(1, 10_000);
      nginx.write({ "pinned.lua": 'return "pinned 2"' });
      const { recycleRequired } = side.commit({ [nginx.tree.path("lua/pinned.lua")]: 'return "pinned 2"' }, [
        target,
      ]);
      expect(recycleRequired).toEqual(["pinned"]);
      expect((await target.applied(2, 10_000)).missing).toEqual([]);
      expect(await nginx.bodies("/pinned")).toEqual(["pinned 1"]);
      await until(() =>
        target.status().workers.every(({ errors }) => errors.some((error) => error.includes("pinned"))),
      );
      await nginx.reload();
      expect(await nginx.bodies("/pinned")).toEqual(["pinned 2"]);
      await until(() => target.status().workers.every(({ errors }) => errors.length === 0));
    },
  );

  itWithDebian("that refuses the token is down, and says why", nginxParts, async () => {
    const nginx = await startNginx(tree);
    const side = new AgentSide({});
    const [target] = createTargets(
      [{ type: "nginx", url: `${nginx.url}/relua`, token: "wrong", timeoutMs: 5_000 }],
      side.context,
    );
    if (!target) throw new Error("no target");
    endings.push(() => target.close());
    target.start();
    await until(() => target.status().state === "down");
    expect(target.status().error).toContain("401");
    expect(target.status().error).toContain("token");
  });
});
