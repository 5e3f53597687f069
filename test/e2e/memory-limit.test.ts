/** Lua strings are outside of V8's heap; a VM that hoards them dies alone, and one that makes garbage does not. */

import { afterEach, beforeEach, expect, it } from "vitest";
import { Agent } from "../../src/agent.ts";
import { parseConfig } from "../../src/config/index.ts";
import { createTree, type Tree } from "../support/tree.ts";

let tree: Tree;
let agent: Agent;
const logged: string[] = [];
beforeEach(async () => {
  tree = createTree({
    "m.lua": `local M = {}
function M.hoard(bytes) local all = {} while true do all[#all + 1] = ("x"):rep(bytes) end end
function M.waste(bytes, times) for _ = 1, times do local s = ("x"):rep(bytes) .. "y" end return "done" end
return M`,
  });
  agent = new Agent(
    parseConfig({
      prefix: tree.root,
      luaPackagePath: "$prefix/?.lua",
      threads: 1,
      watch: false,
      servers: [],
      control: { listen: "127.0.0.1:0" },
      limits: { heapMb: 64 },
    }),
  );
  agent.on("log", (level, message) => logged.push(`${level}: ${message}`));
  await agent.start();
});
afterEach(async () => {
  await agent.close();
  tree.remove();
  logged.length = 0;
});

it.each([
  { what: "small strings", bytes: 10_000 },
  { what: "large strings", bytes: 20_000_000 },
])("a VM that hoards $what is ended and replaced", async ({ bytes }) => {
  await expect(agent.call("m", "hoard", bytes)).rejects.toMatchObject({ code: "vm-died" });
  expect(logged.join("\n")).toMatch(/strings take \d+ MB, more than limits\.heapMb \(64\)/);
  expect(await agent.call("m", "waste", 10, 1)).toBe("done");
  expect(agent.status().vms[0]?.restarts).toBe(1);
});

it("a VM that makes a gigabyte of garbage goes on", async () => {
  expect(await agent.call("m", "waste", 2_000_000, 500)).toBe("done");
  expect(await agent.call("m", "waste", 8_000_000, 60)).toBe("done");
  expect(agent.status().vms[0]?.restarts).toBe(0);
});
