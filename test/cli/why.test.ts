/** `relua why`, `graph` and `resolve`: every answer has a reason, with an agent and, where that is enough, without one. */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folderWith, freePort, Relua, relua, write } from "./relua.ts";

const files = {
  "apps/a.lua": "local b = require 'lib.b'\nreturn { value = b.value }",
  "apps/lib/b.lua": "return { value = 1 }",
  "apps/lazy.lua": "return { go = function() return require 'lib.b' end }",
  "apps/aside.lua": "return {}",
  "more/aside.lua": "return {}",
};

/** An agent whose VMs have loaded a and lib.b. */
async function serving() {
  const port = await freePort();
  const cwd = folderWith({
    "watch.config.ts": `export default ${JSON.stringify({
      luaPackagePath: "$prefix/apps/?.lua;$prefix/more/?.lua",
      threads: 1,
      watch: false,
      initBy: "require 'a'",
      control: { listen: `127.0.0.1:${port}` },
    })};`,
    ...files,
  });
  const agent = new Relua(["serve"], { cwd });
  await agent.untilOut(/^relua \S+ ready/m);
  return { cwd, run: (...args: readonly string[]) => relua(args, { cwd }) };
}

describe("relua why", () => {
  it("tells of a module what it is, why it went, and what a change would do, with places", async () => {
    const { cwd, run } = await serving();
    const before = await run("why", "lib.b");
    expect(before).toMatchObject({ code: 0, err: "" });
    const lines = before.out.split("\n");
    expect(lines[0]).toMatch(
      /^lib\.b {2}apps\/lib\/b\.lua {2}[0-9a-f]{16} {2}in VM 1, loaded in generation 1$/,
    );
    expect(lines[1]).toBe("now: apps/lib/b.lua is on the disk as it runs");
    expect(before.out).toContain(
      "a change would evict 2 modules:\n    apps/lib/b.lua changed → lib.b → a (load, apps/a.lua:1)\n",
    );
    expect(before.out).toContain("\n    lazy (call, apps/lazy.lua:1, by its source)");

    write(cwd, "apps/lib/b.lua", "return { value = 2 }");
    await run("reload");
    const after = (await run("why", "a")).out;
    expect(after).toMatch(
      /\nlast: \S+ #1 generation 2: apps\/lib\/b\.lua changed → lib\.b → a \(load, apps\/a\.lua:1\)\n/,
    );
    expect((await run("why", "apps/lib/b.lua")).out).toMatch(
      /^apps\/lib\/b\.lua {2}[0-9a-f]{16}\n {4}lib\.b: in VM 1\n[\s\S]*\nlast: .*: changed, evicted a, lib\.b\n/,
    );
  });

  it("has a reason for what stays: not loaded, shadowed, pinned, outside, nowhere, rejected", async () => {
    const { cwd, run } = await serving();
    expect((await run("why", "lazy")).out).toContain("now: no VM has loaded it\n");
    expect((await run("why", "more/aside.lua")).out).toContain("apps/aside.lua answers to it");
    expect((await run("why", "string")).out).toContain("now: built in: every VM has it from its start");
    write(cwd, "else.lua", "");
    expect((await run("why", "else.lua")).out).toContain("outside the search path");
    expect(await run("why", "no.such")).toMatchObject({
      code: 1,
      err: expect.stringMatching(/not-found.*no\.such.*\n {4}no file apps\/no\/such\.lua\n/),
    });
    write(cwd, "apps/lib/b.lua", "return return");
    await run("reload");
    expect((await run("why", "lib.b")).out).toMatch(/now: rejected in #1: apps\/lib\/b\.lua:1: /);
    expect(JSON.parse((await run("why", "lib.b", "--json")).out)).toMatchObject({
      reasons: [{ code: "rejected" }],
    });
  });
});

describe("relua graph", () => {
  it("draws for Graphviz and Mermaid, and tells programs", async () => {
    const { run } = await serving();
    const dot = (await run("graph", "--around", "lib.b", "--depth", "1")).out;
    expect(dot).toMatch(/^digraph modules \{\n[\s\S]*\}\n$/);
    expect(dot).toContain('label="lazy"');
    expect((await run("graph", "--format", "mermaid")).out).toMatch(/^flowchart LR\n/);
    const { edges } = JSON.parse((await run("graph", "--json")).out) as { edges: object[] };
    expect(edges).toContainEqual({ from: "a", to: "lib.b", kind: "load", at: "apps/a.lua:1" });
    expect(edges).toContainEqual({
      from: "lazy",
      to: "lib.b",
      kind: "call",
      at: "apps/lazy.lua:1",
      static: true,
    });
    expect(await run("graph", "--depth", "1")).toMatchObject({ code: 2 });
    expect(await run("graph", "--around", "no.such")).toMatchObject({ code: 1 });
  });
});

describe("relua resolve", () => {
  const asked = ["lib.b", "apps/lib/b.lua", "aside", "no.such", "more/aside.lua"];

  it("says without an agent what an agent says", async () => {
    const { cwd, run } = await serving();
    const told = async () =>
      Promise.all(asked.map(async (one) => JSON.parse((await run("resolve", one, "--json")).out) as object));
    const byAgent = await told();
    // Another folder's config, whose agent does not run.
    const alone = folderWith({ "watch.config.ts": `export default ${alonesConfig};`, ...files });
    const byDisk = await Promise.all(
      asked.map(
        async (one) => JSON.parse((await relua(["resolve", one, "--json"], { cwd: alone })).out) as object,
      ),
    );
    expect(byDisk).toEqual(byAgent);
    expect(byAgent[2]).toMatchObject({ name: "aside", file: "apps/aside.lua", shadowed: ["more/aside.lua"] });
    rmSync(join(cwd, "apps/aside.lua"));
    expect((await run("resolve", "aside")).out, "what runs, not the disk").toContain("aside: apps/aside.lua");
  });

  it("exits 1 where a name leads nowhere, with what was tried", async () => {
    const alone = folderWith({ "watch.config.ts": `export default ${alonesConfig};`, ...files });
    expect(await relua(["resolve", "no.such"], { cwd: alone })).toEqual({
      code: 1,
      out: [
        "no.such: nowhere",
        "    nothing on the search path answers to it",
        "    nothing at apps/no/such.lua",
        "    nothing at more/no/such.lua",
        "no agent answers: this is what is on the disk",
        "",
      ].join("\n"),
      err: "",
    });
    const found = await relua(["resolve", "lib/b"], { cwd: alone });
    expect(found).toMatchObject({ code: 0, out: expect.stringMatching(/^lib\.b: apps\/lib\/b\.lua\n/) });
    expect(await relua(["resolve", "lib.b", "--url", "127.0.0.1:1"], { cwd: alone })).toMatchObject({
      code: 1,
    });
  });
});

/** A port on which nobody listens. */
const alonesConfig = JSON.stringify({
  luaPackagePath: "$prefix/apps/?.lua;$prefix/more/?.lua",
  control: { listen: "127.0.0.1:1" },
});
