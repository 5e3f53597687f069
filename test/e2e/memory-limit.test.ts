/** Lua strings are outside of V8's heap; a VM that hoards them dies alone, and one that makes garbage does not. */

import { beforeEach, expect, it } from "vitest";
import { type Site, startSite } from "../support/agent.ts";

let site: Site;
beforeEach(async () => {
  site = await startSite({
    files: {
      "m.lua": `local M = {}
function M.hoard(bytes) local all = {} while true do all[#all + 1] = ("x"):rep(bytes) end end
function M.waste(bytes, times) for _ = 1, times do local s = ("x"):rep(bytes) .. "y" end return "done" end
return M`,
    },
    config: { threads: 1, servers: [], limits: { heapMb: 64 } },
  });
});

it.each([
  { what: "small strings", bytes: 10_000 },
  { what: "large strings", bytes: 20_000_000 },
])("a VM that hoards $what is ended and replaced", async ({ bytes }) => {
  await expect(site.agent.call("m", "hoard", bytes)).rejects.toMatchObject({ code: "vm-died" });
  expect(site.logged.join("\n")).toMatch(/strings take \d+ MB, more than limits\.heapMb \(64\)/);
  expect(await site.agent.call("m", "waste", 10, 1)).toBe("done");
  expect(site.agent.status().vms[0]?.restarts).toBe(1);
});

it("a VM that makes a gigabyte of garbage goes on", async () => {
  expect(await site.agent.call("m", "waste", 2_000_000, 500)).toBe("done");
  expect(await site.agent.call("m", "waste", 8_000_000, 60)).toBe("done");
  expect(site.agent.status().vms[0]?.restarts).toBe(0);
});
