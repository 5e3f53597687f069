/** What a commit does about names: files that appear where a search had passed, that go, and requires of every kind. */

import { afterEach, describe, expect, it } from "vitest";
import { InProcessAgent, type InProcessOptions } from "../support/in-process-agent.ts";
import { createTree, type Tree } from "../support/tree.ts";

let tree: Tree;
afterEach(() => tree.remove());

function start(files: Record<string, string>, options: Partial<InProcessOptions> = {}): InProcessAgent {
  tree = createTree(files);
  return new InProcessAgent({
    root: tree.root,
    luaPackagePath: "$prefix/first/?.lua;$prefix/?.lua;$prefix/?/init.lua",
    vms: 1,
    preflight: "load",
    initBy: "",
    ...options,
  });
}
/** What an expression gives in the only VM. */
const ask = (agent: InProcessAgent, expression: string) =>
  agent.ask(0, "content_by(/)", `return ${expression}`);

/** Writes, reloads, and gives the names that were evicted. */
async function change(agent: InProcessAgent, files: Record<string, string | null>): Promise<string[]> {
  tree.write(files);
  const { outcome, evicted, errors } = await agent.reload();
  expect([outcome, errors]).toEqual(["committed", []]);
  return evicted.map(({ name }) => name).sort();
}

describe("a file that appears where a search had passed", () => {
  const user = "return { foo = require 'foo' }";

  it("shadows the one that was found, and is gone from there again", async () => {
    const agent = start({ "foo.lua": "return 'second'", "user.lua": user, "other.lua": "return {}" });
    expect(ask(agent, "require('user').foo, require('other') ~= nil")).toEqual(["second", true]);
    expect(await change(agent, { "first/foo.lua": "return 'first'" })).toEqual(["foo", "user"]);
    expect(ask(agent, "require('user').foo")).toBe("first");
    expect(await change(agent, { "first/foo.lua": null })).toEqual(["foo", "user"]);
    expect(ask(agent, "require('user').foo")).toBe("second");
  });

  it("takes a name from a folder's init.lua, and gives it back", async () => {
    const agent = start({ "foo/init.lua": "return 'folder'", "user.lua": user });
    expect(ask(agent, "require('user').foo")).toBe("folder");
    expect(await change(agent, { "foo.lua": "return 'file'" })).toEqual(["foo", "user"]);
    expect(ask(agent, "require('user').foo")).toBe("file");
    expect(await change(agent, { "foo.lua": null })).toEqual(["foo", "user"]);
    expect(ask(agent, "require('user').foo")).toBe("folder");
  });

  it("is found by a module that had gone on without it", async () => {
    const agent = start({
      "user.lua": "local ok, m = pcall(require, 'opt') return { opt = ok and m or 'none' }",
    });
    expect(ask(agent, "require('user').opt")).toBe("none");
    expect(await change(agent, { "opt.lua": "return 'there'" })).toContain("user");
    expect(ask(agent, "require('user').opt")).toBe("there");
  });

  it("is found by a module that had kept the failure of a later require", async () => {
    const agent = start({
      "user.lua": `local kept
return { see = function() kept = kept or { pcall(require, "plugins." .. "one") } return kept[1] end }`,
    });
    expect(ask(agent, "require('user').see()")).toBe(false);
    expect(await change(agent, { "plugins/one.lua": "return {}" })).toContain("user");
    expect(ask(agent, "require('user').see()")).toBe(true);
  });

  it("concerns nobody where it is behind the one that was found", async () => {
    const agent = start({ "first/foo.lua": "return 'first'", "user.lua": user });
    ask(agent, "require('user')");
    expect(await change(agent, { "foo.lua": "return 'second'" })).toEqual([]);
  });

  it("was repaired: who had caught its failure loads it now", async () => {
    const files = { "bad.lua": "error 'broken'", "user.lua": "return { ok = pcall(require, 'bad') }" };
    const agent = start(files, { preflight: "compile" });
    expect(ask(agent, "require('user').ok")).toBe(false);
    expect(await change(agent, { "bad.lua": "return {}" })).toContain("user");
    expect(ask(agent, "require('user').ok")).toBe(true);
  });
});

describe("package.path, changed by Lua code", () => {
  it("is what later searches go by: their probes and files are watched as far as the roots reach", async () => {
    const agent = start({ "late/foo.lua": "return 1", "user.lua": "return { foo = require 'foo' }" });
    ask(agent, `(function() package.path = package.path .. ";${tree.root}/late/?.lua" end)()`);
    expect(ask(agent, "require('user').foo")).toBe(1);
    expect(await change(agent, { "late/foo.lua": "return 2" })).toEqual(["foo", "user"]);
    expect(ask(agent, "require('user').foo")).toBe(2);
    expect(await change(agent, { "foo.lua": "return 3" })).toEqual(["foo", "user"]);
    expect(ask(agent, "require('user').foo")).toBe(3);
  });

  it("does not keep a commit from being refused when a file goes that was found by it", async () => {
    const agent = start({ "late/foo.lua": "return 1", "user.lua": "return { foo = require 'foo' }" });
    ask(agent, `(function() package.path = package.path .. ";${tree.root}/late/?.lua" end)()`);
    expect(ask(agent, "require('user').foo")).toBe(1);
    tree.write({ "late/foo.lua": null });
    expect((await agent.reload()).outcome).toBe("rejected");
    expect(ask(agent, "require('user').foo")).toBe(1);
  });

  it("may lead to files that nobody watches: they come from the disk, known without a hash, and go when asked for", async () => {
    const elsewhere = createTree({ "foo.lua": "return 1" });
    try {
      const agent = start({ "user.lua": "return { foo = require 'foo' }" });
      ask(agent, `(function() package.path = package.path .. ";${elsewhere.root}/?.lua" end)()`);
      expect(ask(agent, "require('user').foo")).toBe(1);
      expect(agent.graph.module("foo")).toMatchObject({ path: elsewhere.path("foo.lua"), hash: undefined });
      elsewhere.write({ "foo.lua": "return 22" });
      expect((await agent.reload()).outcome).toBe("unchanged");
      const { evicted } = await agent.reload({ names: ["foo"], force: true });
      expect(evicted.map(({ name }) => name)).toEqual(["user", "foo"]);
      expect(ask(agent, "require('user').foo")).toBe(22);
    } finally {
      elsewhere.remove();
    }
  });
});

describe("a module keeps what it got", () => {
  /** `user` keeps the first value that this expression gives it. */
  const keeping = (expression: string) => `local kept
return { see = function() if kept == nil then kept = ${expression} end return kept end }`;

  for (const [how, expression] of [
    ["by a require in a function", "require('dep')"],
    ["by a name made at run time", "require('d' .. 'ep')"],
    ["by a require in a coroutine", "coroutine.wrap(function() return require 'dep' end)()"],
    ["by pcall", "select(2, pcall(require, 'dep'))"],
    ["by code made of a string", `load("return require 'dep'")()`],
    ["by a helper of another module", "require('import')('dep')"],
    ["by dofile", "dofile('dep.lua')"],
    ["by loadfile", "loadfile('dep.lua')()"],
    ["by loadfile of what package.searchpath found", "loadfile(package.searchpath('dep', package.path))()"],
    ["by a file that dofile ran", "dofile('run.lua')"],
  ] as const)
    it(`${how}, and is evicted with it`, async () => {
      const agent = start({
        "dep.lua": "return 1",
        "run.lua": "return require 'dep'",
        "import.lua": "return function(name) return require(name) end",
        "user.lua": keeping(expression),
        "loader.lua": `local kept = ${expression} return { see = function() return kept end }`,
        "other.lua": "return {}",
      });
      const see = "{ require('user').see(), require('loader').see(), type(require('other')) }";
      expect(ask(agent, see)).toEqual([1, 1, "table"]);
      const evicted = await change(agent, { "dep.lua": "return 2" });
      expect(evicted).toEqual(expect.arrayContaining(["loader", "user"]));
      expect(evicted).not.toContain("other");
      expect(ask(agent, see)).toEqual([2, 2, "table"]);
    });

  for (const [how, expression] of [
    ["dofile", "pcall(dofile, 'dep.lua')"],
    ["loadfile", "loadfile('dep.lua') ~= nil"],
    ["package.searchpath", "package.searchpath('dep', package.path) ~= nil"],
  ] as const)
    it(`that ${how} found nothing, and is evicted when the file comes and when it goes`, async () => {
      const agent = start({
        "user.lua": `local kept = ${expression} return { see = function() return kept end }`,
      });
      expect(ask(agent, "require('user').see()")).toBe(false);
      expect(await change(agent, { "dep.lua": "return 1" })).toEqual(["user"]);
      expect(ask(agent, "require('user').see()")).toBe(true);
      expect(await change(agent, { "dep.lua": null })).toEqual(["user"]);
      expect(ask(agent, "require('user').see()")).toBe(false);
    });

  it("by dofile of a file that is a module as well: by its content, not by where the module is found", async () => {
    const agent = start({
      "dep.lua": "return { v = 1 }",
      "foo.lua": "local dep return { see = function() dep = dep or require 'dep' return dep.v end }",
      "user.lua": "local foo = dofile('foo.lua') return { see = function() return foo.see() end }",
    });
    expect(ask(agent, "require('foo').see(), require('user').see()")).toEqual([1, 1]);
    expect(await change(agent, { "dep.lua": "return { v = 2 }" })).toEqual(["dep", "foo", "user"]);
    expect(ask(agent, "require('foo').see(), require('user').see()")).toEqual([2, 2]);
    expect(await change(agent, { "first/foo.lua": "return { see = function() end }" })).toEqual(["foo"]);
    expect(ask(agent, "require('foo').see(), require('user').see()")).toEqual([null, 2]);
    expect(await change(agent, { "foo.lua": "return { see = function() return 3 end }" })).toEqual(["user"]);
    expect(ask(agent, "require('user').see()")).toBe(3);
  });

  it("through a searcher of its own that runs a file", async () => {
    const agent = start({
      "boot.lua": `table.insert(package.searchers, function(name)
  local path = "made/" .. name .. ".lua.txt.lua"
  return loadfile(path) or "no " .. path
end)`,
      "made/thing.lua.txt.lua": "return 1",
      "user.lua": "return { thing = require 'thing' }",
    });
    ask(agent, "require 'boot'");
    expect(ask(agent, "require('user').thing")).toBe(1);
    expect(await change(agent, { "made/thing.lua.txt.lua": "return 2" })).toEqual(
      expect.arrayContaining(["thing", "user"]),
    );
    ask(agent, "require 'boot'");
    expect(ask(agent, "require('user').thing")).toBe(2);
  });
});

describe("init_by", () => {
  it("requires like everybody else: what it loaded is evicted, what it kept in globals stays", async () => {
    const agent = start({ "a.lua": "return { v = 1 }" }, { initBy: "kept = require 'a'" });
    expect(ask(agent, "require('a').v, kept.v")).toEqual([1, 1]);
    expect(await change(agent, { "a.lua": "return { v = 2 }" })).toEqual(["a"]);
    expect(ask(agent, "require('a').v, kept.v")).toEqual([2, 1]);
  });
});
