import { rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Agent } from "../../src/agent.ts";
import type { ConfigInput } from "../../src/config/index.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import { startSite } from "../support/agent.ts";
import type { Tree } from "../support/tree.ts";

let tree: Tree;
let agent: Agent;

const app = {
  "a.lua":
    "local b = require 'lib.b'; local stats = require 'stats'\nreturn { f = function() stats.n = stats.n + 1; return { b.c.v, stats.n } end }",
  "lib/b.lua": "return { c = require 'c' }",
  "c.lua": "return { v = 1 }",
  "stats.lua": "return { n = 0 }",
};

async function start(files: Record<string, string> = app, config: ConfigInput = {}): Promise<void> {
  ({ tree, agent } = await startSite({
    files,
    config: { luaPackagePath: "$prefix/?.lua", servers: [], ...config },
  }));
}
/** The next outcome of its kind. */
const nextOutcome = (isIt: (outcome: Outcome) => boolean) =>
  new Promise<Outcome>((resolve) => agent.on("outcome", (outcome) => isIt(outcome) && resolve(outcome)));

/** What every VM answers. */
const everywhere = async () => {
  const answers = [await agent.call("a", "f"), await agent.call("a", "f")];
  return answers.map((answer) => (answer as unknown[])[0]);
};

describe("a reload", () => {
  it("moves every VM to what is on disk, evicts the closure with its chains, and keeps state outside of it", async () => {
    await start();
    await everywhere();
    await everywhere();
    tree.write({ "c.lua": "return { v = 2 }" });
    const outcome = await agent.reload();
    expect(outcome).toMatchObject({ outcome: "committed", generation: 2, errors: [] });
    expect(outcome.evicted.map(({ because }) => because.join(" "))).toEqual(["c lib.b a", "c lib.b", "c"]);
    expect(outcome.vms.map(({ id }) => id)).toEqual([1, 2]);
    expect(await everywhere()).toEqual([2, 2]);
    expect(await agent.call("a", "f")).toEqual([2, 4]);
  });

  it("changes nothing when one file does not compile, and tells all that is wrong", async () => {
    await start();
    await everywhere();
    tree.write({
      "c.lua": "return { v = }",
      "stats.lua": "oops(",
      "lib/b.lua": "return { c = require 'c', new = true }",
    });
    const outcome = await agent.reload();
    expect(outcome).toMatchObject({ outcome: "rejected", generation: 1 });
    expect(outcome.errors.map(({ path, line }) => [path, line])).toEqual([
      [tree.path("c.lua"), 1],
      [tree.path("stats.lua"), 1],
    ]);
    expect(agent.status().rejected?.id).toBe(outcome.id);
    expect(await everywhere()).toEqual([1, 1]);
    tree.write({ "c.lua": "return { v = 3 }", "stats.lua": "return { n = 0 }" });
    expect(await agent.reload()).toMatchObject({ outcome: "committed", generation: 2 });
    expect(agent.status().rejected).toBeUndefined();
    expect(await everywhere()).toEqual([3, 3]);
  });

  it("changes nothing when a module fails while it loads: file, line and require chain are told once", async () => {
    await start();
    await everywhere();
    tree.write({ "c.lua": "local t = nil\nreturn { v = t.x }" });
    const outcome = await agent.reload();
    expect(outcome.errors).toHaveLength(1);
    expect(outcome.errors[0]).toMatchObject({
      path: tree.path("c.lua"),
      line: 2,
      requiredBy: ["a", "lib.b"],
    });
    expect(outcome.errors[0]?.message).toContain("attempt to index");
  });

  it("changes nothing when a file that is required was deleted", async () => {
    await start();
    await everywhere();
    rmSync(tree.path("c.lua"));
    const outcome = await agent.reload();
    expect(outcome).toMatchObject({ outcome: "rejected", generation: 1 });
    expect(outcome.errors[0]).toMatchObject({ path: tree.path("lib/b.lua"), line: 1 });
    expect(outcome.errors[0]?.message).toContain("module 'c' not found");
    agent.pool.kill(1, "to see what a new VM loads");
    expect(await everywhere()).toEqual([1, 1]);
  });

  it("rejects a module that does not finish loading", async () => {
    await start(app, { reload: { canaryMs: 300 } });
    await everywhere();
    tree.write({ "c.lua": "while true do end" });
    const outcome = await agent.reload();
    expect(outcome.errors[0]?.message).toContain("did not finish loading within 300 ms");
    expect(await everywhere()).toEqual([1, 1]);
    tree.write({ "c.lua": "return { v = 'string.rep' .. #('x'):rep(10) }" });
    expect(await agent.reload()).toMatchObject({ outcome: "committed" });
  });

  it("replaces a VM that does not load what the canary had loaded, and says so", async () => {
    await start();
    await everywhere();
    tree.write({
      "c.lua":
        "if ngx.worker.id() == 1 and not once then once = true error('not here') end\nreturn { v = 2 }",
    });
    const outcome = await agent.reload();
    expect(outcome).toMatchObject({ outcome: "committed", generation: 2 });
    expect(outcome.vms.map(({ id, recycled }) => [id, recycled?.replace(/.*: /s, "")])).toEqual([
      [1, undefined],
      [2, "not here"],
    ]);
    await expect.poll(() => agent.status().vms.map(({ restarts }) => restarts)).toEqual([0, 1]);
  });

  it("says unchanged when nothing differs, and plans without doing when it is a dry run", async () => {
    await start();
    await everywhere();
    expect(await agent.reload()).toMatchObject({ outcome: "unchanged", generation: 1 });
    tree.write({ "c.lua": "return { v = 2 }" });
    const planned = await agent.reload({ dryRun: true });
    expect(planned).toMatchObject({ outcome: "planned", generation: 1 });
    expect(planned.evicted.map(({ name }) => name)).toEqual(["a", "lib.b", "c"]);
    expect(await everywhere()).toEqual([1, 1]);
    expect(planned.changes.map(({ roots }) => roots)).toEqual([["c"]]);
    expect(agent.reloader.history.list()).toEqual([]);
  });

  it("takes no change away from the watcher by a dry run", async () => {
    // Nothing but the dry run notices the change: no event is expected to settle before it.
    await start(app, { watch: { settleMs: 60_000, maxWaitMs: 60_000, sweepMs: 60_000 } });
    await everywhere();
    tree.write({ "c.lua": "return { v = 2 }" });
    const committed = nextOutcome((outcome) => outcome.trigger === "watch");
    expect(await agent.reload({ dryRun: true })).toMatchObject({ outcome: "planned", diskDiffers: true });
    expect(await committed).toMatchObject({ outcome: "committed", generation: 2, diskDiffers: false });
    expect(await everywhere()).toEqual([2, 2]);
  });

  it("commits what was rehearsed, not what the disk became meanwhile", async () => {
    await start();
    await everywhere();
    tree.write({ "c.lua": "return { v = 2 }" });
    const reload = agent.reload();
    const planned = new Promise<void>((resolve) => agent.on("plan", () => resolve()));
    await planned;
    // The canary loads now; the next step arrives before the commit.
    tree.write({ "c.lua": "return { v = 3 }" });
    const second = agent.reload();
    await reload;
    expect(await reload).toMatchObject({ generation: 2 });
    await second;
    expect(await everywhere()).toEqual([3, 3]);
  });
});

describe("a clean", () => {
  it("evicts the named modules with their dependents though nothing changed", async () => {
    await start();
    await everywhere();
    const outcome = await agent.reload({ names: ["c"], force: true }, "clean");
    expect(outcome).toMatchObject({ outcome: "committed", generation: 2, changes: [] });
    expect(outcome.evicted.map(({ name }) => name)).toEqual(["a", "lib.b", "c"]);
  });

  it("reads exactly the files of what it evicts: other changes stay out", async () => {
    await start();
    await everywhere();
    tree.write({ "lib/b.lua": "return { c = require 'c', new = true }", "stats.lua": "return { n = 100 }" });
    const outcome = await agent.reload({ names: ["c"], force: true }, "clean");
    expect(outcome.changes.map(({ path }) => path)).toEqual([tree.path("lib/b.lua")]);
    expect(((await agent.call("a", "f")) as unknown[])[1]).toBe(2);
  });

  it("keeps built-in and pinned modules", async () => {
    await start(app, { reload: { pinned: ["stats"] } });
    await everywhere();
    const outcome = await agent.reload({ names: ["string", "stats", "nowhere"], force: true }, "clean");
    expect(outcome.evicted).toEqual([]);
    expect(outcome.kept).toEqual([
      { name: "stats", why: "pinned" },
      { name: "string", why: "built in" },
      { name: "nowhere", why: "not loaded" },
    ]);
  });
});

describe("a pinned module that changed", () => {
  it("is committed for new VMs, while those that run keep it: recycle-required", async () => {
    await start(app, { reload: { pinned: ["c"] } });
    await everywhere();
    tree.write({ "c.lua": "return { v = 2 }" });
    expect(await agent.reload()).toMatchObject({
      outcome: "recycle-required",
      generation: 2,
      recycleRequired: ["c"],
    });
    expect(await everywhere()).toEqual([1, 1]);
    await agent.pool.recycleAll();
    expect(await everywhere()).toEqual([2, 2]);
  });

  it("replaces the VMs one after another where the config says so, and loses no request", async () => {
    await start(app, { reload: { pinned: ["c"], recycle: true } });
    await everywhere();
    tree.write({ "c.lua": "return { v = 2 }" });
    const reload = agent.reload();
    const during = Array.from({ length: 50 }, () => agent.call("a", "f"));
    expect(await reload).toMatchObject({ outcome: "committed", generation: 2 });
    await Promise.all(during);
    expect(await everywhere()).toEqual([2, 2]);
  });

  it("is rejected when it does not load in a new VM", async () => {
    await start(app, { reload: { pinned: ["c"] } });
    await everywhere();
    tree.write({ "c.lua": "error('not in a new VM either')" });
    const outcome = await agent.reload();
    expect(outcome).toMatchObject({ outcome: "rejected", generation: 1 });
    expect(outcome.errors[0]?.message).toContain("not in a new VM either");
  });
});

describe("rollback", () => {
  it("makes a new generation with an old one's sources, which stands until the disk changes", async () => {
    await start();
    for (const v of [2, 3]) {
      await everywhere();
      tree.write({ "c.lua": `return { v = ${v} }` });
      await agent.reload();
    }
    expect(await agent.rollback(1)).toMatchObject({
      outcome: "committed",
      generation: 4,
      trigger: "rollback",
    });
    expect(await everywhere()).toEqual([1, 1]);
    expect(agent.status().diskDiffers).toBe(true);
    expect(await agent.rollback(3)).toMatchObject({ generation: 5 });
    expect(await everywhere()).toEqual([3, 3]);
    expect(agent.status().diskDiffers).toBe(false);
  });

  it("tells where it went back to, and stands over reloads that bring nothing of the disk", async () => {
    await start();
    await everywhere();
    tree.write({ "c.lua": "return { v = 2 }" });
    await agent.reload();
    expect(await agent.rollback(1, "oops")).toMatchObject({
      rolledBackTo: 1,
      reason: "oops",
      diskDiffers: true,
    });
    expect(await agent.rollback(3)).toMatchObject({ outcome: "unchanged", rolledBackTo: 3 });
    expect(agent.status()).toMatchObject({ generation: 3, diskDiffers: true, rolledBackTo: 1 });
    expect(await agent.reload()).toMatchObject({ outcome: "committed", generation: 4, diskDiffers: false });
    expect(agent.status().rolledBackTo).toBeUndefined();
    expect(await everywhere()).toEqual([2, 2]);
  });

  it("stands while a file is written again with what it had, and falls when one changes", async () => {
    await start(app, { watch: { settleMs: 5 } });
    await everywhere();
    const second = nextOutcome(({ generation }) => generation === 2);
    tree.write({ "c.lua": "return { v = 2 }" });
    await second;
    await agent.rollback(1);
    tree.write({ "c.lua": "return { v = 2 }", "stats.lua": app["stats.lua"] });
    const next = nextOutcome(({ trigger }) => trigger === "watch");
    tree.write({ "fresh.lua": "return 1" });
    expect((await next).changes.map(({ path }) => path)).toEqual([
      tree.path("c.lua"),
      tree.path("fresh.lua"),
    ]);
    expect(agent.status().generation).toBe(4);
  });

  it.each([0, 2, 7, -1, 1.5, Number.NaN])("refuses generation %d: it is not kept", async (generation) => {
    await start();
    await expect(agent.rollback(generation)).rejects.toMatchObject({
      code: "generation-unknown",
      message: `generation ${generation} is not kept; there are 1 to 1`,
    });
  });

  it("is rejected when the old sources do not load any more, and says nothing of the disk then", async () => {
    // Nobody had loaded it in generation 1, so nobody asked whether it loads.
    await start({ ...app, "c.lua": "error('not finished')" });
    tree.write({ "c.lua": "return { v = 2 }" });
    await agent.reload();
    await everywhere();
    expect(await agent.rollback(1)).toMatchObject({ outcome: "rejected", generation: 2, rolledBackTo: 1 });
    expect(agent.status()).toMatchObject({
      rejected: undefined,
      diskDiffers: false,
      rolledBackTo: undefined,
    });
    expect(await everywhere()).toEqual([2, 2]);
  });

  it("leaves a rejection standing: what is on the disk is as it was", async () => {
    await start();
    await everywhere();
    tree.write({ "c.lua": "return { v = 2 }" });
    await agent.reload();
    tree.write({ "c.lua": "return { v = }" });
    const rejected = await agent.reload();
    await agent.rollback(1);
    expect(agent.status().rejected).toBe(rejected);
    tree.write({ "c.lua": "return { v = 2 }" });
    expect(await agent.reload()).toMatchObject({ outcome: "committed" });
    expect(agent.status().rejected).toBeUndefined();
  });

  it("gives a replaced VM the generation it went back to", async () => {
    await start();
    await everywhere();
    tree.write({ "c.lua": "return { v = 2 }" });
    await agent.reload();
    await agent.rollback(1);
    agent.pool.kill(2, "to see what a new VM loads");
    expect(await everywhere()).toEqual([1, 1]);
  });
});

describe("hold", () => {
  const hold = { owner: "deploy", reason: "copying", limitMs: 60_000 };

  it("collects changes and commits them as one on release", async () => {
    await start(app, { watch: { settleMs: 5 } });
    await everywhere();
    agent.hold(hold);
    tree.write({ "c.lua": "return { v = }" });
    expect(await agent.reload()).toMatchObject({ outcome: "held", generation: 1 });
    tree.write({ "c.lua": "return { v = 2 }", "stats.lua": "return { n = 10 }" });
    expect(agent.status().held).toBe(true);
    const outcome = await agent.release();
    expect(outcome).toMatchObject({ outcome: "committed", generation: 2, trigger: "release" });
    expect(outcome.hold).toMatchObject({ owner: "deploy", reason: "copying" });
    expect(outcome.changes).toHaveLength(2);
    expect(await everywhere()).toEqual([2, 2]);
    expect(agent.reloader.history.list()).toHaveLength(1);
  });

  it("stops a change set that was on its way when it began", async () => {
    await start();
    await everywhere();
    tree.write({ "c.lua": "return { v = 2 }" });
    agent.on("plan", () => agent.status().held || agent.hold(hold));
    expect(await agent.reload()).toMatchObject({
      outcome: "held",
      generation: 1,
      diskDiffers: true,
      hold: { owner: "deploy" },
    });
    expect(await everywhere()).toEqual([1, 1]);
  });

  it("stops a rollback, but not a dry run", async () => {
    await start();
    agent.hold(hold);
    tree.write({ "c.lua": "return { v = 2 }" });
    expect(await agent.rollback(1)).toMatchObject({ outcome: "held", hold: { reason: "copying" } });
    expect(await agent.reload({ dryRun: true })).toMatchObject({ outcome: "planned", changes: [{}] });
    expect(await agent.release()).toMatchObject({ outcome: "committed", generation: 2 });
  });

  it("is over when what it held is rejected: the old code goes on, and the reason stands", async () => {
    await start();
    await everywhere();
    agent.hold(hold);
    tree.write({ "c.lua": "return { v = }" });
    const outcome = await agent.release();
    expect(outcome).toMatchObject({ outcome: "rejected", generation: 1, hold: { owner: "deploy" } });
    expect(agent.status()).toMatchObject({ held: false, hold: undefined, rejected: outcome });
    expect(await everywhere()).toEqual([1, 1]);
  });

  it("is told from its absence when it is released", async () => {
    await start();
    const outcome = await agent.release();
    expect(outcome).toMatchObject({ outcome: "unchanged", trigger: "release" });
    expect(outcome.hold).toBeUndefined();
  });

  it("does not outlive the agent", async () => {
    await start();
    const logged: string[] = [];
    agent.on("log", (_level, message) => logged.push(message));
    agent.hold({ ...hold, limitMs: 1 });
    await agent.close();
    expect(agent.status().held).toBe(false);
    expect(logged).toEqual([]);
  });

  it("ends by itself when its time is over", async () => {
    await start();
    await everywhere();
    agent.hold({ ...hold, limitMs: 50 });
    tree.write({ "c.lua": "return { v = 2 }" });
    const released = new Promise((resolve) =>
      agent.on("outcome", (outcome) => outcome.trigger === "release" && resolve(outcome)),
    );
    expect(await released).toMatchObject({ outcome: "committed", generation: 2 });
  });

  it("lasts while the file .relua-hold is in the prefix", async () => {
    await start();
    await everywhere();
    const outcomes: string[] = [];
    const committed = new Promise<void>((resolve) =>
      agent.on("outcome", ({ outcome }) => {
        outcomes.push(outcome);
        if (outcome === "committed") resolve();
      }),
    );
    tree.write({ ".relua-hold": "ci is copying" });
    await expect.poll(() => agent.status().hold?.reason, { timeout: 5_000 }).toBe("ci is copying");
    tree.write({ "c.lua": "return { v = 2 }" });
    expect(await agent.reload()).toMatchObject({ outcome: "held" });
    rmSync(tree.path(".relua-hold"));
    await committed;
    expect(await everywhere()).toEqual([2, 2]);
  });

  it("is not ended by a file .relua-hold that goes away when somebody else holds by then", async () => {
    await start();
    tree.write({ ".relua-hold": "" });
    await expect.poll(() => agent.status().held, { timeout: 5_000 }).toBe(true);
    agent.hold(hold);
    // Comes and goes more slowly than it is looked at, until a coming was seen: so was the going before it.
    const seen: unknown[] = [];
    let turns = 0;
    const reason = () => {
      if (turns++ % 2 === 0) rmSync(tree.path(".relua-hold"));
      else tree.write({ ".relua-hold": "again" });
      seen.push(agent.status().held);
      return agent.status().hold?.reason;
    };
    await expect.poll(reason, { timeout: 20_000, interval: 600 }).toBe("again");
    expect(seen).not.toContain(false);
    expect(agent.reloader.history.list()).toEqual([]);
  });
});
