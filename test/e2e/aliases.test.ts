/** One file under several names: taken together by a commit, told as a warning, refused with `reload.aliases: "error"`. */

import { symlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Site, startSite } from "../support/agent.ts";
import { ask } from "../support/http.ts";

const counter = "local M = { n = 0 }\nfunction M.up() M.n = M.n + 1 return M.n end\nreturn M";
/** Each location requires the counter by a name of its own. */
const locations = {
  "/short": "ngx.print(require('x').up())",
  "/slash": "ngx.print(require('app/x').up())",
  "/dot": "ngx.print(require('app.x').up())",
};
const searchPath = "$prefix/?.lua;$prefix/app/?.lua";

function start(aliases: "warn" | "error" | "off", files: Record<string, string>, more = {}): Promise<Site> {
  return startSite({
    files,
    locations,
    config: { luaPackagePath: searchPath, threads: 1, reload: { aliases }, ...more },
  });
}

describe("the names of one file", () => {
  it("are evicted together, spelled with dots and slashes, from two templates and through a symbolic link", async () => {
    const { agent, tree } = await startSite({
      files: {
        "app/x.lua": "return { v = 1 }",
        "see.lua": `local names = { "x", "app.x", "app/x", "app//x", "./app/x", "link.x" }
return { f = function() local seen = {} for _, n in ipairs(names) do seen[#seen + 1] = require(n).v end return seen end }`,
      },
      config: { luaPackagePath: searchPath, threads: 1 },
      prepare: ({ path }) => symlinkSync("app", path("link")),
    });
    expect(await agent.call("see", "f")).toEqual([1, 1, 1, 1, 1, 1]);
    const aliases = ["./app/x", "app.x", "app//x", "app/x", "link.x"];
    expect([...agent.graph.aliases("x")].sort()).toEqual(aliases);
    tree.write({ "app/x.lua": "return { v = 2 }" });
    const { evicted } = await agent.reload();
    expect(evicted.map(({ name }) => name).sort()).toEqual([...aliases, "see", "x"]);
    expect(await agent.call("see", "f")).toEqual([2, 2, 2, 2, 2, 2]);
  });

  it("are evicted together when one of them is named, though nothing changed", async () => {
    const { agent, url } = await start("off", { "app/x.lua": counter });
    for (const [location, count] of [
      ["short", "1"],
      ["dot", "1"],
      ["short", "2"],
    ])
      expect((await ask(`${url}/${location}`)).body).toBe(count);
    const { evicted } = await agent.reload({ names: ["x"], force: true });
    expect(evicted.map(({ name }) => name).sort()).toEqual(["app.x", "x"]);
    expect((await ask(`${url}/dot`)).body).toBe("1");
  });

  it("are evicted together when what one of them required changes: the others may hold its instance", async () => {
    const { agent, tree } = await startSite({
      files: {
        "app/x.lua":
          "if package.loaded['app.x'] then return package.loaded['app.x'] end\nreturn { v = require('dep').v }",
        "dep.lua": "return { v = 1 }",
        "see.lua": "return { f = function() return { require('app.x').v, require('x').v } end }",
      },
      config: { luaPackagePath: searchPath, threads: 1 },
    });
    expect(await agent.call("see", "f")).toEqual([1, 1]);
    tree.write({ "dep.lua": "return { v = 2 }" });
    await agent.reload();
    expect(await agent.call("see", "f")).toEqual([2, 2]);
  });
});

describe("a module that enters itself under another name", () => {
  it("takes that name with it, and goes with it", async () => {
    const { agent, tree } = await startSite({
      files: {
        "x.lua": "local M = { v = require('dep').v }\npackage.loaded['app.x'] = M\nreturn M",
        "dep.lua": "return { v = 1 }",
        "see.lua": "return { f = function() require 'x' return require('app.x').v end }",
      },
    });
    expect(await agent.call("see", "f")).toBe(1);
    tree.write({ "dep.lua": "return { v = 2 }" });
    expect((await agent.reload()).evicted.map(({ name }) => name).sort()).toEqual([
      "app.x",
      "dep",
      "see",
      "x",
    ]);
    expect(await agent.call("see", "f")).toBe(2);
    await agent.reload({ names: ["app.x"], force: true });
    expect(await agent.call("see", "f")).toBe(2);
  });
});

describe('reload.aliases: "warn"', () => {
  it("tells once of a file that is loaded under two names, with both places", async () => {
    const { logged, tree, url } = await start("warn", { "app/x.lua": counter });
    for (let i = 0; i < 2; i++) for (const location of ["short", "dot"]) await ask(`${url}/${location}`);
    const told = logged.filter((line) => line.includes("is loaded as"));
    expect(told).toEqual([
      `warn: ${tree.path("app/x.lua")} is loaded as "app.x" (content_by(/dot):1) and as "x" (content_by(/short):1): each has a state of its own`,
    ]);
  });

  it("tells nothing of a name that was given up for another", async () => {
    const using = (name: string) => `local x = require '${name}' return { f = function() return x.up() end }`;
    const { agent, logged, tree } = await start("warn", { "app/x.lua": counter, "user.lua": using("x") });
    expect(await agent.call("user", "f")).toBe(1);
    tree.write({ "user.lua": using("app.x"), "app/x.lua": `-- new\n${counter}` });
    expect((await agent.reload()).outcome).toBe("committed");
    expect(await agent.call("user", "f")).toBe(1);
    expect(logged.filter((line) => line.includes("is loaded as"))).toEqual([]);
  });
});

describe('reload.aliases: "error"', () => {
  it("raises at the second name, saying where the first was required; the first goes on", async () => {
    const { logged, tree, url } = await start("error", { "app/x.lua": counter });
    expect((await ask(`${url}/dot`)).body).toBe("1");
    for (let i = 0; i < 2; i++) expect((await ask(`${url}/slash`)).status).toBe(500);
    const [line] = logged.filter((entry) => entry.includes("are one file"));
    expect(line).toContain(
      `'app/x' and 'app.x' are one file, ${tree.path("app/x.lua")}: first required at content_by(/dot):1 (reload.aliases)`,
    );
    expect((await ask(`${url}/dot`)).body).toBe("2");
  });

  it("rejects a change set that would load one under another name, with both places", async () => {
    const using = (name: string) =>
      `local x = require '${name}'\nreturn { f = function() return x.up() end }`;
    const files = { "app/x.lua": counter, "a.lua": using("app.x"), "b.lua": using("app.x") };
    const { agent, tree } = await start("error", files, { threads: 2 });
    for (const name of ["a", "b", "a", "b"]) await agent.call(name, "f");
    tree.write({ "b.lua": `\n${using("app/x")}` });
    const rejected = await agent.reload();
    expect(rejected).toMatchObject({ outcome: "rejected", generation: 1 });
    expect(rejected.errors).toEqual([
      {
        path: tree.path("b.lua"),
        line: 2,
        message: expect.stringMatching(
          /^'app\/x' and 'app\.x' are one file, .*app\/x\.lua: required at .*b\.lua:2 and at .*a\.lua:1 \(reload\.aliases\)$/,
        ),
        requiredBy: [],
      },
    ]);
    expect(await agent.call("b", "f")).toBeGreaterThan(1);
    tree.write({ "a.lua": using("app/x") });
    expect((await agent.reload()).outcome).toBe("committed");
    expect([await agent.call("a", "f"), await agent.call("b", "f")].length).toBe(2);
  });

  it("rejects a symbolic link that makes two modules one", async () => {
    const files = {
      "one.lua": "return 'one'",
      "two.lua": "return 'two'",
      "a.lua": "return { require 'one', require 'two', f = function() end }",
    };
    const { agent, tree } = await start("error", files);
    await agent.call("a", "f");
    tree.write({ "two.lua": null });
    symlinkSync("one.lua", tree.path("two.lua"));
    const { outcome, errors } = await agent.reload();
    expect(outcome).toBe("rejected");
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining("are one file")]);
  });

  it("refuses nothing over names that VMs had loaded one each before", async () => {
    const { agent, tree, url } = await start("error", { "app/x.lua": counter }, { threads: 2 });
    // Two at once reach two VMs: each takes one name for the file, and neither is wrong.
    const held = new Set<string>();
    for (let tries = 0; held.size < 2 && tries < 100; tries++) {
      await Promise.all([ask(`${url}/dot`), ask(`${url}/slash`)]);
      for (const name of ["app.x", "app/x"]) if (agent.graph.module(name)?.vms.size) held.add(name);
    }
    expect([...held].sort()).toEqual(["app.x", "app/x"]);
    tree.write({ "app/x.lua": `-- new\n${counter}` });
    expect((await agent.reload()).outcome).toBe("committed");
    expect(agent.status().vms.map(({ restarts }) => restarts)).toEqual([0, 0]);
  });
});
