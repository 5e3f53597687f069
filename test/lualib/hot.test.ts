import { afterEach, describe, expect } from "vitest";
import { itWithDebian } from "../debian.ts";
import { ask } from "../support/http.ts";
import { type Nginx, nginxParts, until } from "../support/nginx.ts";
import { AgentStandIn, startWithLibrary } from "./agent-stand-in.ts";

let nginx: Nginx;
afterEach(() => nginx?.end());

const server = `
  location = /run { content_by_lua_block { ngx.print(tostring(require(ngx.var.arg_name).run())) } }
  location = /events { content_by_lua_block { ngx.print(table.concat(events or {}, " ")) } }`;
const run = async (name: string) => (await ask(`${nginx.url}/run?name=${name}`)).body;
const events = async () => (await ask(`${nginx.url}/events`)).body;
/** Global on purpose: it outlives the modules. The table is made before any request, as nginx wants it. */
const initWorker = "events = {}";
const start = (files: Readonly<Record<string, string>>, more = {}) =>
  startWithLibrary({ files, server, initWorker, workers: 1, ...more });

describe("relua.hot inside nginx", () => {
  itWithDebian("is the real one, and hands data over a reload of its module alone", nginxParts, async () => {
    const text = (name: string) => `local hot = require "relua.hot"
      hot.data.loads = (hot.data.loads or 0) + 1
      return { run = function() return "${name}" .. hot.data.loads end, replace = function(t) hot.data = t end }`;
    nginx = await start({ "a.lua": text("a"), "b.lua": text("b") });
    const agent = new AgentStandIn(nginx);
    expect([await run("a"), await run("b")]).toEqual(["a1", "b1"]);
    await agent.commit(["a"]);
    expect([await run("a"), await run("b")]).toEqual(["a2", "b1"]);
    nginx.write({
      "a.lua": `local hot = require "relua.hot" hot.data = { own = 7 } return { run = function() return hot.data.own end }`,
    });
    await agent.commit(["a"]);
    expect(await run("a")).toBe("7");
    nginx.write({ "a.lua": null });
    await agent.commit(["a"]);
    nginx.write({ "a.lua": text("a") });
    expect([await run("a"), await run("b")]).toEqual(["a1", "b1"]);
  });

  itWithDebian(
    "disposes dependents first, before anything is gone, and adopts in the new instance at once",
    nginxParts,
    async () => {
      const hot = (name: string, more = "") => `local hot = require "relua.hot" ${more}
      local function tell(what) return function(data)
        data.n = (data.n or 0) + 1
        table.insert(events, what .. ":${name}:" .. data.n .. ":" .. tostring(package.loaded.base ~= nil))
      end end
      hot.dispose(tell("dispose")) hot.adopt(tell("adopt"))
      return { run = function() return "${name}" end }`;
      nginx = await start({ "base.lua": hot("base"), "top.lua": hot("top", "require 'base'") });
      const agent = new AgentStandIn(nginx);
      await run("top");
      expect(await events()).toBe("");
      await agent.commit(["top", "base"]);
      // Nobody requires them again: what has something to adopt does not wait for that.
      await until(async () => (await events()).includes("adopt:top"));
      expect(await events()).toBe(
        "dispose:top:1:true dispose:base:1:true adopt:base:2:true adopt:top:2:true",
      );
    },
  );

  itWithDebian("goes on when a dispose or an adopt function fails, and says so", nginxParts, async () => {
    nginx = await start({
      "a.lua": `local hot = require "relua.hot"
        hot.dispose(function() error("no dispose") end) hot.dispose(function() table.insert(events, "second") end)
        hot.adopt(function() error("no adopt") end)
        return { run = function() return "runs" end }`,
    });
    const agent = new AgentStandIn(nginx);
    await run("a");
    await agent.commit(["a"]);
    await until(async () => ((await agent.state()).workers[0]?.recycle.length ?? 0) > 0);
    expect(await events()).toBe("second");
    expect((await agent.state()).workers[0]).toMatchObject({
      errors: [
        expect.stringMatching(/^hot\.dispose of a: .*a\.lua:2: no dispose$/),
        expect.stringMatching(/^hot\.adopt of a: .*a\.lua:3: no adopt$/),
      ],
      recycle: ["hot.adopt of a failed: it is loaded and not ready"],
    });
    expect(await run("a")).toBe("runs");
    expect(nginx.log).toMatch(/no adopt[\s\S]*stack traceback/);
  });

  itWithDebian("keeps a pinned module, and reports it", nginxParts, async () => {
    nginx = await start({
      "a.lua": `require("relua.hot").pin() local n = ... return { run = function() return 1 end }`,
      "b.lua": "return { run = function() return 1 end }",
    });
    const agent = new AgentStandIn(nginx);
    await run("a");
    await run("b");
    nginx.write({ "a.lua": "return { run = function() return 2 end }" });
    const state = await agent.commit(["a"], { recycle: ["a", "b", "not-loaded"] });
    expect(await run("a")).toBe("1");
    expect(state.workers[0]).toMatchObject({
      pinned: ["a"],
      recycle: [
        "a is pinned (hot.pin): generation 1 evicts it",
        "a changed and is pinned: generation 1",
        "b changed and is pinned: generation 1",
      ],
    });
    const { reports } = await agent.state("?reports=0");
    expect(reports?.[0]?.pinned).toEqual(["a"]);
  });

  itWithDebian("belongs to modules", nginxParts, async () => {
    nginx = await start(
      {
        "helper.lua": "return function(hot, fn) hot.adopt(fn) end",
        "late.lua": `local hot = require "relua.hot" return { run = function()
        local again = require "relua.hot" return tostring(again == hot) .. tostring(hot.nothing) end }`,
        "wrong.lua": `local hot = require "relua.hot" return { run = function()
        local _, a = pcall(hot.dispose) local _, b = pcall(function() hot.data = 1 end) return a .. "|" .. b end }`,
      },
      {
        server: `${server} location = /inline { content_by_lua_block { local ok, failure = pcall(require, "relua.hot") ngx.print(failure) } }`,
      },
    );
    expect((await ask(`${nginx.url}/inline`)).body).toMatch(/relua\.hot belongs to a module/);
    expect(await run("late")).toBe("truenil");
    expect(await run("wrong")).toMatch(
      /bad argument #1 to 'dispose' \(function expected, got no value\)\|.*wrong\.lua:2: hot\.data must be a table/,
    );
  });

  itWithDebian(
    "is each module's own also for one that kept Lua's require from before",
    nginxParts,
    async () => {
      const text = (name: string) =>
        `local hot = stock "relua.hot" hot.data.name = "${name}" return { run = function() return hot.data.name end }`;
      nginx = await start(
        { "a.lua": text("a"), "b.lua": text("b"), "c.lua": text("c").replace("stock", "require") },
        { init: "stock = require require('resty.relua').init()" },
      );
      expect([await run("a"), await run("b"), await run("c"), await run("a")]).toEqual(["a", "b", "c", "a"]);
    },
  );
});
