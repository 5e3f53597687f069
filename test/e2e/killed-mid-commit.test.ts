/** A thread that dies while a commit is on its way takes nothing with it but what it was running. */

import { expect, it } from "vitest";
import type { Delivery } from "../../src/core/delivery.ts";
import type { Target } from "../../src/reload/target.ts";
import type { Pool } from "../../src/vm/pool.ts";
import { PoolTarget } from "../../src/vm/pool-target.ts";
import { type Site, type SiteOptions, startSite } from "../support/agent.ts";
import { type Answer, ask, everyBody } from "../support/http.ts";

const source = (version: number) => ({
  "app.lua": `return { v = ${version}, mid = require "mid" }`,
  "mid.lua": `return { v = ${version}, base = require "base" }`,
  "base.lua": `return { v = ${version} }`,
});
const locations = {
  "/": `local app = require "app" ngx.print(app.v, " ", app.mid.v, " ", app.mid.base.v)`,
  "/oom": "local all = {} while true do all[#all + 1] = { {}, {}, {} } end",
  "/loop": "while true do end",
  // No instruction hook reaches into the matching of a pattern.
  "/stuck": `return (("a"):rep(40):match(("a*"):rep(40) .. "b"))`,
};

/** A site under load, whose version is its generation: what each client was told when, and what it was answered. */
class Load {
  readonly site: Site;
  /** Answers and breaks that were wrong. */
  readonly wrong: string[] = [];
  /** Requests that got no 200. */
  failed = 0;
  answered = 0;
  #generation = 1;
  #on = true;
  readonly #clients: readonly Promise<void>[];

  constructor(site: Site, clients: number) {
    this.site = site;
    this.#clients = Array.from({ length: clients }, () => this.#client());
  }

  static async start(options: Omit<SiteOptions, "files" | "locations">): Promise<Load> {
    return new Load(await startSite({ files: source(1), locations, ...options }), 8);
  }

  /** Writes the next version and commits it. */
  async commit(): Promise<void> {
    const next = this.#generation + 1;
    this.site.tree.write(source(next));
    const { outcome, generation } = await this.site.agent.reload();
    if (outcome !== "committed" || generation !== next) this.wrong.push(`${outcome} ${generation}`);
    this.#generation = next;
  }

  async stop(): Promise<void> {
    this.#on = false;
    await Promise.all(this.#clients);
  }

  /** Every VM serves, and what it serves is the last version. */
  async expectWhole(): Promise<void> {
    const { agent } = this.site;
    const isWhole = () =>
      agent
        .status()
        .vms.every(({ state, generation }) => state === "ready" && generation === this.#generation);
    await expect.poll(isWhole, { timeout: 10_000 }).toBe(true);
  }

  async #client(): Promise<void> {
    while (this.#on) {
      const floor = this.#generation;
      const answer = await ask(this.site.url).catch((error: Error) => error);
      if (!("status" in answer)) this.wrong.push(`connection: ${answer.message}`);
      else if (answer.status === 200) this.#judge(answer, floor);
      else this.failed++;
    }
  }

  #judge({ body, generation }: Answer, floor: number): void {
    this.answered++;
    if (generation < floor) this.wrong.push(`generation ${generation} after ${floor} was reported`);
    if (body !== `${generation} ${generation} ${generation}`)
      this.wrong.push(`generation ${generation} answered ${body}`);
  }
}

/** Kills a VM in the very turn of each commit, before or after it is told of it. */
class DeadlyTarget implements Target {
  readonly name = "deadly";
  readonly #pool: Pool;
  readonly #target: PoolTarget;
  kills = 0;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#target = new PoolTarget(pool);
  }

  commit(order: Delivery): void {
    const vm = (order.generation % 2) + 1;
    const isBefore = order.generation % 4 < 2;
    const kill = () => this.#pool.kill(vm, "killed in the turn of a commit");
    this.kills++;
    if (isBefore) kill();
    this.#target.commit(order);
    if (!isBefore) kill();
  }

  recycle(): Promise<void> {
    return this.#target.recycle();
  }

  applied(generation: number, withinMs: number): ReturnType<Target["applied"]> {
    return this.#target.applied(generation, withinMs);
  }
}

it("killed in the very turn of a commit: nothing stale, and only what ran on it is lost", async () => {
  let target: DeadlyTarget | undefined;
  const load = await Load.start({
    substitutes: {
      target: (pool) => {
        target = new DeadlyTarget(pool);
        return target;
      },
    },
  });
  for (let round = 0; round < 12; round++) {
    await load.commit();
    await load.expectWhole();
  }
  await load.stop();
  expect(load.wrong).toEqual([]);
  expect(target?.kills).toBe(12);
  // Handlers do not wait, so a VM runs one request at a time.
  expect(load.failed).toBeLessThanOrEqual(12);
  expect(load.answered).toBeGreaterThan(20);
});

it("killed while the canary loads: the commit goes on, and the new VM begins on it", async () => {
  const load = await Load.start({});
  const { agent } = load.site;
  let kills = 0;
  agent.on("plan", () => {
    kills++;
    agent.pool.kill((kills % 2) + 1, "killed during a rehearsal");
  });
  for (let round = 0; round < 6; round++) {
    await load.commit();
    await load.expectWhole();
  }
  await load.stop();
  expect(load.wrong).toEqual([]);
  expect(load.failed).toBeLessThanOrEqual(kills);
});

it.each([
  ["out of memory", "/oom", { limits: { heapMb: 48 } }, true],
  ["stuck where no limit reaches", "/stuck", { limits: { requestMs: 200 } }, true],
  ["in an endless loop", "/loop", { limits: { requestMs: 200 } }, false],
])(
  "%s during commits: that request fails, all others are answered, none by old code",
  async (_title, path, config, dies) => {
    const load = await Load.start({ config });
    for (let round = 0; round < 2; round++) {
      const fatal = ask(`${load.site.url}${path}`);
      let isOver = false;
      void fatal.then(() => {
        isOver = true;
      });
      while (!isOver) await load.commit();
      expect((await fatal).status).toBeGreaterThanOrEqual(500);
      await load.expectWhole();
    }
    await load.stop();
    expect(load.wrong).toEqual([]);
    expect(load.failed).toBe(0);
    const restarts = load.site.agent.status().vms.map((vm) => vm.restarts);
    expect(restarts.reduce((sum, each) => sum + each)).toBe(dies ? 2 : 0);
  },
);

it("in the canary, by code that dies while it loads: the change is rejected, and the next good one committed", async () => {
  const config = { limits: { heapMb: 48 }, reload: { canaryMs: 500 } };
  const { agent, tree, url } = await startSite({ files: source(1), locations, config });
  const bodies = () => everyBody(url, 2);
  expect(await bodies()).toEqual(["1 1 1", "1 1 1"]);
  for (const [version, fatal] of [locations["/oom"], locations["/stuck"], locations["/loop"]].entries()) {
    tree.write({ "base.lua": fatal });
    expect(await agent.reload()).toMatchObject({ outcome: "rejected", generation: version + 1 });
    expect(await bodies()).toEqual(Array(2).fill(`${version + 1} ${version + 1} ${version + 1}`));
    tree.write(source(version + 2));
    expect(await agent.reload()).toMatchObject({ outcome: "committed", generation: version + 2 });
    expect(await bodies()).toEqual(Array(2).fill(`${version + 2} ${version + 2} ${version + 2}`));
  }
  expect(agent.status().vms.map(({ restarts }) => restarts)).toEqual([0, 0]);
});

it("(control) the load tells when a VM goes on with old code", async () => {
  const vmEntry = new URL("../fixtures/model/deaf-second-vm.mjs", import.meta.url).pathname;
  const load = await Load.start({ substitutes: { vmEntry } });
  for (let round = 0; round < 3; round++) await load.commit();
  await expect.poll(() => load.wrong.length).toBeGreaterThan(0);
  await load.stop();
  expect(load.wrong[0]).toMatch(/generation 1 after \d was reported/);
});
