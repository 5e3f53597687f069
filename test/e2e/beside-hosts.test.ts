/** An agent without VMs: what it delivers is worked out from the sources alone, and what it has none for it refuses. */

import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { Agent } from "../../src/agent.ts";
import { type ConfigInput, parseConfig } from "../../src/config/index.ts";
import { createTree, type Tree } from "../support/tree.ts";

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

interface Beside {
  readonly tree: Tree;
  readonly agent: Agent;
  /** What the program was given, oldest first. */
  delivered(): readonly { generation: number; evicted: { name: string; because: string[] }[] }[];
}

/** Beside a program that keeps what it is given. */
async function startBeside(
  files: Readonly<Record<string, string>>,
  config: ConfigInput = {},
): Promise<Beside> {
  const tree = createTree(files);
  const kept = tree.path("delivered.jsonl");
  const keep = `let s = ""; process.stdin.on("data", (d) => { s += d; }).on("end", () => {
    require("fs").appendFileSync(${JSON.stringify(kept)}, JSON.stringify(JSON.parse(s)) + "\\n"); });`;
  const agent = new Agent(
    parseConfig({
      prefix: tree.root,
      luaPackagePath: "$prefix/?.lua;$prefix/?/init.lua",
      control: { listen: "127.0.0.1:0" },
      watch: false,
      targets: [{ type: "command", name: "keeper", run: [process.execPath, "-e", keep] }],
      ...config,
    }),
    { hosting: false },
  );
  endings.push(async () => {
    await agent.close();
    tree.remove();
  });
  await agent.start();
  return {
    tree,
    agent,
    delivered: () =>
      readFileSync(kept, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
  };
}

describe("an agent beside a host", () => {
  const files = {
    "a.lua": 'local b = require("lib/b") return { b = b }',
    "other.lua": 'local M = {} function M.late() return pcall(require, "lib.b") end return M',
    "lib/b.lua": 'return require "lib.c"',
    "lib/c.lua": "return 1",
    "aside.lua": "return 2",
  };

  it("delivers the closure that the sources tell, under every name that they use", async () => {
    const { tree, agent, delivered } = await startBeside(files);
    tree.write({ "lib/c.lua": "return 2" });
    const outcome = await agent.reload({ waitMs: 20_000 });
    expect(outcome).toMatchObject({ outcome: "committed", generation: 2, vms: [], missing: [] });
    const [plan] = delivered().slice(-1);
    expect(plan).toMatchObject({ generation: 2 });
    const names = plan!.evicted.map(({ name }) => name);
    expect([...names].sort()).toEqual(["a", "lib.b", "lib.c", "lib/b", "other"]);
    expect(names.at(-1), "dependents first").toBe("lib.c");
    expect(plan!.evicted.find(({ name }) => name === "a")?.because).toEqual(["lib.c", "lib/b", "a"]);
  });

  it("delivers what is asked for though nothing changed: names with their dependents, or everything", async () => {
    const { agent, delivered } = await startBeside(files);
    const names = () =>
      delivered()
        .at(-1)
        ?.evicted.map(({ name }) => name)
        .sort();
    await agent.reload({ names: ["lib.b"], force: true, waitMs: 20_000 });
    expect(names()).toEqual(["a", "lib.b", "lib/b", "other"]);
    const all = await agent.reload({ all: true, waitMs: 20_000 });
    expect(all).toMatchObject({ outcome: "committed", kept: [] });
    expect(names()).toEqual(["a", "aside", "lib.b", "lib.c", "lib/b", "other"]);
  });

  it("learns from each commit what the new sources require", async () => {
    const { tree, agent, delivered } = await startBeside(files);
    tree.write({ "aside.lua": 'return require("lib.c")' });
    await agent.reload({ waitMs: 20_000 });
    tree.write({ "lib/c.lua": "return 3", "a.lua": "return 4" });
    await agent.reload({ waitMs: 20_000 });
    tree.write({ "lib/c.lua": "return 5" });
    await agent.reload({ waitMs: 20_000 });
    const [plan] = delivered().slice(-1);
    const names = plan!.evicted.map(({ name }) => name);
    expect(names).toContain("aside");
    expect(names, "it requires nothing any more").not.toContain("a");
  });

  it("rejects what does not parse, with its place, and delivers nothing", async () => {
    const { tree, agent } = await startBeside(files);
    tree.write({ "lib/c.lua": "return 1\nreturn return", "aside.lua": "return 3" });
    const outcome = await agent.reload();
    expect(outcome).toMatchObject({
      outcome: "rejected",
      generation: 1,
      errors: [{ path: tree.path("lib/c.lua"), line: 2 }],
      targets: [],
    });
    tree.write({ "lib/c.lua": "return 1" });
    expect(await agent.reload()).toMatchObject({ outcome: "committed", generation: 2 });
  });

  it("asks the host's own interpreter, where the config names it", async () => {
    // Refuses what has 1LL in it, as Lua 5.1 would.
    const refuse = `const f = process.argv.at(-1); const at = require("fs").readFileSync(f, "utf8").split("\\n")
      .findIndex((line) => line.includes("1LL")) + 1;
      if (at > 0) { console.error("lua: " + f + ":" + at + ": malformed number near '1LL'"); process.exit(1); }`;
    const { tree, agent } = await startBeside(files, {
      reload: { hostCheck: [process.execPath, "-e", refuse, "--"] },
    });
    tree.write({ "lib/c.lua": "local x\nreturn 1LL" });
    expect(await agent.reload()).toMatchObject({
      outcome: "rejected",
      errors: [
        { path: tree.path("lib/c.lua"), line: 2, message: expect.stringContaining("malformed number") },
      ],
    });
    tree.write({ "lib/c.lua": "return 2" });
    expect(await agent.reload()).toMatchObject({ outcome: "committed" });
  });

  it("refuses what needs VMs of its own", async () => {
    const { tree, agent } = await startBeside(files);
    tree.write({ "lib/c.lua": "return 2" });
    await agent.reload();
    const refused = { code: "no-vms" };
    await expect(agent.rollback(1)).rejects.toMatchObject(refused);
    await expect(agent.call("a", "b")).rejects.toMatchObject(refused);
    expect(agent.status().vms).toEqual([]);
    const answer = await fetch(`http://${agent.addresses.control}/api/v1/rollback`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"generation":1}',
    });
    expect([answer.status, await answer.json()]).toMatchObject([409, refused]);
    expect((await fetch(`http://${agent.addresses.control}/readyz`)).status).toBe(200);
  });
});
