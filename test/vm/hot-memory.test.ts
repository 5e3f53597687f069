import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { servingVm } from "../support/serving-vm.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

async function usedBytes(): Promise<number> {
  // What a collection frees of array buffers is counted off in later turns.
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const ballastBytes = 20_000;
const reloads = 500;

/** Everything that a module can leave with the VM holds on to some ballast. `leak` runs with each load. */
const module = (version: number, leak: string) => `
  local hot = require "relua.hot"
  local ballast = string.rep("x", ${ballastBytes}) .. ${version}
  hot.data.loads = (hot.data.loads or 0) + 1
  hot.dispose(function() return ballast end)
  hot.adopt(function() return ballast end)
  ngx.timer.every(3600, function() return ballast end)
  ngx.timer.at(0, function() ngx.sleep(0) return ballast end)
  local M = {}
  function M.start() ngx.timer.at(60, function() return ballast end) return require "relua.hot" end
  ${leak}
  return M`;

/** Bytes that the reloads leave behind, each with a request over it that asks for the old instance's handle. */
async function growth(leak: string): Promise<number> {
  const { vm, run, begin, move, timers, until, close } = servingVm({ "a.lua": module(0, leak) });
  let version = 0;
  const reload = async () => {
    const request = begin(
      "local a = require 'a' a.start() coroutine.yield() a.start().dispose(function() end)",
    );
    move({ "a.lua": module(++version, leak) }, ["a"], ["a"]);
    await request;
  };
  run("require 'a'");
  for (let i = 0; i < 100; i++) await reload();
  const before = await usedBytes();
  for (let i = 0; i < reloads; i++) await reload();
  await until("ngx.timer.running_count() == 0 and ngx.timer.pending_count() == 1");
  const grown = (await usedBytes()) - before;
  expect([vm.generations.size, timers.running]).toEqual([1, 0]);
  close();
  return grown;
}

describe("what reloads leave behind", () => {
  it("is nothing: instances, their functions and their timers are gone", async () => {
    expect(await growth("")).toBeLessThan((reloads * ballastBytes) / 4);
  });

  it("(control) is noticed when one function of each instance stays", async () => {
    const leak = "LEAK = LEAK or {} LEAK[#LEAK + 1] = function() return ballast end";
    expect(await growth(leak)).toBeGreaterThan((reloads * ballastBytes) / 2);
  });
});
