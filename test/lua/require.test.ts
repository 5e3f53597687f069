import { describe, expect, it } from "vitest";
import { root, testVm } from "./vm-harness.ts";

const edges = (vm: ReturnType<typeof testVm>) =>
  [...vm.vm.observations.graph.edges()].map(
    ({ from, to, kind, at }) => `${from} ${kind} ${to} ${at.replace(`${root}/`, "")}`,
  );

describe("require", () => {
  it("loads a module once and hands out the same table", () => {
    const vm = testVm({ "a.lua": "count = (count or 0) + 1; return { n = count }" });
    expect(vm.run("return require('a').n, require('a').n, count, require('a') == package.loaded.a")).toEqual([
      1,
      1,
      1,
      true,
    ]);
  });

  it("finds names by the dot-to-slash rule, the first template first", () => {
    const vm = testVm({
      "x/y.lua": "return 'file'",
      "x/y/init.lua": "return 'init'",
      "z/init.lua": "return 'z'",
    });
    expect(vm.run("return require 'x.y', require 'z', require 'x/y'")).toEqual(["file", "z", "file"]);
  });

  it("calls the chunk with the name alone, as 5.1 does", () => {
    expect(testVm({ "a.lua": "return { ... }" }).run("return require 'a'")).toEqual(["a"]);
  });

  it("takes true for a module that returns nothing, and what the module put into package.loaded itself", () => {
    const vm = testVm({ "a.lua": "", "b.lua": "package.loaded[...] = 'self-made'" });
    expect(vm.run("return require 'a', require 'b'")).toEqual([true, "self-made"]);
  });

  it("says where it looked when a module is nowhere", () => {
    expect(() => testVm({}).run("require 'no.where'")).toThrow(
      `module 'no.where' not found:\n\tno field package.preload['no.where']\n\tno file '${root}/no/where.lua'\n\tno file '${root}/no/where/init.lua'`,
    );
  });

  it("names the file and line of a syntax error", () => {
    const vm = testVm({ "bad.lua": "local x = 1\nlocal = 2" });
    expect(() => vm.run("require 'bad'")).toThrow(
      `error loading module 'bad' from file '${root}/bad.lua':\n\t${root}/bad.lua:2:`,
    );
  });

  it("does not remember a module that failed, and runs it again", () => {
    const vm = testVm({
      "flaky.lua": "tries = (tries or 0) + 1; if tries == 1 then error('not yet') end return tries",
    });
    expect(() => vm.run("require 'flaky'")).toThrow("not yet");
    expect(vm.run("return package.loaded.flaky == nil, require 'flaky'")).toEqual([true, 2]);
  });

  it("keeps the message of an error in a module that pcall catches", () => {
    const vm = testVm({ "bad.lua": "error({ code = 7 })" });
    expect(
      vm.run("local ok, e = pcall(require, 'bad'); return ok, e.code, package.loaded.bad == nil"),
    ).toEqual([false, 7, true]);
  });

  it("raises Lua 5.1's message for a cycle, with the chain", () => {
    const vm = testVm({
      "a.lua": "return require 'b'",
      "b.lua": "return require 'c'",
      "c.lua": "return require 'a'",
    });
    expect(() => vm.run("require 'a'")).toThrow(
      "loop or previous error loading module 'a' (a -> b -> c -> a)",
    );
    expect(
      vm.run("return package.loaded.a == nil and package.loaded.b == nil and package.loaded.c == nil"),
    ).toBe(true);
  });

  it("lets a module break its cycle by entering itself first", () => {
    const vm = testVm({
      "a.lua": "local M = {}; package.loaded[...] = M; M.b = require 'b'; return M",
      "b.lua": "return { a = require 'a' }",
    });
    expect(vm.run("return require('a').b.a == require('a')")).toBe(true);
  });

  it("asks package.preload first and honours searchers that the program adds", () => {
    const vm = testVm({ "a.lua": "return 'file'" });
    expect(
      vm.run(`package.preload.a = function(...) return 'preloaded ' .. ... end
        table.insert(package.loaders, function(name) if name == 'made' then return function(n, x) return n .. x end, '!' end end)
        return require 'a', require 'made', package.loaders == package.searchers`),
    ).toEqual(["preloaded a", "made!", true]);
  });

  it("honours package.path as the program changes it", () => {
    const vm = testVm({ "lib/only.lua": "return 'found'" });
    expect(vm.run(`package.path = package.path .. ";${root}/lib/?.lua"; return require 'only'`)).toBe(
      "found",
    );
  });

  it("finds by package.searchpath what require would find", () => {
    const vm = testVm({ "a/b.lua": "" });
    expect(vm.run("return package.searchpath('a.b', package.path)")).toBe(`${root}/a/b.lua`);
    expect(vm.run("return package.searchpath('nope', './?.lua')")).toEqual([
      null,
      "\n\tno file './nope.lua'",
    ]);
  });

  it("runs dofile and loadfile from the manifest", () => {
    const vm = testVm({ "f.lua": "#!/usr/bin/lua\nreturn 'ran', ..." });
    expect(vm.run("return dofile('f.lua')")).toBe("ran");
    expect(vm.run("return (loadfile('f.lua'))('x')")).toEqual(["ran", "x"]);
    expect(vm.run("return loadfile('none.lua')")).toEqual([null, "cannot open none.lua"]);
  });

  it("does not let a module suspend while it loads", () => {
    const vm = testVm({ "y.lua": "coroutine.yield()" });
    expect(() => vm.run("require 'y'")).toThrow("attempt to yield across a C-call boundary");
  });
});

describe("edges", () => {
  it("are of kind load while the requirer's chunk runs, and of kind call afterwards", () => {
    const vm = testVm({
      "a.lua": "local b = require 'b'\nreturn { later = function() return require 'c' end }",
      "b.lua": "return {}",
      "c.lua": "return {}",
    });
    vm.run("require('a').later()");
    expect(edges(vm)).toEqual(["=test1 call a test1:1", "a load b a.lua:1", "a call c a.lua:2"]);
  });

  it("see through pcall and through a helper that requires for others", () => {
    const vm = testVm({
      "a.lua": "local import = require 'import'\nreturn import('x')",
      "import.lua": "return function(name) return select(2, pcall(require, name)) end",
      "x.lua": "return {}",
    });
    vm.run("require 'a'");
    expect(edges(vm)).toContain("a load x import.lua:1");
    expect(edges(vm)).toContain("import call x import.lua:1");
  });

  it("remember a search in vain by its probes", () => {
    const vm = testVm({ "a.lua": "return { has = pcall(require, 'opt') }" });
    vm.run("require 'a'");
    expect(vm.vm.observations.graph.module("opt")?.probes).toEqual([
      `${root}/opt.lua`,
      `${root}/opt/init.lua`,
    ]);
    expect(vm.vm.observations.graph.module("opt")?.vms.size).toBe(0);
  });

  it("are told once", () => {
    const vm = testVm({ "a.lua": "return {}" });
    vm.run("for i = 1, 3 do require 'a' end");
    expect(vm.vm.observations.take()?.edges).toHaveLength(1);
    expect(vm.vm.observations.take()).toBeUndefined();
  });

  it("of what was evicted before they were told are not told, nor that it was loaded", () => {
    const vm = testVm({ "a.lua": "return require 'b'", "b.lua": "return 1" });
    vm.run("require 'a'");
    vm.move({ "a.lua": "return 2" }, ["a"]);
    const news = vm.vm.observations.take();
    expect(news?.loaded.map(({ name }) => name)).toEqual(["b"]);
    expect(news?.unloaded).toContain("a");
    expect(news?.edges.map(({ from }) => from)).not.toContain("a");
  });
});
