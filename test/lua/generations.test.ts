import { describe, expect, it } from "vitest";
import { testVm } from "./vm-harness.ts";

const suspend = "coroutine.yield()";

describe("the move to the next generation", () => {
  it("evicts the closure and nothing else: a module outside keeps its table and its state", () => {
    const vm = testVm({
      "a.lua": "return { c = require 'c' }",
      "c.lua": "return 'c1'",
      "stats.lua": "return { n = 0 }",
    });
    vm.run("require('stats').n = 5; return require('a').c");
    expect(vm.move({ "c.lua": "return 'c2'" }, ["a", "c"])).toEqual(["a", "c"]);
    expect(vm.run("return require('a').c, require('stats').n")).toEqual(["c2", 5]);
  });

  it("evicts what was loaded on top of a root after the plan was made", () => {
    const vm = testVm({ "late.lua": "return { c = require 'c' }", "c.lua": "return 1" });
    vm.run("require 'late'");
    expect(vm.move({ "c.lua": "return 2" }, ["c"], ["c"])).toEqual(["late", "c"]);
    expect(vm.run("return require('late').c")).toBe(2);
  });

  it("evicts what a change concerns here though the plan did not know of it", () => {
    const vm = testVm({
      "late.lua": "return { c = require 'c' }",
      "c.lua": "return 1",
      "x/init.lua": "return 'dir'",
    });
    vm.run("require 'late' require 'x'");
    expect(vm.move({ "c.lua": "return 2", "x.lua": "return 'file'" }, [])).toEqual(["late", "c", "x"]);
    expect(vm.run("return require('late').c, require('x')")).toEqual([2, "file"]);
  });

  it("keeps pinned modules", () => {
    const vm = testVm({ "p.lua": "return { c = require 'c' }", "c.lua": "return 1" }, { pinned: ["p"] });
    vm.run("require 'p'");
    expect(vm.move({ "c.lua": "return 2" }, ["c"], ["c"])).toEqual(["c"]);
    expect(vm.run("return require('p').c, require('c')")).toEqual([1, 2]);
  });

  it("clears the global of a module() module", () => {
    const vm = testVm({ "old.style.lua": "", "m.lua": "module('m', package.seeall); v = 1" });
    expect(vm.run("require 'm'; return m.v")).toBe(1);
    vm.move({ "m.lua": "module('m', package.seeall); w = 2" }, ["m"]);
    expect(vm.run("return m == nil")).toBe(true);
    expect(vm.run("require 'm'; return m.v, m.w")).toEqual([null, 2]);
  });
});

describe("a request that began before the move", () => {
  const files = {
    "a.lua": "return { c = require 'c' }",
    "c.lua": "return 'old'",
    "lazy.lua": "return 'old lazy'",
    "same.lua": "return {}",
  };

  it("goes on with the modules it had, also after it yielded, while new ones get the new", async () => {
    const vm = testVm(files);
    vm.run("require 'a'");
    const request = vm.begin(`${suspend}; return require('a').c, package.loaded.c`);
    vm.move({ "c.lua": "return 'new'" }, ["a", "c"]);
    expect(vm.run("return require('a').c")).toBe("new");
    expect(await request).toEqual(["old", "old"]);
    expect(vm.run("return require('a').c, package.loaded.c")).toEqual(["new", "new"]);
  });

  it("loads a changed module lazily from its own generation, and keeps it to itself", async () => {
    const vm = testVm(files);
    const request = vm.begin(`${suspend}; return require 'lazy'`);
    vm.move({ "lazy.lua": "return 'new lazy'" }, ["lazy"]);
    expect(await request).toBe("old lazy");
    expect(vm.run("return package.loaded.lazy == nil, require 'lazy'")).toEqual([true, "new lazy"]);
  });

  it("shares what it loads lazily with the newer generation when that would load the same", async () => {
    const vm = testVm(files);
    const request = vm.begin(`${suspend}; KEEP = require 'same'; return true`);
    vm.move({ "c.lua": "return 'new'" }, ["c"]);
    expect(await request).toBe(true);
    expect(vm.run("return package.loaded.same ~= nil and package.loaded.same == KEEP")).toBe(true);
  });

  it("does not share an unchanged module that was built on an evicted one", async () => {
    const vm = testVm(files);
    vm.run("require 'c'");
    const request = vm.begin(`${suspend}; return require('a').c`);
    vm.move({ "c.lua": "return 'new'" }, ["c"], ["c"]);
    expect(await request).toBe("old");
    expect(vm.run("return require('a').c")).toBe("new");
  });

  it("sees a library's old reference to package.loaded in its own generation", async () => {
    const vm = testVm({
      ...files,
      "keeper.lua": "local loaded = package.loaded; return function() return loaded.c end",
    });
    vm.run("require 'keeper'; require 'c'");
    const request = vm.begin(`${suspend}; return require('keeper')()`);
    vm.move({ "c.lua": "return 'new'" }, ["c"]);
    expect(vm.run("require 'c'; return require('keeper')()")).toBe("new");
    expect(await request).toBe("old");
  });

  it("iterates over its own package.loaded and writes into it", async () => {
    const vm = testVm(files);
    vm.run("require 'c'");
    const request = vm.begin(`${suspend}
      local seen = false
      for name in pairs(package.loaded) do seen = seen or name == 'c' end
      package.loaded.mine = 'written by the old'
      return seen`);
    vm.move({ "c.lua": "return 'new'" }, ["c"]);
    expect(await request).toBe(true);
    expect(vm.run("return package.loaded.mine == nil")).toBe(true);
  });

  it("keeps the global of its module() module", async () => {
    const vm = testVm({ "m.lua": "module('m', package.seeall); v = 'old'" });
    vm.run("require 'm'");
    const request = vm.begin(`${suspend}; local first = m.v; ${suspend}; return first, m.v`);
    vm.move({ "m.lua": "module('m', package.seeall); v = 'new'" }, ["m"]);
    expect(vm.run("require 'm'; return m.v")).toBe("new");
    expect(await request).toEqual(["old", "old"]);
    expect(vm.run("return m.v")).toBe("new");
  });

  it("frees its generation when it ends", async () => {
    const vm = testVm(files);
    const requests = [];
    for (let i = 0; i < 3; i++) {
      requests.push(vm.begin(`${suspend}; return require 'c'`));
      vm.move({ "c.lua": `return ${i}` }, ["c"]);
    }
    expect(vm.vm.generations.size).toBe(4);
    expect(await Promise.all(requests)).toEqual(["old", 0, 1]);
    expect(vm.vm.generations.size).toBe(1);
  });
});
