import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect } from "vitest";
import { debianProgram, itWithDebian } from "../debian.ts";
import { ask } from "../support/http.ts";
import { lualib, Nginx, nginxParts, until } from "../support/nginx.ts";
import { AgentStandIn, type Report, type State, startWithLibrary } from "./agent-stand-in.ts";

let nginx: Nginx;
afterEach(() => nginx?.end());

const md5 = (text: string | Uint8Array) => createHash("md5").update(text).digest("hex");
const files = {
  "c.lua": "return 1",
  "lib/b.lua": "local c = require 'c'\nreturn function() local late = require 'late' return late end",
  "a.lua": "local b = require 'lib.b'\nlocal c = require('c')\nreturn { run = function() return b() end }",
  "late.lua": "return 'late'",
};
const server = `
  location = /load { content_by_lua_block { ngx.print(tostring(require(ngx.var.arg_name))) } }
  location = /run { content_by_lua_block { ngx.print(require("a").run()) } }
  location = /try { content_by_lua_block {
    local ok, failure = pcall(function() local x = require(ngx.var.arg_name) end)
    ngx.print(tostring(failure))
  } }`;

const everyReport = async (agent: AgentStandIn) => agent.state("?reports=0");
const loadedIn = (reports: readonly Report[] | undefined) =>
  Object.fromEntries((reports ?? []).flatMap(({ loaded }) => loaded).map((record) => [record.name, record]));
const edgesIn = (state: State) =>
  (state.reports ?? [])
    .flatMap(({ edges }) => edges)
    .map(({ from, to, kind, at }) => `${from} -> ${to} ${kind} ${at.split("/").at(-1)}`)
    .sort();

describe("what workers report", () => {
  itWithDebian("is name, path and md5 of what they run, and each edge once", nginxParts, async () => {
    nginx = await startWithLibrary({ files, server, workers: 1 });
    const agent = new AgentStandIn(nginx);
    await ask(`${nginx.url}/run`);
    await ask(`${nginx.url}/run`);
    const state = await everyReport(agent);
    expect(state.complete).toBe(true);
    expect(state.reports?.[0]).toMatchObject({ worker: 0, pid: nginx.workers[0], whole: true, pinned: [] });
    const expected = Object.entries(files).map(([file, text]) => {
      const name = file.replace(".lua", "").replace("/", ".");
      return [name, { name, path: nginx.tree.path(`lua/${file}`), md5: md5(text) }];
    });
    expect(loadedIn(state.reports)).toEqual(Object.fromEntries(expected));
    expect(edgesIn(state)).toEqual([
      "a -> c load a.lua:2",
      "a -> lib.b load a.lua:1",
      "lib.b -> c load b.lua:1",
      "lib.b -> late call b.lua:2",
    ]);
    expect(state.workers[0]?.modules).toBe(4);
  });

  itWithDebian(
    "is told by every worker when somebody asks for everything, and then only what is new",
    nginxParts,
    async () => {
      nginx = await startWithLibrary({ files, server });
      const agent = new AgentStandIn(nginx);
      await nginx.askEveryWorker("/load?name=c");
      const all = await everyReport(agent);
      expect(new Set(all.reports?.map(({ pid }) => pid))).toEqual(new Set(nginx.workers));
      expect(await agent.state(`?reports=${all.reportSequence}`)).toMatchObject({ reports: [] });
      await nginx.askEveryWorker("/load?name=late");
      await nginx.untilWorkers(() => true);
      let news: State = all;
      while ((news.reports?.length ?? 0) < 4 || news === all)
        news = await agent.state(`?reports=${all.reportSequence}`);
      expect(news.complete).toBeUndefined();
      expect(news.reports?.map(({ loaded }) => loaded.map(({ name }) => name))).toEqual(
        Array(4).fill(["late"]),
      );
      await agent.commit(["late"]);
      let gone: State = news;
      while ((gone.reports?.length ?? 0) < 4 || gone === news)
        gone = await agent.state(`?reports=${news.reportSequence}`);
      expect(gone.reports?.map(({ unloaded }) => unloaded)).toEqual(Array(4).fill(["late"]));
      // Numbers of another life of nginx.
      expect(await agent.state("?reports=100000")).toMatchObject({ complete: true });
    },
  );

  itWithDebian(
    "comes in pieces when a worker has much, and whole after the oldest were dropped",
    nginxParts,
    async () => {
      const many = Object.fromEntries(Array.from({ length: 700 }, (_, i) => [`m/m${i}.lua`, `return ${i}`]));
      nginx = await startWithLibrary({
        files: many,
        server: `location = /all { content_by_lua_block { for i = 0, 699 do require("m.m" .. i) end } }`,
        dict: "256k",
        workers: 1,
      });
      const agent = new AgentStandIn(nginx);
      await ask(`${nginx.url}/all`);
      const { reports } = await everyReport(agent);
      expect(reports?.length).toBe(4);
      expect(Object.keys(loadedIn(reports)).length).toBe(700);
      const changeAll = async () => {
        const { reportSequence: before } = await agent.state();
        await agent.commit(Array.from({ length: 700 }, (_, i) => `m.m${i}`));
        await ask(`${nginx.url}/all`);
        // Until the worker has told: what it did not come to tell before the next eviction it never tells.
        await until(async () => (await agent.state()).reportSequence >= before + 4);
        return agent.state("?reports=1");
      };
      let late = await changeAll();
      while (late.complete !== true) late = await changeAll();
      expect(Object.keys(loadedIn(late.reports)).length).toBe(700);
    },
  );

  itWithDebian(
    "names modules whose chunk failed; any generation lets them be tried again",
    nginxParts,
    async () => {
      nginx = await startWithLibrary({
        files: {
          "bad.lua": "error 'no'",
          "worse.lua": "require 'bad'",
          "good.lua": "pcall(require, 'bad')\nreturn require 'c'",
          "c.lua": "return 1",
        },
        server,
        workers: 1,
      });
      const agent = new AgentStandIn(nginx);
      const failing = (name: string) => ask(`${nginx.url}/try?name=${name}`).then(({ body }) => body);
      expect(await failing("worse")).toMatch(/bad\.lua:1: no$/);
      expect(await failing("worse")).toMatch(/loop or previous error loading module 'worse'/);
      expect((await ask(`${nginx.url}/load?name=good`)).body).toBe("1");
      const state = await everyReport(agent);
      expect(loadedIn(state.reports)).toMatchObject({ bad: { failed: true }, worse: { failed: true } });
      expect(loadedIn(state.reports).good).not.toHaveProperty("failed");
      expect(edgesIn(state)).toEqual([
        "good -> bad load good.lua:1",
        "good -> c load good.lua",
        "worse -> bad load worse.lua:1",
      ]);
      nginx.write({ "bad.lua": "return 'mended'" });
      await agent.commit(["c"]);
      expect(await failing("worse")).toBe("nil");
      expect((await ask(`${nginx.url}/load?name=bad`)).body).toBe("mended");
    },
  );
});

describe("require", () => {
  const odd = {
    "syntax.lua": "local x = = 1",
    "bad.lua": "error('no')",
    "loop1.lua": "require 'loop2'",
    "loop2.lua": "require 'loop1'",
    "false.lua": "n = (n or 0) + 1 return false",
    "none.lua": "",
    "shebang.lua": "#!/usr/bin/lua\nreturn debug.getinfo(1, 'l').currentline",
    "args.lua": "return table.concat({ ... }, ',') .. select('#', ...)",
    "where.lua":
      "return debug.getinfo(1, 'S').source:match('[^/]+$') .. debug.getinfo(1, 'S').short_src:match('[^/]+$')",
    "deep.lua": "return { fail = function() local x = nil; return x.y end }",
  };
  const names = [
    "no.such",
    "syntax",
    "bad",
    "bad",
    "loop1",
    "false",
    "none",
    "shebang",
    "args",
    "where",
    "",
    "a.",
    "string",
    "cjson",
  ];
  const asking = `
    ${server}
    location = /nothing { content_by_lua_block { local ok, failure = pcall(function() local x = require(nil) end) ngx.print(failure) } }
    location = /number { content_by_lua_block { local ok, failure = pcall(function() local x = require(5) end) ngx.print(failure) } }
    location = /boolean { content_by_lua_block { local ok, failure = pcall(function() local x = require(true) end) ngx.print(failure) } }
    location = /path { content_by_lua_block { package.path = nil; local ok, failure = pcall(function() local x = require("fresh") end) ngx.print(failure) } }`;
  const answersOf = async (host: Nginx) => {
    const answers: string[] = [];
    const say = async (path: string) => {
      const { status, body } = await ask(host.url + path);
      answers.push(`${path} ${status} ${body.replaceAll(host.tree.root, "PREFIX")}`);
    };
    for (const name of names) {
      await say(`/try?name=${name}`);
      await say(`/load?name=${name}`);
    }
    for (const path of ["/nothing", "/number", "/boolean", "/path"]) await say(path);
    return answers.map((answer) => answer.replace(/table: 0x[0-9a-f]+/, "table"));
  };

  itWithDebian("gives what plain nginx gives, errors to the letter", nginxParts, async () => {
    const http = `lua_package_path "PREFIX/lua/?.lua;PREFIX/lua/?/init.lua;${lualib}/?.lua;;";`;
    const plain = await Nginx.start({ files: odd, server: asking, workers: 1 });
    let expected: readonly string[];
    try {
      expected = await answersOf(plain);
    } finally {
      await plain.end();
    }
    expect(http).toContain(lualib);
    nginx = await startWithLibrary({ files: odd, server: asking, workers: 1 });
    const lines = (answers: readonly string[]) =>
      // The configuration has other lines; what counts is that it is the place that required.
      answers.map((answer) => answer.replaceAll(/nginx\.conf:\d+/g, "nginx.conf"));
    expect(lines(await answersOf(nginx))).toEqual(lines(expected));
    expect(expected.join("\n")).toContain("no field package.preload['no.such']");
  });

  itWithDebian("shows the frames of a failing chunk to who asks for them", nginxParts, async () => {
    nginx = await startWithLibrary({
      files: {
        "outer.lua": "require 'inner'",
        "inner.lua": "local function deep() local x = error('here') return x end local x = deep()",
      },
      server: `location = /trace { content_by_lua_block {
        local _, trace = xpcall(function() local x = require("outer") end, debug.traceback) ngx.print(trace) } }`,
      workers: 1,
    });
    const { body } = await ask(`${nginx.url}/trace`);
    expect(body).toMatch(/in function 'deep'/);
    expect(body).toMatch(/inner\.lua:1: in/);
    expect(body).toMatch(/outer\.lua:1: in/);
  });

  itWithDebian(
    "loads LuaJIT's bytecode",
    [...nginxParts, debianProgram("luajit", "luajit2")],
    async (_nginx, _module, luajit = "") => {
      nginx = await startWithLibrary({ files: { "code.lua": "return 'source'" }, server, workers: 1 });
      const path = nginx.tree.path("lua/code.lua");
      writeFileSync(nginx.tree.path("plain.lua"), "return 'bytecode'");
      execFileSync(luajit, ["-b", nginx.tree.path("plain.lua"), path]);
      expect((await ask(`${nginx.url}/load?name=code`)).body).toBe("bytecode");
      const { reports } = await everyReport(new AgentStandIn(nginx));
      expect(loadedIn(reports).code?.md5).toBe(md5(readFileSync(path)));
    },
  );

  itWithDebian("never gives away what is built in, whatever an entry names", nginxParts, async () => {
    nginx = await startWithLibrary({
      files: { "old.lua": "module('old.fashioned', package.seeall) function answer() return 1 end" },
      server: `location = /x { content_by_lua_block { local s = require("string") ngx.print(s.rep("x", 3), type(require("ngx")), type(require("resty.core.base"))) } }`,
      workers: 1,
    });
    const names = [
      "string",
      "table",
      "_G",
      "ngx",
      "ffi",
      "jit",
      "package",
      "resty.core",
      "resty.core.base",
      "resty.relua",
      "resty.relua.worker",
      "relua.hot",
      "table.new",
    ];
    await new AgentStandIn(nginx).commit(names);
    expect((await ask(`${nginx.url}/x`)).body).toBe("xxxtabletable");
    expect(await new AgentStandIn(nginx, "other").commit(names)).toMatchObject({ generation: 1 });
  });

  itWithDebian("clears the global that module() made, and no other", nginxParts, async () => {
    nginx = await startWithLibrary({
      files: {
        "old/fashioned.lua": "module('old.fashioned') answer = 1",
        "plain.lua": "plain = { mine = true } return { _NAME = 'plain' }",
      },
      server: `
        location = /load { content_by_lua_block { require("old.fashioned") require("plain") ngx.print(old.fashioned.answer) } }
        location = /look { content_by_lua_block { ngx.print(tostring(old and old.fashioned), " ", tostring(plain and plain.mine)) } }`,
      workers: 1,
    });
    expect((await ask(`${nginx.url}/load`)).body).toBe("1");
    await new AgentStandIn(nginx).commit(["old.fashioned", "plain"]);
    expect((await ask(`${nginx.url}/look`)).body).toBe("nil true");
    nginx.write({ "old/fashioned.lua": "module('old.fashioned') answer = 2" });
    expect((await ask(`${nginx.url}/load`)).body).toBe("2");
  });
});

describe("files of *_by_lua_file", () => {
  const handlers = `
    location = /fixed { content_by_lua_file PREFIX/lua/fixed.lua; }
    location = /chosen { content_by_lua_file PREFIX/lua/$arg_file.lua; }
    location = /access { access_by_lua_file PREFIX/lua/access.lua; content_by_lua_block { ngx.print(ngx.ctx.access) } }`;
  const handlerFiles = (version: number) => ({
    "fixed.lua": `local c = require 'c' ngx.print('fixed ', ${version}, c)`,
    "chosen.lua": `ngx.print('chosen ', ${version})`,
    "access.lua": `ngx.ctx.access = 'access ' .. ${version}`,
    "c.lua": `return ${version}`,
  });
  const paths = ["/fixed", "/chosen?file=chosen", "/access"];
  const answers = async () => Promise.all(paths.map(async (path) => (await nginx.bodies(path)).join("|")));

  itWithDebian("are compiled anew when an entry names their path", nginxParts, async () => {
    nginx = await startWithLibrary({ files: handlerFiles(1), server: handlers });
    expect(await answers()).toEqual(["fixed 11", "chosen 1", "access 1"]);
    nginx.write(handlerFiles(2));
    expect(await answers()).toEqual(["fixed 11", "chosen 1", "access 1"]);
    const agent = new AgentStandIn(nginx);
    await agent.commit(["c"], { files: [{ path: nginx.tree.path("lua/c.lua") }] });
    // A handler's chunk runs from its start for each request: it requires anew, its own code is what nginx keeps.
    expect(await answers()).toEqual(["fixed 12", "chosen 1", "access 1"]);
    await agent.commit([], {
      files: ["fixed", "chosen", "access"].map((name) => ({ path: nginx.tree.path(`lua/${name}.lua`) })),
    });
    expect(await answers()).toEqual(["fixed 22", "chosen 2", "access 2"]);
    for (let version = 3; version < 20; version++) {
      nginx.write(handlerFiles(version));
      await agent.commit(["c"], {
        files: Object.keys(handlerFiles(0)).map((file) => ({ path: nginx.tree.path(`lua/${file}`) })),
      });
      expect(await answers()).toEqual([
        `fixed ${version}${version}`,
        `chosen ${version}`,
        `access ${version}`,
      ]);
    }
    await nginx.killWorker(nginx.workers[0] as number);
    expect(await answers()).toEqual(["fixed 1919", "chosen 19", "access 19"]);
  });

  itWithDebian("keep their code when the new one does not compile", nginxParts, async () => {
    nginx = await startWithLibrary({ files: handlerFiles(1), server: handlers, workers: 1 });
    await answers();
    nginx.write({ "fixed.lua": "local x = = 1" });
    const state = await new AgentStandIn(nginx).commit([], {
      files: [{ path: nginx.tree.path("lua/fixed.lua") }],
    });
    expect((await ask(`${nginx.url}/fixed`)).body).toBe("fixed 11");
    expect(state.workers[0]?.errors).toEqual([
      expect.stringMatching(/^handler .*fixed\.lua keeps its old code: .*:1: /),
    ]);
  });
});
