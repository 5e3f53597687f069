/** Handlers of locations through a real agent: inline and by file, their environment, the code cache, errors. */

import { describe, expect, it } from "vitest";
import type { Agent } from "../../src/agent.ts";
import type { ConfigInput } from "../../src/config/index.ts";
import type { LocationLua } from "../../src/core/servers.ts";
import { startSite } from "../support/agent.ts";
import type { Tree } from "../support/tree.ts";

let tree: Tree;
let agent: Agent;
let logged: readonly string[];

async function serve(
  files: Record<string, string>,
  locations: Record<string, LocationLua>,
  config: ConfigInput = {},
) {
  ({ tree, agent, logged } = await startSite({
    files,
    locations,
    config: { luaPackagePath: "$prefix/apps/?.lua", threads: 1, ...config },
  }));
}

async function get(path: string): Promise<{ status: number; body: string; generation: string | null }> {
  const response = await fetch(`http://${agent.addresses.data[0]}${path}`);
  return {
    status: response.status,
    body: await response.text(),
    generation: response.headers.get("x-relua-generation"),
  };
}
const body = async (path: string) => (await get(path)).body;

describe("handlers", () => {
  it("run from a file, and from its new content after a reload", async () => {
    await serve({ "site/page.lua": "ngx.print('one')" }, { "/page": { content_by_file: "site/page.lua" } });
    expect(await body("/page")).toBe("one");
    tree.write({ "site/page.lua": "ngx.print('two')" });
    expect(await body("/page")).toBe("one");
    expect(await agent.reload()).toMatchObject({ outcome: "committed", generation: 2 });
    expect(await get("/page")).toEqual({ status: 200, body: "two", generation: "2" });
  });

  it("are rejected with the change set when a file of theirs does not compile", async () => {
    await serve({ "site/page.lua": "ngx.print('one')" }, { "/page": { content_by_file: "site/page.lua" } });
    tree.write({ "site/page.lua": "ngx.print(" });
    expect(await agent.reload()).toMatchObject({ outcome: "rejected" });
    expect(await body("/page")).toBe("one");
  });

  it("take their file's name from the request, and never leave the prefix", async () => {
    await serve(
      { "site/a.lua": "ngx.print('a')", "site/b/c.lua": "ngx.print('c')" },
      {
        "~ ^/run/(.*)$": { content_by_file: "site/$1.lua" },
        "= /arg": { content_by_file: "site/$arg_file" },
      },
    );
    expect(await body("/run/a")).toBe("a");
    expect(await body("/run/b/c")).toBe("c");
    expect((await get("/run/none")).status).toBe(404);
    expect((await get("/arg?file=../../../../etc/passwd")).status).toBe(404);
    expect((await get("/arg?file=a.lua")).body).toBe("a");
  });

  it("keep one request's globals from the next, and see those of initBy", async () => {
    await serve(
      {},
      { "/": { content_by: "mine = (mine or 0) + 1; ngx.print(mine, ' ', shared)" } },
      {
        initBy: "shared = 'from init'",
      },
    );
    expect([await body("/"), await body("/")]).toEqual(["1 from init", "1 from init"]);
  });

  it("run in nginx's order over the phases", async () => {
    await serve(
      {},
      {
        "/": {
          rewrite_by: "ngx.ctx.order = { 'rewrite' }",
          access_by: "table.insert(ngx.ctx.order, 'access')",
          content_by: "table.insert(ngx.ctx.order, 'content') ngx.print(table.concat(ngx.ctx.order, ' '))",
          log_by: "ngx.log(ngx.ERR, 'status ', ngx.status)",
        },
      },
    );
    expect(await body("/")).toBe("rewrite access content");
    await expect.poll(() => logged.join("\n")).toContain("status 200");
  });

  it("answer 500 with nothing of the error, which is logged with its traceback", async () => {
    await serve(
      { "apps/m.lua": "return { f = function() error('a secret') end }" },
      { "/": { content_by: "require('m').f()" } },
    );
    const answer = await get("/");
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain("secret");
    await expect.poll(() => logged.join("\n")).toMatch(/a secret[\s\S]*stack traceback[\s\S]*m\.lua:1/);
  });

  it("interleave within one VM while they sleep", async () => {
    await serve(
      {},
      {
        "/slow": { content_by: "while not require('gate').open do ngx.sleep(0.001) end ngx.print('slow')" },
        "/open": { content_by: "require('gate').open = true ngx.print('opened')" },
      },
    );
    tree.write({ "apps/gate.lua": "return {}" });
    await agent.reload();
    const slow = body("/slow");
    expect(await body("/open")).toBe("opened");
    expect(await slow).toBe("slow");
  });
});

describe("luaCodeCache: false", () => {
  it("gives every request a fresh VM, with initBy run, on the active generation", async () => {
    await serve(
      { "apps/state.lua": "return { n = 0 }" },
      { "/": { content_by: "local s = require 'state' s.n = s.n + 1 ngx.print(s.n, started)" } },
      { luaCodeCache: false, initBy: "started = '!'" },
    );
    expect([await body("/"), await body("/")]).toEqual(["1!", "1!"]);
    tree.write({ "apps/state.lua": "return { n = 10 }" });
    await agent.reload();
    expect(await body("/")).toBe("11!");
  });
});
