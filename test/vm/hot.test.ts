import { describe, expect, it } from "vitest";
import type { Agent } from "../../src/agent.ts";
import type { ConfigInput } from "../../src/config/index.ts";
import { startSite } from "../support/agent.ts";
import type { Tree } from "../support/tree.ts";

let tree: Tree;
let agent: Agent;
/** `vm: message`. */
let log: string[];

async function start(files: Record<string, string>, config: ConfigInput = {}): Promise<void> {
  ({ tree, agent } = await startSite({
    files,
    config: { luaPackagePath: "$prefix/?.lua", servers: [], ...config },
  }));
  log = [];
  agent.on("log", (_level, message, vm) => log.push(`${vm}: ${message}`));
}

/** Calls `a.f` until each VM has answered; the answers by VM. */
async function everywhere(): Promise<Map<number, unknown>> {
  const answers = new Map<number, unknown>();
  while (answers.size < agent.config.threads) {
    const [vm, answer] = (await agent.call("a", "f")) as [number, unknown];
    answers.set(vm, answer);
  }
  return answers;
}

/** Resolves when `isSo`. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** A module with a counter that it hands over, on top of another one. */
const counting = (version: number) => `
  local hot = require "relua.hot"
  require "b"
  local M = { n = 0 }
  hot.dispose(function(data) data.n = M.n ngx.log(ngx.NOTICE, "dispose a ", package.loaded.b.v) end)
  hot.adopt(function(data) M.n = data.n end)
  function M.f() M.n = M.n + 1 return { ngx.worker.id(), { ${version}, M.n } } end
  return M`;
const base = (version: number) => `
  local hot = require "relua.hot"
  hot.dispose(function() ngx.log(ngx.NOTICE, "dispose b ", ${version}) end)
  return { v = ${version} }`;

describe("relua.hot in every VM", () => {
  it("carries state over the reload by its module's own hand, in each VM its own; dependents are disposed first", async () => {
    await start({ "a.lua": counting(1), "b.lua": base(1) });
    const before = await everywhere();
    tree.write({ "a.lua": counting(2), "b.lua": base(2) });
    expect(await agent.reload()).toMatchObject({ outcome: "committed" });
    const counts = new Map([...before].map(([vm, answer]) => [vm, (answer as number[])[1]!]));
    const answers = new Map<number, unknown>();
    while (answers.size < 2) {
      const [vm, [version, n]] = (await agent.call("a", "f")) as [number, [number, number]];
      counts.set(vm, counts.get(vm)! + 1);
      expect([version, n]).toEqual([2, counts.get(vm)]);
      answers.set(vm, n);
    }
    for (const vm of [1, 2])
      expect(
        log.filter((line) => line.startsWith(`${vm}:`)).map((line) => /dispose \w \d/.exec(line)?.[0]),
      ).toEqual(["dispose a 1", "dispose b 1"]);
    // The canary loaded the same, and serves nobody.
    expect(log.filter((line) => line.startsWith("0:"))).toEqual([]);
  });

  it.each([true, false])(
    "has a VM recycled in which an adopt function fails (warm: %s); requests go on",
    async (warm) => {
      const adopting = (version: number, adopt: string) => `
      require("relua.hot").adopt(function() ${adopt} end)
      return { f = function(ms) ngx.sleep((ms or 0) / 1000) return { ngx.worker.id(), ${version} } end }`;
      await start({ "a.lua": adopting(1, "") }, { reload: { warm } });
      await everywhere();
      tree.write({ "a.lua": adopting(2, "error('cannot take over')") });

      let failures = 0;
      let over = false;
      const load = Promise.all(
        Array.from({ length: 4 }, async () => {
          while (!over) await agent.call("a", "f", 2).catch(() => failures++);
        }),
      );
      expect(await agent.reload()).toMatchObject({ outcome: "committed" });
      const restarted = () =>
        agent.status().vms.every(({ restarts, state }) => restarts === 1 && state === "ready");
      await until(restarted);
      over = true;
      await load;
      expect(failures).toBe(0);
      expect([...(await everywhere()).values()]).toEqual([2, 2]);
      expect(restarted()).toBe(true);
      for (const vm of [1, 2])
        expect(log).toContainEqual(
          expect.stringMatching(
            new RegExp(
              `^${vm}: VM ${vm} is recycled: hot.adopt of module 'a' failed: .*a.lua:2: cannot take over`,
            ),
          ),
        );
    },
  );

  it("logs a dispose function that fails, with its traceback, and commits all the same", async () => {
    await start({
      "a.lua": `require("relua.hot").dispose(function() error("cannot clean up") end)
        return { f = function() return { ngx.worker.id(), 1 } end }`,
    });
    await everywhere();
    tree.write({ "a.lua": "return { f = function() return { ngx.worker.id(), 2 } end }" });
    const applied: number[] = [];
    agent.pool.on("applied", (_vm, report) => applied.push(report.hotErrors.length));
    expect(await agent.reload()).toMatchObject({ outcome: "committed" });
    expect([...(await everywhere()).values()]).toEqual([2, 2]);
    expect(applied).toEqual([1, 1]);
    for (const vm of [1, 2])
      expect(log).toContainEqual(
        expect.stringMatching(
          new RegExp(
            `^${vm}: hot.dispose of module 'a' failed: .*a.lua:1: cannot clean up\nstack traceback:`,
          ),
        ),
      );
    expect(agent.status().vms.map(({ restarts }) => restarts)).toEqual([0, 0]);
  });
});

describe("hot.pin", () => {
  const files = {
    "a.lua": "local p = require 'p' return { f = function() return { ngx.worker.id(), { p.v, p.c.v } } end }",
    "p.lua": "require('relua.hot').pin() return { v = 1, c = require 'c' }",
    "c.lua": "return { v = 1 }",
  };

  it("keeps the module, names it as a stale holder, and asks for new VMs when it changed itself", async () => {
    await start(files);
    await everywhere();
    expect(agent.pinnedWhy("p")).toBe("pinned (hot.pin)");
    tree.write({ "c.lua": "return { v = 2 }" });
    const around = await agent.reload();
    expect(around.outcome).toBe("committed");
    expect(around.kept).toEqual([{ name: "p", why: "pinned (hot.pin); stale holder of c" }]);
    expect([...(await everywhere()).values()]).toEqual([
      [1, 1],
      [1, 1],
    ]);

    tree.write({ "p.lua": "return { v = 2, c = require 'c' }" });
    const changed = await agent.reload();
    expect(changed).toMatchObject({ outcome: "recycle-required", recycleRequired: ["p"] });
    await agent.pool.recycleAll();
    expect([...(await everywhere()).values()]).toEqual([
      [2, 2],
      [2, 2],
    ]);
    await until(() => agent.pinnedWhy("p") === undefined);
  });

  it("ends with the VM that said it", async () => {
    await start(files, { threads: 1 });
    await everywhere();
    expect(agent.pinnedWhy("p")).toBe("pinned (hot.pin)");
    // Another VM holds the module: its name stays in the graph.
    agent.graph.observe(2, { name: "p", probes: [], held: true, generation: 1 });
    expect(agent.pinnedWhy("p")).toBe("pinned (hot.pin)");
    await agent.pool.recycle(1);
    expect(agent.graph.module("p")?.vms).toEqual(new Set([2]));
    expect(agent.pinnedWhy("p")).toBeUndefined();
  });
});

describe("timers in every VM", () => {
  const ticking = (version: number) => `
    ngx.timer.every(3600, function(premature) ngx.log(ngx.NOTICE, "tick ", ${version}, " ", premature) end)
    return { f = function() return { ngx.worker.id(), ngx.timer.pending_count() } end }`;
  const ticks = () =>
    log.flatMap((line) => /^(\d+): .*(tick \d \w+)/.exec(line)?.slice(1).join(" ") ?? []).sort();

  it("are said farewell to when their module is evicted, and when their VM is recycled or ends; never in the canary", async () => {
    await start({ "a.lua": ticking(1) });
    await everywhere();
    tree.write({ "a.lua": ticking(2) });
    await agent.reload();
    expect([...(await everywhere()).values()]).toEqual([1, 1]);
    expect(ticks()).toEqual(["1 tick 1 true", "2 tick 1 true"]);
    log = [];
    await agent.pool.recycle(1);
    expect([...(await everywhere()).values()]).toEqual([1, 1]);
    expect(ticks()).toEqual(["1 tick 2 true"]);
    log = [];
    await agent.close();
    expect(ticks()).toEqual(["1 tick 2 true", "2 tick 2 true"]);
  });
});
