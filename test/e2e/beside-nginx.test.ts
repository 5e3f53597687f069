/** `relua watch` beside the real nginx, with four workers, as people deploy by it: the commands, and what workers answer. */

import { writeFileSync } from "node:fs";
import { afterEach, describe, expect } from "vitest";
import { Relua, relua } from "../cli/relua.ts";
import { itWithDebian } from "../debian.ts";
import { Nginx, nginxParts } from "../support/nginx.ts";

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

const tree = {
  "a.lua": 'return "a over " .. require("lib.b")',
  "lib/b.lua": 'return "b over " .. require("c")',
  "c.lua": 'return "c1"',
  "late.lua": 'local M = {} function M.answer() return require("lib.b") end return M',
  "state.lua": "return ngx.worker.pid() .. ' ' .. math.random()",
};

class Beside {
  readonly nginx: Nginx;
  readonly folder: string;
  agent: Relua | undefined;
  #url = "";

  constructor(nginx: Nginx) {
    this.nginx = nginx;
    this.folder = nginx.tree.root;
  }

  static async start(watch: unknown = false): Promise<Beside> {
    const nginx = await Nginx.start({
      files: tree,
      http: `
        lua_shared_dict relua 4m;
        init_by_lua_block { require("resty.relua").init() }
        init_worker_by_lua_block { require("resty.relua").init_worker({ token = "secret" }) }`,
      server: `
        client_body_buffer_size 1m;
        location = /relua { content_by_lua_block { require("resty.relua").content() } }
        location = /late {
          rewrite_by_lua_block { require("resty.relua").sync() }
          content_by_lua_block { ngx.print(require("late").answer()) }
        }
        location / {
          rewrite_by_lua_block { require("resty.relua").sync() }
          content_by_lua_block { ngx.print(tostring(require(ngx.var.uri:sub(2)))) }
        }`,
    });
    endings.push(() => nginx.end());
    const beside = new Beside(nginx);
    const config = {
      luaPackagePath: "$prefix/lua/?.lua;$prefix/lua/?/init.lua",
      control: { listen: "127.0.0.1:0" },
      watch,
      targets: [{ type: "nginx", name: "edge", url: `${nginx.url}/relua`, token: "secret" }],
    };
    writeFileSync(nginx.tree.path("watch.config.ts"), `export default ${JSON.stringify(config)};`);
    await beside.watch();
    return beside;
  }

  /** Starts an agent; resolves with its ready line. */
  async watch(): Promise<string> {
    const agent = new Relua(["watch"], { cwd: this.folder });
    this.agent = agent;
    endings.push(() => this.end());
    const [line, url] = await agent.untilOut(/^relua \S+ ready in .*?: control (http:[^\s,]+),.*$/m);
    this.#url = url!;
    return line;
  }

  async end(): Promise<void> {
    this.agent?.signal("SIGTERM");
    await this.agent?.exit;
  }

  /** Runs a client command. */
  run(...args: readonly string[]): ReturnType<typeof relua> {
    return relua([...args, "--url", this.#url], { cwd: this.folder });
  }
}

describe("relua watch beside nginx", () => {
  itWithDebian(
    "reload --wait returns when every worker runs the new code, and leaves state outside of the closure",
    nginxParts,
    async () => {
      const beside = await Beside.start();
      const { nginx } = beside;
      await nginx.askEveryWorker("/a");
      await nginx.askEveryWorker("/late");
      const states = await nginx.askEveryWorker("/state");
      nginx.write({ "c.lua": 'return "c2"' });
      expect(await nginx.bodies("/a")).toEqual(["a over b over c1"]);
      const { code, out } = await beside.run("reload", "--wait");
      expect(code).toBe(0);
      expect(out).toMatch(/generation 2.*lua\/c\.lua changed → .* edge \(4 workers\) in /);
      expect(await nginx.bodies("/a")).toEqual(["a over b over c2"]);
      expect(await nginx.bodies("/late")).toEqual(["b over c2"]);
      for (const [pid, { body }] of await nginx.askEveryWorker("/state"))
        expect(body).toBe(states.get(pid)?.body);
    },
  );

  itWithDebian("a file that does not parse changes nothing, and says where", nginxParts, async () => {
    const beside = await Beside.start();
    const { nginx } = beside;
    await nginx.askEveryWorker("/a");
    nginx.write({ "c.lua": 'return "c2"', "lib/b.lua": "return return" });
    const { code, err } = await beside.run("reload", "--wait");
    expect(code).toBe(1);
    expect(err).toMatch(/rejected.*still running generation 1\n\s+lua\/lib\/b\.lua:1: /);
    expect(await nginx.bodies("/a")).toEqual(["a over b over c1"]);
    nginx.write({ "lib/b.lua": 'return "B over " .. require("c")' });
    expect((await beside.run("reload", "--wait")).code).toBe(0);
    expect(await nginx.bodies("/a")).toEqual(["a over B over c2"]);
  });

  itWithDebian(
    "workers that are killed, sent home by a HUP, or older than the agent are right",
    nginxParts,
    async () => {
      const beside = await Beside.start();
      const { nginx } = beside;
      const deploy = async (version: number) => {
        nginx.write({ "c.lua": `return "c${version}"` });
        expect(await beside.run("reload", "--wait")).toMatchObject({ code: 0 });
        expect(await nginx.bodies("/a")).toEqual([`a over b over c${version}`]);
      };
      await nginx.askEveryWorker("/a");
      await deploy(2);
      await nginx.killWorker(nginx.workers[1]!);
      expect(await nginx.bodies("/a")).toEqual(["a over b over c2"]);
      await deploy(3);
      await nginx.reload();
      expect(await nginx.bodies("/a")).toEqual(["a over b over c3"]);
      await deploy(4);
      await beside.end();
      nginx.write({ "c.lua": 'return "c5"' });
      expect(await nginx.bodies("/a")).toEqual(["a over b over c4"]);
      await beside.watch();
      // Nothing differs from what the new agent has read; what its workers run does.
      expect(await beside.run("reload", "--wait")).toMatchObject({ code: 0 });
      expect(await nginx.bodies("/a")).toEqual(["a over b over c5"]);
      await deploy(6);
    },
  );

  itWithDebian(
    "a hold keeps a deploy back, release --wait brings all of it at once",
    nginxParts,
    async () => {
      const beside = await Beside.start({ settleMs: 20 });
      const { nginx } = beside;
      await nginx.askEveryWorker("/a");
      await beside.run("hold", "--reason", "copying");
      nginx.write({ "c.lua": 'return "c2"', "lib/b.lua": 'return "B over " .. require("c")' });
      expect((await beside.run("reload", "--wait")).code).toBe(1);
      expect(await nginx.bodies("/a")).toEqual(["a over b over c1"]);
      expect(await beside.run("release", "--wait")).toMatchObject({ code: 0 });
      expect(await nginx.bodies("/a")).toEqual(["a over B over c2"]);
    },
  );

  itWithDebian("a save reaches every worker by itself", nginxParts, async () => {
    const beside = await Beside.start({ settleMs: 20 });
    const { nginx } = beside;
    await nginx.askEveryWorker("/a");
    nginx.write({ "c.lua": 'return "c2"' });
    await beside.agent!.untilOut(/generation 2.*edge/);
    expect(await beside.run("reload", "--wait")).toMatchObject({ code: 0 });
    expect(await nginx.bodies("/a")).toEqual(["a over b over c2"]);
  });

  itWithDebian(
    "names the workers that have not applied it: all, where nginx is gone",
    nginxParts,
    async () => {
      const beside = await Beside.start();
      const { nginx } = beside;
      await nginx.askEveryWorker("/a");
      await beside.run("reload", "--wait");
      for (const pid of nginx.workers) process.kill(pid, "SIGSTOP");
      nginx.write({ "c.lua": 'return "c2"' });
      const { code, err } = await beside.run("reload", "--wait", "--wait-limit", "1");
      for (const pid of nginx.workers) process.kill(pid, "SIGCONT");
      expect(code).toBe(1);
      expect(err).toMatch(/edge .* has not applied it yet/);
      expect(await beside.run("reload", "--wait")).toMatchObject({ code: 0 });
      expect(await nginx.bodies("/a")).toEqual(["a over b over c2"]);
    },
  );
});
