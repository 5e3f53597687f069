/** A deploy from the shell, as a user sees it: hold, copy, release; a broken release; a way back; what history and status say. */

import { describe, expect, it } from "vitest";
import { relua } from "../cli/relua.ts";
import { ask, askEveryVm, everyBody } from "../support/http.ts";
import { type Served, serveFiles, serversWith } from "../support/served.ts";

const files = {
  "app.lua": `local price = require "lib.price"
return function() ngx.say(price.tax.percent, " ", require("lib.label")) end`,
  "lib/price.lua": `return { tax = require "lib.tax" }`,
  "lib/tax.lua": "return { percent = 19 }",
  "lib/label.lua": `return "first"`,
};

const serve = (more = "") =>
  serveFiles(files, `{ servers: ${serversWith({ "/": "require 'app' ()" })}, ${more} }`);

const run = (served: Served, ...args: readonly string[]) => relua([...args, "--url", served.control]);
const lines = (text: string) => text.trimEnd().split("\n");
const answers = async (served: Served) => [...new Set(await everyBody(`${served.url}/`, served.vms))];

/** Waits until the agent has noticed that the disk differs from what runs. */
async function untilNoticed(served: Served): Promise<void> {
  const differs = async () => JSON.parse((await ask(`${served.control}/api/v1/status`)).body).diskDiffers;
  await expect.poll(differs, { timeout: 20_000 }).toBe(true);
}

/** Each command is a process of its own, and every test runs several. */
const timeoutMs = 90_000;

describe("a deploy", { timeout: timeoutMs }, () => {
  it("is one generation when it is held while files are copied", async () => {
    const served = await serve();
    expect(await answers(served)).toEqual(["19 first\n"]);
    const held = await run(served, "hold", "--owner", "ci", "--reason", "deploy 42", "--limit", "5m");
    expect(held).toMatchObject({ code: 0, err: "" });
    expect(held.out).toMatch(
      /^changes are held by ci: deploy 42, until relua release, for (4|5) min at most\n$/,
    );
    // Half of the copy would not load.
    served.write("lib/price.lua", `return { tax = require "lib.tax.rates" }`);
    await untilNoticed(served);
    const { out } = await run(served, "status");
    expect(out).toMatch(/^the disk differs from what runs \(held\)$/m);
    expect(out).toMatch(/^changes are held by ci: deploy 42, since \d{4}-\S+Z, for another \d+ (min|s)$/m);
    expect(await run(served, "reload")).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining("held (api) by ci: deploy 42; nothing is reloaded until the release"),
    });
    served.write("lib/tax/rates.lua", "return { percent = 7 }");
    served.write("lib/label.lua", `return "second"`);
    expect(await answers(served)).toEqual(["19 first\n"]);

    const released = await run(served, "release", "--reason", "copied");
    expect(released).toMatchObject({ code: 0, err: "" });
    expect(lines(released.out)).toEqual([
      expect.stringMatching(
        /generation 2 \(release: copied\): lib\/label\.lua, lib\/price\.lua changed, lib\/tax\/rates\.lua added → 3 modules evicted/,
      ),
      "    the hold of ci: deploy 42 is over",
    ]);
    const after = await askEveryVm(`${served.url}/`, served.vms);
    for (const { body, generation } of after.values()) expect([body, generation]).toEqual(["7 second\n", 2]);
    expect(lines((await run(served, "history")).out)).toHaveLength(1);
    await served.stop();
  });

  it("that does not load changes nothing: the release exits 1, and status says why until it is repaired", async () => {
    const served = await serve();
    expect(await answers(served)).toEqual(["19 first\n"]);
    expect((await run(served, "hold")).code).toBe(0);
    served.write("lib/tax.lua", "return { percent = }");
    served.write("lib/label.lua", `return "second"`);
    const rejected = await run(served, "release");
    expect(rejected).toMatchObject({ code: 1, out: "" });
    expect(rejected.err).toMatch(
      /rejected \(release\).*still running generation 1\n {4}lib\/tax\.lua:1: unexpected symbol/,
    );
    expect(await answers(served)).toEqual(["19 first\n"]);
    const { out } = await run(served, "status");
    expect(lines(out).slice(0, 2)).toEqual([
      expect.stringMatching(/^generation 1, up/),
      "the disk differs from what runs (rejected)",
    ]);
    expect(out).toMatch(/^what is on disk does not load:\n.*rejected.*\n {4}lib\/tax\.lua:1: /m);
    served.write("lib/tax.lua", "return { percent = 7 }");
    await served.command.untilOut(/generation 2: lib\/label\.lua, lib\/tax\.lua changed/);
    expect(await answers(served)).toEqual(["7 second\n"]);
    expect((await run(served, "status")).out).not.toMatch(/the disk differs|does not load/);
    await served.stop();
  });

  it("can be taken back: a rollback stands until the disk changes, and the history tells all of it", async () => {
    const served = await serve();
    expect(await answers(served)).toEqual(["19 first\n"]);
    served.write("lib/tax.lua", "return { percent = 7 }");
    await served.command.untilOut(/generation 2: lib\/tax\.lua changed/);
    served.write("lib/label.lua", "return {");
    await served.command.untilErr(/rejected: lib\/label\.lua changed/);

    const back = await run(served, "rollback", "1", "--reason", "wrong tax");
    expect(back).toMatchObject({ code: 0, err: "" });
    expect(lines(back.out)).toEqual([
      expect.stringMatching(
        /generation 3 \(rollback to generation 1: wrong tax\): lib\/tax\.lua changed → .* evicted/,
      ),
      "    it stands until the disk changes; the disk differs from it",
    ]);
    expect(await answers(served)).toEqual(["19 first\n"]);
    const { out } = await run(served, "status");
    expect(out).toContain("the disk differs from what runs (rollback to generation 1, rejected)\n");
    expect(out).toContain("what is on disk does not load:");

    const history = await run(served, "history");
    expect(history).toMatchObject({ code: 0, err: "" });
    expect(lines(history.out)).toEqual([
      expect.stringMatching(/ generation 3 \(rollback to generation 1: wrong tax\)/),
      expect.stringMatching(/ rejected: lib\/label\.lua changed; still running generation 2$/),
      expect.stringMatching(/ generation 2: lib\/tax\.lua changed/),
    ]);
    expect(lines((await run(served, "history", "-n", "1")).out)).toHaveLength(1);
    const id = / #(\d+) generation 2: /.exec(history.out)?.[1] ?? "";
    const detail = (await run(served, "history", id)).out;
    expect(detail).toContain(
      "\n    lib/tax.lua changed → lib.tax → lib.price (load, lib/price.lua:1) → app (load, app.lua:1)\n",
    );
    expect(detail).toMatch(/\nstages:\n {4}scan .* canary .* commit /);

    served.write("lib/label.lua", `return "second"`);
    await served.command.untilOut(/generation 4: lib\/label\.lua, lib\/tax\.lua changed/);
    expect(await answers(served)).toEqual(["7 second\n"]);
    await served.stop();
  });

  it("is told when nobody held, and when a generation is not kept", async () => {
    const served = await serve();
    expect(await run(served, "release")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/unchanged \(release\).*\n {4}nobody held\n$/),
    });
    expect(await run(served, "rollback", "7")).toEqual({
      code: 1,
      out: "",
      err: "relua: the agent refused (generation-unknown): generation 7 is not kept; there are 1 to 1\n",
    });
    expect(await run(served, "rollback", "1")).toMatchObject({
      code: 0,
      out: expect.stringContaining("unchanged"),
    });
    expect((await run(served, "history")).out).toBe("nothing was committed or rejected since the start\n");
    expect(await run(served, "history", "99")).toMatchObject({ code: 1 });
    await served.stop();
  });

  it("is committed when the hold's time is over and nobody released it", async () => {
    const served = await serve("watch: false");
    await answers(served);
    served.write("lib/tax.lua", "return { percent = 7 }");
    expect((await run(served, "hold", "--owner", "ci", "--limit", "200ms")).code).toBe(0);
    const [text] = await served.command.untilOut(/generation 2 .*(\n.*){1}/);
    expect(text).toMatch(/^generation 2 \(release: the hold's time was over\): lib\/tax\.lua changed/);
    expect(text).toContain("the hold of ci is over");
    await served.command.untilErr(/the hold of ci was not released within 200 ms: it is over/);
    expect(await answers(served)).toEqual(["7 first\n"]);
    await served.stop();
  });
});

describe("a dry run", { timeout: timeoutMs }, () => {
  it("prints the plan and does nothing; the reload after it does as planned", async () => {
    const served = await serve("watch: false, reload: { pinned: ['lib.price'] }");
    await answers(served);
    served.write("lib/tax.lua", "return { percent = 7 }");
    served.write("lib/label.lua", `return "second"`);
    served.write("lib/fresh.lua", "return 1");
    const plan = await run(served, "reload", "--dry-run");
    expect(plan).toMatchObject({ code: 0, err: "" });
    expect(lines(plan.out)).toEqual([
      "plan: 3 files differ from generation 1, 3 modules to evict; nothing was done",
      "    lib/label.lua changed → lib.label → app (call, app.lua:2)",
      "    lib/tax.lua changed → lib.tax",
      "    lib/fresh.lua added: no loaded module concerned",
      "kept:",
      "    lib.fresh: not loaded",
      "    lib.price: pinned; stale holder of lib.tax",
    ]);
    const planned = JSON.parse((await run(served, "reload", "--dry-run", "--json")).out);
    expect(planned).toMatchObject({ outcome: "planned", generation: 1, diskDiffers: true });
    expect(await answers(served)).toEqual(["19 first\n"]);

    const done = JSON.parse((await run(served, "reload", "--json")).out);
    expect(done).toMatchObject({ outcome: "committed", generation: 2 });
    const { changes, evicted, kept } = planned;
    expect({ changes: done.changes, evicted: done.evicted, kept: done.kept }).toEqual({
      changes,
      evicted,
      kept,
    });
    expect(await answers(served)).toEqual(["19 second\n"]);
    await served.stop();
  });
});
