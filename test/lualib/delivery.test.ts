import { afterEach, describe, expect } from "vitest";
import { itWithDebian } from "../debian.ts";
import { type Nginx, nginxParts } from "../support/nginx.ts";
import { AgentStandIn, startWithLibrary } from "./agent-stand-in.ts";

let nginx: Nginx;
afterEach(() => nginx?.end());

/** a → lib.b → c, and a counter that none of them concerns. */
const files = {
  "c.lua": "return 1",
  "lib/b.lua": "local c = require 'c' return function() return c end",
  "a.lua": "local b = require 'lib.b' return { run = function() ngx.print(b()) end }",
  "counter.lua": "local n = 0 return function() n = n + 1 return n end",
};
const server = `
  location = /a { content_by_lua_block { require("a").run() } }
  location = /count { content_by_lua_block { ngx.print(require("counter")()) } }`;
const closure = ["a", "lib.b", "c"];

describe("a generation", () => {
  itWithDebian("reaches every worker, and no module outside of it loses its state", nginxParts, async () => {
    nginx = await startWithLibrary({ files, server });
    const agent = new AgentStandIn(nginx);
    expect(await nginx.bodies("/a")).toEqual(["1"]);
    await nginx.askEveryWorker("/count");
    nginx.write({ "c.lua": "return 2" });
    expect(await nginx.bodies("/a")).toEqual(["1"]);
    const state = await agent.commit(closure);
    expect(state).toMatchObject({ version: 1, agent: "agent-1", generation: 1, sequence: 1 });
    expect(await nginx.bodies("/a")).toEqual(["2"]);
    expect(await nginx.bodies("/count")).not.toContain("1");
  });
});
