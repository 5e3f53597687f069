/** What becomes of a source whose thread dies. */

import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import { cleanUp, Follower, follow, makeTree, optionsFor, watching, write } from "./tree.ts";

afterEach(cleanUp);

/** Starts threads as the source does, and keeps them at hand. */
function threads() {
  const started: Worker[] = [];
  const start = (workerData: unknown) => {
    const entry = createRequire(import.meta.url).resolve("#source-thread");
    const worker = new Worker(entry, { workerData });
    started.push(worker);
    return worker;
  };
  return { started, start };
}

describe("a source whose thread died", () => {
  it("says so, starts another one, and loses no change in between", async () => {
    const root = makeTree({ "a.lua": "1", "b.lua": "2", "c.lua": "3" });
    const { started, start } = threads();
    const disk = await follow(optionsFor(root, { watch: watching }), start);
    for (const text of ["x", "y"]) {
      write(join(root, "a.lua"), text);
      await disk.until(() => disk.text(join(root, "a.lua")) === text && !disk.status().pending);
    }
    const steps = disk.steps.length;
    await started[0]?.terminate();
    await disk.until(() => disk.warnings.length === 1);
    expect(disk.warnings[0]).toMatch(/^source-failed: /);
    expect(disk.status()).toMatchObject({ pending: true, live: false });
    await expect(disk.source.reconcile("all")).rejects.toMatchObject({ code: "source-failed" });
    write(join(root, "b.lua"), "z");
    rmSync(join(root, "c.lua"));
    await disk.until(() => disk.status().live && !disk.status().pending);
    expect(disk.texts()).toEqual({ [join(root, "a.lua")]: "y", [join(root, "b.lua")]: "z" });
    expect(disk.steps.slice(steps)).toMatchObject([
      { present: [{ path: join(root, "b.lua") }], absent: [join(root, "c.lua")] },
    ]);
    write(join(root, "a.lua"), "after");
    await disk.until(() => disk.text(join(root, "a.lua")) === "after");
    expect(started.length).toBe(2);
  });

  it("ends the progress of the pass that died with it", async () => {
    const { started, start } = threads();
    const disk = await follow(optionsFor(makeTree({ "a.lua": "1" }), { watch: watching }), start);
    const told: string[] = [];
    disk.source.on("progress", (done, total) => told.push(`${done} of ${total}`));
    // As the thread says it when a pass takes more than a second.
    started[0]!.emit("message", { type: "progress", done: 1, total: 9 });
    await started[0]?.terminate();
    await disk.until(() => started.length === 2 && disk.status().live);
    expect(told).toEqual(["1 of 9", "0 of 0"]);
  });

  it("emits no step when nothing has changed", async () => {
    const root = makeTree({ "a.lua": "1" });
    const { started, start } = threads();
    const disk = await follow(optionsFor(root, { watch: watching }), start);
    await started[0]?.terminate();
    await disk.until(() => started.length === 2 && disk.status().live && !disk.status().pending);
    expect(disk.steps.length).toBe(1);
    expect((await disk.reconcile("all")).sequence).toBe(2);
  });

  it("refuses what was asked of it, and answers again afterwards", async () => {
    const root = makeTree({ "a.lua": "1" });
    const { started, start } = threads();
    const disk = await follow(optionsFor(root), start);
    // A fast thread would answer before it dies: what is asked of this one does not reach it.
    started[0]!.postMessage = () => {};
    const refused = expect(disk.source.reconcile("all")).rejects.toMatchObject({ code: "source-failed" });
    await started[0]?.terminate();
    await refused;
    await disk.until(() => started.length === 2 && !disk.status().pending);
    write(join(root, "a.lua"), "2");
    await disk.reconcile("all");
    expect(disk.text(join(root, "a.lua"))).toBe("2");
  });

  it("refuses to start when the thread cannot", async () => {
    const dead = () => new Worker("throw new Error('no such thing')", { eval: true });
    const disk = new Follower(optionsFor(makeTree()), dead);
    await expect(disk.start()).rejects.toMatchObject({
      code: "source-failed",
      message: expect.stringContaining("no such thing"),
    });
    expect(disk.warnings).toEqual([]);
  });
});
