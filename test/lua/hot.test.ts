import { describe, expect, it } from "vitest";
import { servingVm } from "../support/serving-vm.ts";

/** A module that counts in `hot.data`, tells what happens to it, and requires others. */
const telling = (name: string, version: number, requires: string[] = []) => `
  local hot = require "relua.hot"
  ${requires.map((other) => `require "${other}"`).join("\n  ")}
  hot.data.loads = (hot.data.loads or 0) + 1
  hot.dispose(function(data) note("dispose", "${name}", ${version}, data.loads) end)
  hot.adopt(function(data) note("adopt", "${name}", ${version}, data.loads) end)
  return { v = ${version} }`;

describe("hot.data", () => {
  it("survives the reloads of its module, and is its own", () => {
    const { run, move } = servingVm({ "a.lua": telling("a", 1), "b.lua": telling("b", 1) });
    run("require 'a' require 'b'");
    move({ "a.lua": telling("a", 2) }, ["a"], ["a"]);
    move({ "a.lua": telling("a", 3) }, ["a"], ["a"]);
    const data = "local hot = require 'relua.hot' return { hot = hot, data = hot.data }";
    move({ "a.lua": data, "b.lua": data }, ["a", "b"]);
    expect(run("return require('a').v == nil, require('a').data.loads, require('b').data.loads")).toEqual([
      true,
      3,
      1,
    ]);
    expect(run("return require('a').hot == require('b').hot")).toBe(false);
  });

  it("can be replaced by another table, and by nothing else", () => {
    const { run, move } = servingVm({
      "a.lua": "local hot = require 'relua.hot' hot.data = { n = 7 } hot.other = 1 return hot",
    });
    run("require 'a'");
    move({ "a.lua": "local hot = require 'relua.hot' return { n = hot.data.n, other = hot.other }" }, ["a"]);
    expect(run("return require('a').n, require('a').other == nil")).toEqual([7, true]);
    move({ "a.lua": "require('relua.hot').data = nil" }, ["a"]);
    expect(() => run("require 'a'")).toThrow("/srv/app/a.lua:1: hot.data must be a table");
  });

  it("is gone when the name resolves nowhere any more, and stays when another file takes the name over", () => {
    const { run, move, trace } = servingVm({ "a.lua": telling("a", 1), "b.lua": telling("b", 1) });
    run("require 'a' require 'b'");
    move({ "a.lua": null, "b.lua": null, "b/init.lua": telling("b", 2) }, ["a", "b"], ["b"]);
    move({ "a.lua": telling("a", 3) }, [], ["a"]);
    expect(trace()).toBe("dispose:a:1:1 dispose:b:1:1 adopt:b:2:2");
    move({ "a.lua": telling("a", 4), "b/init.lua": telling("b", 3) }, ["a", "b"]);
    expect(trace().split(" ").slice(3)).toEqual(["dispose:a:3:1", "dispose:b:2:2"]);
  });

  it("is one table for the functions of a module, whenever they ask", () => {
    const { run } = servingVm({
      "a.lua": "local M = {} function M.hot() return require 'relua.hot' end M.first = M.hot() return M",
    });
    expect(run("local a = require 'a' return a.hot() == a.first, a.hot().data == a.first.data")).toEqual([
      true,
      true,
    ]);
  });

  it("belongs to a module: other code has none", () => {
    const { run } = servingVm({});
    expect(() => run("require 'relua.hot'")).toThrow(
      "relua.hot belongs to a module: require it in the module's own file",
    );
  });

  it("is found for a chunk that a module runs while it loads", () => {
    const { run } = servingVm({
      "a.lua":
        "return assert(loadstring(\"return require 'relua.hot'\"))().data == require('relua.hot').data",
    });
    expect(run("return require 'a'")).toBe(true);
  });
});

describe("hot.dispose", () => {
  it("runs in every evicted module, dependents first, before anything is gone", () => {
    const files = (version: number) => ({
      "a.lua": telling("a", version, ["b", "c"]),
      "b.lua": telling("b", version, ["c"]),
      "c.lua": telling("c", version),
    });
    const { run, move, trace } = servingVm({
      ...files(1),
      "watch.lua": `local hot = require 'relua.hot' require 'c'
        hot.dispose(function() for _, name in ipairs { 'a', 'b', 'c', 'watch' } do
          note(name, tostring(package.loaded[name] ~= nil)) end end)`,
      "other.lua": telling("other", 1),
    });
    run("require 'a' require 'watch' require 'other'");
    move(files(2), ["a", "b", "c", "watch"]);
    const told = trace().split(" ");
    expect(told.filter((line) => line.startsWith("dispose"))).toEqual([
      "dispose:a:1:1",
      "dispose:b:1:1",
      "dispose:c:1:1",
    ]);
    expect(told).toEqual(expect.arrayContaining(["a:true", "b:true", "c:true", "watch:true"]));
  });

  it("runs several in the order of their registration, each once", () => {
    const { run, move, trace } = servingVm({
      "a.lua": `local hot = require 'relua.hot'
        for i = 1, 3 do hot.dispose(function() note('d' .. i) end) end`,
    });
    run("require 'a'");
    move({ "a.lua": "return 1" }, ["a"], ["a"]);
    move({ "a.lua": "return 2" }, ["a"], ["a"]);
    expect(trace()).toBe("d1 d2 d3");
  });

  it("does not stop the move when it fails, cannot wait, and is stopped when it does not end", () => {
    const failing = (body: string) => `require('relua.hot').dispose(function() ${body} end)`;
    const { run, move, trace, log } = servingVm(
      {
        "a.lua": failing("error('no way')"),
        "b.lua": failing("ngx.sleep(0.01)"),
        "c.lua": failing("while true do end"),
        "d.lua": failing("coroutine.wrap(function() ngx.sleep(0) end)()"),
        "e.lua": failing("note('reached')"),
      },
      { requestMs: 30 },
    );
    run("for _, name in ipairs { 'a', 'b', 'c', 'd', 'e' } do require(name) end");
    const { hotErrors, evicted, unfit } = move({}, ["a", "b", "c", "d", "e"]);
    expect(hotErrors).toEqual(
      [
        "a: /srv/app/a.lua:1: no way",
        "b: attempt to yield across a C-call boundary",
        "c: did not finish within 30 ms",
        "d: attempt to yield across a C-call boundary",
      ].map((message) => expect.stringContaining(message.slice(3))),
    );
    expect(evicted).toEqual(["a", "b", "c", "d", "e"]);
    expect(unfit).toBeUndefined();
    expect(trace()).toBe("reached");
    expect(log.filter((line) => line.startsWith("error hot.dispose of module"))).toHaveLength(4);
  });

  it("evicts what it loads on top of what goes", () => {
    const { run, move } = servingVm({
      "a.lua": "require('relua.hot').dispose(function() require 'late' end) return 1",
      "late.lua": "return { a = require 'a', c = require 'c' }",
      "c.lua": "return 'old'",
    });
    run("require 'a'");
    const { evicted } = move({ "a.lua": "return 2", "c.lua": "return 'new'" }, ["a"]);
    expect([...evicted].sort()).toEqual(["a", "c", "late"]);
    expect(run("return require('late').a, require('late').c")).toEqual([2, "new"]);
  });

  it("takes functions only, and not endlessly many", () => {
    const { run } = servingVm({ "a.lua": "return require 'relua.hot'" });
    expect(() => run("require('a').dispose({})")).toThrow(
      "bad argument #1 to 'dispose' (function expected, got table)",
    );
    expect(() => run("for i = 1, 300 do require('a').dispose(function() end) end")).toThrow(
      "more than 256 dispose functions in one module",
    );
  });
});

describe("hot.adopt", () => {
  it("runs in the new instance after its chunk, dependencies first, and not at the first load", () => {
    const files = (version: number) => ({
      "a.lua": telling("a", version, ["b"]),
      "b.lua": telling("b", version),
    });
    const { run, move, trace } = servingVm(files(1));
    run("require 'a'");
    expect(trace()).toBe("");
    move(files(2), ["a", "b"], ["b", "a"]);
    expect(trace()).toBe("dispose:a:1:1 dispose:b:1:1 adopt:b:2:2 adopt:a:2:2");
  });

  it("waits for the next require when nothing is loaded warm, and runs once", () => {
    const { run, move, trace } = servingVm({ "a.lua": telling("a", 1) });
    run("require 'a'");
    move({ "a.lua": telling("a", 2) }, ["a"]);
    expect(trace()).toBe("dispose:a:1:1");
    run("require 'a' require 'a'");
    expect(trace()).toBe("dispose:a:1:1 adopt:a:2:2");
  });

  it("waits for a load that goes well", () => {
    const { run, move, trace } = servingVm({ "a.lua": telling("a", 1) });
    run("require 'a'");
    move({ "a.lua": `${telling("a", 2).replace("return", "error 'broken' return")}` }, ["a"]);
    expect(() => run("require 'a'")).toThrow("broken");
    move({ "a.lua": telling("a", 3) }, ["a"], ["a"]);
    expect(trace()).toBe("dispose:a:1:1 adopt:a:3:3");
  });

  it("asks for a new VM when it fails, and does not disturb the load", () => {
    const broken = "require('relua.hot').adopt(function() error('cannot take over') end) return 2";
    const warm = servingVm({ "a.lua": "return 1" });
    warm.run("require 'a'");
    expect(warm.move({ "a.lua": broken }, ["a"], ["a"]).unfit).toContain(
      "hot.adopt of module 'a' failed: /srv/app/a.lua:1: cannot take over",
    );
    expect(warm.run("return require 'a'")).toBe(2);

    const lazy = servingVm({ "a.lua": "return 1" });
    lazy.run("require 'a'");
    expect(lazy.move({ "a.lua": broken }, ["a"]).unfit).toBeUndefined();
    expect(lazy.run("return require 'a'")).toBe(2);
    expect(lazy.posted).toEqual([
      { type: "recycle", message: expect.stringContaining("cannot take over") as string },
    ]);
    lazy.move({ "a.lua": broken }, ["a"], ["a"]);
    expect(lazy.posted).toHaveLength(1);
  });
});

describe("hot.pin", () => {
  const pinned = "require('relua.hot').pin() return { c = require 'c' }";

  it("keeps its module for the life of the VM, and tells the main thread", () => {
    const { vm, run, move } = servingVm({ "p.lua": pinned, "c.lua": "return 1" });
    run("require 'p'");
    expect(vm.observations.take()?.loaded).toEqual([
      expect.objectContaining({ name: "c" }),
      expect.objectContaining({ name: "p", pinned: true, held: true }),
    ]);
    expect(move({ "c.lua": "return 2", "p.lua": "return 'new'" }, ["p", "c"]).evicted).toEqual(["c"]);
    expect(run("return require('p').c, require 'c'")).toEqual([1, 2]);
    expect(vm.observations.graph.module("p")?.pinnedIn.size).toBe(1);
  });

  it("can be said later", () => {
    const { vm, run, move } = servingVm({
      "p.lua": "local M = {} function M.keep() require('relua.hot').pin() end return M",
    });
    run("require 'p'");
    expect(vm.observations.take()?.loaded).toEqual([expect.not.objectContaining({ pinned: true })]);
    run("require('p').keep()");
    expect(vm.observations.take()?.loaded).toEqual([expect.objectContaining({ name: "p", pinned: true })]);
    expect(move({ "p.lua": "return 2" }, ["p"]).evicted).toEqual([]);
  });

  it("does not hold a module that failed to load", () => {
    const { run, move } = servingVm({ "p.lua": "require('relua.hot').pin() error 'broken'" });
    expect(() => run("require 'p'")).toThrow("broken");
    move({ "p.lua": "return 2" }, ["p"]);
    expect(run("return require 'p'")).toBe(2);
  });
});

describe("a request that began before the move", () => {
  it("keeps the instance it has, though that is disposed", async () => {
    const { run, begin, move, trace } = servingVm({ "a.lua": telling("a", 1) });
    run("require 'a'");
    const request = begin("local a = require 'a' coroutine.yield() return a.v, require('a').v");
    move({ "a.lua": telling("a", 2) }, ["a"], ["a"]);
    expect(trace()).toBe("dispose:a:1:1 adopt:a:2:2");
    expect(await request).toEqual([1, 1]);
    expect(trace()).toBe("dispose:a:1:1 adopt:a:2:2");
  });

  it("asks for the handle of its own instance, and disturbs the new one in nothing", async () => {
    const module = (version: number) => `local M = { v = ${version} }
      function M.pin() require('relua.hot').pin() end
      function M.data() return require('relua.hot').data end
      return M`;
    const { run, begin, move } = servingVm({ "a.lua": module(1) });
    run("require 'a'");
    const request = begin(`local a = require 'a' coroutine.yield()
      a.pin() a.data().n = 5 return a.v`);
    move({ "a.lua": module(2) }, ["a"]);
    expect(await request).toBe(1);
    expect(run("return require('a').data().n")).toBe(5);
    expect(move({ "a.lua": module(3) }, ["a"]).evicted).toEqual(["a"]);
  });

  it("is followed by the disposal of what only its generation had loaded", async () => {
    const { run, begin, move, trace } = servingVm({ "lazy.lua": telling("lazy", 1) });
    const request = begin(
      "coroutine.yield() local v = require('lazy').v coroutine.yield() note('last') return v",
    );
    const beside = begin("for i = 1, 6 do coroutine.yield() end note('beside')");
    move({ "lazy.lua": telling("lazy", 2) }, []);
    expect(run("return require('lazy').v")).toBe(2);
    expect(await request).toBe(1);
    await beside;
    expect(trace()).toBe("last beside dispose:lazy:1:2");
    move({ "lazy.lua": telling("lazy", 3) }, ["lazy"]);
    expect(trace()).toBe("last beside dispose:lazy:1:2 dispose:lazy:2:2");
  });

  it("adopts what it loads for the newest generation, too", async () => {
    const { run, begin, move, trace } = servingVm({ "a.lua": telling("a", 1), "b.lua": "return 1" });
    run("require 'a'");
    move({ "a.lua": telling("a", 2) }, ["a"]);
    const request = begin("coroutine.yield() return require('a').v");
    move({ "b.lua": "return 2" }, ["b"]);
    expect(await request).toBe(2);
    expect(trace()).toBe("dispose:a:1:1 adopt:a:2:2");
  });
});

describe("a canary", () => {
  it("runs neither dispose nor adopt functions", () => {
    const { run, move, trace } = servingVm({ "a.lua": telling("a", 1) }, { serving: false });
    run("require 'a'");
    move({ "a.lua": telling("a", 2) }, ["a"], ["a"]);
    expect(trace()).toBe("");
    expect(run("return require('a').v")).toBe(2);
  });
});
