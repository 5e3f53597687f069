/** Debian's Lua libraries, served from where Debian puts them. */

import { expect } from "vitest";
import { debianLuaFolder, debianLuaLibrary, itWithDebian } from "../debian.ts";
import { startSite } from "../support/agent.ts";
import { askEveryVm } from "../support/http.ts";

const penlight = debianLuaLibrary("pl", "lua-penlight");
const inspect = debianLuaLibrary("inspect.lua", "lua-inspect");

itWithDebian(
  "Penlight and inspect.lua serve requests, and reloads leave them alone",
  [penlight, inspect],
  async () => {
    const { agent, tree, url } = await startSite({
      files: {
        "app.lua": `local List, pretty = require "pl.List", require "pl.pretty"
        local stringx, inspect = require "pl.stringx", require "inspect"
        local version = require "version"
        return function()
          ngx.say(List { 3, 1, 2 }:sort():map(function(x) return x * 10 end):join " ")
          ngx.say(pretty.write({ a = 1, b = { "x" } }, ""))
          ngx.say(stringx.join("|", stringx.split("a,b,c", ",")))
          ngx.say((inspect({ 1, 2, k = { v = true } }):gsub("%s+", " ")))
          ngx.print(version)
        end`,
        "version.lua": "return 1",
      },
      locations: { "/": "require 'app' ()" },
      config: {
        luaPackagePath: `$prefix/?.lua;${debianLuaFolder}/?.lua;${debianLuaFolder}/?/init.lua`,
      },
    });
    const expectEveryVm = async (version: number) => {
      for (const { body } of (await askEveryVm(url, 2)).values())
        expect(body.split("\n")).toEqual([
          "10 20 30",
          '{a=1,b={"x"}}',
          "a|b|c",
          "{ 1, 2, k = { v = true } }",
          String(version),
        ]);
    };
    await expectEveryVm(1);
    tree.write({ "version.lua": "return 2" });
    const outcome = await agent.reload();
    expect(outcome).toMatchObject({ outcome: "committed", errors: [] });
    expect(outcome.evicted.map(({ name }) => name)).toEqual(["app", "version"]);
    await expectEveryVm(2);
  },
);
