/** A program as a target: it gets the plan, its exit code is understood, and it never outlives its time. */

import { chmodSync, existsSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { createTargets, type TargetSettings } from "../../src/targets/targets.ts";
import { until } from "../support/nginx.ts";
import { createTree, type Tree } from "../support/tree.ts";
import { AgentSide, deliveryOf } from "./agent-side.ts";

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

interface Place {
  readonly tree: Tree;
  readonly side: AgentSide;
  readonly target: ReturnType<typeof createTargets>[number];
  /** Lines of the file `told`. */
  readonly told: () => readonly string[];
}

/** A shell script as the program; it runs in the tree. */
function beside(script: string, more: Partial<Extract<TargetSettings, { type: "command" }>> = {}): Place {
  const tree = createTree({ program: `#!/bin/sh\n${script}\n` });
  endings.push(tree.remove);
  chmodSync(tree.path("program"), 0o755);
  const side = new AgentSide(
    { [tree.path("a.lua")]: "a1", [tree.path("b.lua")]: "b1" },
    { prefix: tree.root },
  );
  const [target] = createTargets(
    [
      {
        type: "command",
        name: "publish",
        run: [tree.path("program"), "one argument"],
        timeoutMs: 10_000,
        ...more,
      },
    ],
    side.context,
  );
  if (!target) throw new Error("no target");
  endings.push(() => target.close());
  const told = () =>
    existsSync(tree.path("told")) ? readFileSync(tree.path("told"), "utf8").trimEnd().split("\n") : [];
  return { tree, side, target, told };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie that nobody has waited for yet runs nothing.
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

describe("a program", () => {
  it("gets one JSON document on its standard input, and what it is about in its environment", async () => {
    const script =
      'cat > plan.json; echo "$RELUA_GENERATION $RELUA_SINCE $RELUA_TARGET $RELUA_AGENT $RELUA_ATTEMPT $1" > told';
    const { tree, side, target, told } = beside(script);
    target.start();
    side.graph.observe(1, {
      name: "a",
      path: tree.path("a.lua"),
      file: tree.path("a.lua"),
      probes: [],
      held: true,
      generation: 1,
    });
    const { changes } = side.commit({ [tree.path("a.lua")]: "a2" }, [target]);
    expect(await target.applied(2, 10_000)).toEqual({ target: "publish", applied: [], missing: [] });
    expect(told()).toEqual(["2 1 publish agent-1 1 one argument"]);
    expect(JSON.parse(readFileSync(tree.path("plan.json"), "utf8"))).toEqual({
      version: 1,
      target: "publish",
      agent: "agent-1",
      generation: 2,
      since: 1,
      prefix: tree.root,
      changes,
      evicted: [{ name: "a", because: ["a"] }],
      kept: [],
      recycleRequired: [],
    });
    expect(target.status()).toMatchObject({
      type: "command",
      state: "current",
      generation: 2,
      error: undefined,
    });
  });

  it("runs once for each generation, in their order, one at a time", async () => {
    const { side, target, tree, told } = beside(
      'cat >/dev/null; test -e running && echo "two at once" >> told; touch running; echo "$RELUA_GENERATION" >> told; rm running',
    );
    target.start();
    for (let generation = 2; generation <= 5; generation++) {
      side.commit({ [tree.path("a.lua")]: `a${generation}` }, [target]);
      await target.applied(generation, 10_000);
    }
    expect(told()).toEqual(["2", "3", "4", "5"]);
  });

  it("that fails is tried again, and then gets the next generation together with the one it failed at", async () => {
    const script =
      'cat > plan.$RELUA_GENERATION; echo "$RELUA_GENERATION $RELUA_ATTEMPT" >> told; test -e works || { echo "no such host" >&2; exit 3; }';
    const { side, target, tree, told } = beside(script);
    target.start();
    side.commit({ [tree.path("a.lua")]: "a2" }, [target]);
    await until(() => target.status().error?.includes("given up") === true);
    expect(told()).toEqual(["2 1", "2 2", "2 3", "2 4"]);
    expect(target.status()).toMatchObject({
      state: "down",
      generation: 1,
      error: "generation 2: exit code 3: no such host; given up after 4 tries, until the next generation",
    });
    // Waiting asks nobody again.
    expect(await target.applied(2, 50)).toMatchObject({
      missing: ["publish"],
      error: expect.stringContaining("exit code 3"),
    });
    expect(told()).toHaveLength(4);
    tree.write({ works: "" });
    side.commit({ [tree.path("b.lua")]: "b2" }, [target]);
    expect((await target.applied(3, 10_000)).missing).toEqual([]);
    expect(told().at(-1)).toBe("3 1");
    const plan = JSON.parse(readFileSync(tree.path("plan.3"), "utf8"));
    expect(plan).toMatchObject({ since: 1, generation: 3 });
    expect(plan.changes.map(({ path }: { path: string }) => path)).toEqual([
      tree.path("a.lua"),
      tree.path("b.lua"),
    ]);
    expect(target.status()).toMatchObject({ state: "current", error: undefined });
    expect(side.logged.map((line) => line.split(":")[0])).toEqual(["warn", "error", "notice"]);
  });

  it("that takes too long is ended with everything it started, though it does not want to", async () => {
    // The grandchild holds the pipes open; both ignore SIGTERM.
    const script =
      'trap "" TERM; (trap "" TERM; echo $$ >> told; exec sleep 600) & echo $! >> told; sleep 600; sleep 600';
    const { side, target, tree, told } = beside(script, { timeoutMs: 300 });
    target.start();
    side.commit({ [tree.path("a.lua")]: "a2" }, [target]);
    await until(() => target.status().state === "down");
    expect(target.status().error).toContain("it took longer than 300 ms");
    for (const pid of told().slice(0, 2).map(Number)) expect(isAlive(pid)).toBe(false);
  });

  it("ends with the agent", async () => {
    const { side, target, tree, told } = beside("echo $$ > told; exec sleep 600", { timeoutMs: 600_000 });
    target.start();
    side.commit({ [tree.path("a.lua")]: "a2" }, [target]);
    await until(() => told().length === 1);
    const report = target.applied(2, 600_000);
    await target.close();
    expect(isAlive(Number(told()[0]))).toBe(false);
    expect((await report).missing).toEqual(["publish"]);
    expect(side.logged).toEqual([]);
  });

  it.each([
    ["is not there", ["/nonexistent/program"], "there is no program /nonexistent/program"],
    ["may not be run", ["/etc/passwd"], "EACCES"],
    ["is ended by a signal", ["/bin/sh", "-c", "kill -9 $$"], "it was ended by SIGKILL"],
    ["has a NUL in its arguments", ["/bin/true", "a\0b"], "null bytes"],
  ])("that %s has failed", async (_title, run, error) => {
    const { side, target, tree } = beside("", { run });
    target.start();
    side.commit({ [tree.path("a.lua")]: "a2" }, [target]);
    await until(() => target.status().state === "down");
    expect(target.status().error).toContain(error);
  });

  it("that reads nothing and writes without end is heard out, within bounds", async () => {
    const { target } = beside(
      'head -c 50000000 /dev/zero; head -c 50000000 /dev/zero | tr "\\0" x >&2; echo >&2; echo last >&2; exit 1',
    );
    target.start();
    const evicted = Array.from({ length: 20_000 }, (_, n) => ({
      name: `module.${n}`,
      because: [`module.${n}`],
    }));
    target.commit(deliveryOf(2, { evicted }));
    await until(() => target.status().state === "down");
    const { error = "" } = target.status();
    expect(error).toMatch(/^generation 2: exit code 1: x+ \| last$/);
    expect(error.length).toBeLessThan(1_000);
  });

  it("whose child lives on is done when it is done itself", async () => {
    const { side, target, tree, told } = beside("cat >/dev/null; sleep 600 & echo $! > told");
    target.start();
    side.commit({ [tree.path("a.lua")]: "a2" }, [target]);
    expect((await target.applied(2, 10_000)).missing).toEqual([]);
    const pid = Number(told()[0]);
    expect(isAlive(pid)).toBe(true);
    process.kill(pid);
  });
});
