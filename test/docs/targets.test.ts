/** docs/targets.md: the plan that a program gets, and its variables, are those of the code. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createTargets } from "../../src/targets/targets.ts";
import { createTree } from "../support/tree.ts";
import { AgentSide, deliveryOf } from "../targets/agent-side.ts";
import { readDocument } from "./markdown.ts";

const guide = readDocument("docs/targets.md");

/** Keys, and those of what lies within, in their order. */
function keysOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? "[]" : [keysOf(value[0])];
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.entries(value).map(([key, within]) => [key, keysOf(within)]);
}

describe("the guide to targets", () => {
  it("shows the plan and names the variables that a program gets", async () => {
    const tree = createTree();
    const { context } = new AgentSide({}, { prefix: tree.root });
    const run = ["/bin/sh", "-c", "cat > plan; env > variables"];
    const [target] = createTargets([{ type: "command", name: "t", run, timeoutMs: 10_000 }], context);
    const change = { path: "/c", kind: "changed", hash: "h", was: "w" } as const;
    const evicted = [{ name: "c", because: ["c"] }];
    target?.start();
    target?.commit(deliveryOf(2, { evicted, changes: [change], kept: [{ name: "k", why: "pinned" }] }));
    expect((await target?.applied(2, 10_000))?.missing).toEqual([]);
    await target?.close();
    const [plan, variables] = ["plan", "variables"].map((name) => readFileSync(tree.path(name), "utf8"));
    tree.remove();
    const shown = /```json\n([\s\S]*?)```/.exec(guide)?.[1] ?? "";
    expect(keysOf(JSON.parse(shown))).toEqual(keysOf(JSON.parse(plan ?? "")));
    const cells = [...guide.matchAll(/^\| (`RELUA_.*?`) \|/gm)].map(([, cell = ""]) => cell);
    const named = cells.flatMap((cell) => cell.match(/RELUA_\w+/g) ?? []);
    const given = [...(variables ?? "").matchAll(/^(RELUA_\w+)=/gm)].map(([, name = ""]) => name);
    const own = given.filter((name) => process.env[name] === undefined);
    expect(own.sort()).toEqual(named.filter((name) => process.env[name] === undefined).sort());
  });
});
