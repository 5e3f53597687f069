/** A reload in full, and a plan: nothing abbreviated, each chain with the change it begins with. */

import { describe, expect, it } from "vitest";
import type { Report } from "../../src/observe/report.ts";
import { formatDetail, formatPlan } from "../../src/observe/report-detail.ts";
import { terminalStyle } from "../../src/observe/style.ts";

const plain = terminalStyle(false);

const report: Report = {
  id: 7,
  outcome: "committed",
  generation: 4,
  trigger: "api",
  startedAt: new Date(2026, 0, 2, 14, 3, 12).getTime(),
  durationMs: 12.4,
  stages: { scanMs: 1, planMs: 0.04, canaryMs: 10, commitMs: 1.26 },
  changes: [{ file: "apps/c.lua", kind: "changed", roots: ["c"] }],
  evicted: [
    { name: "a", because: ["c", "lib.b", "a"] },
    { name: "lib.b", because: ["c", "lib.b"] },
    { name: "c", because: ["c"] },
  ],
  kept: [],
  vms: [{ id: 1, appliedMs: 0.44 }],
  targets: [],
  errors: [],
  recycleRequired: [],
  diskDiffers: false,
};

const planned = (changes: Partial<Report>) =>
  formatPlan({ ...report, outcome: "planned", vms: [], ...changes }, plain).split("\n");

describe("a plan", () => {
  it.each<[string, Partial<Report>, readonly string[]]>([
    [
      "one chain",
      {},
      [
        "plan: 1 file differs from generation 4, 3 modules to evict; nothing was done",
        "    apps/c.lua changed → c → lib.b → a",
      ],
    ],
    [
      "nothing",
      { changes: [], evicted: [] },
      ["plan: nothing differs from generation 4, 0 modules to evict; nothing was done"],
    ],
    [
      "modules that were asked for",
      { changes: [] },
      [
        "plan: nothing differs from generation 4, 3 modules to evict; nothing was done",
        "    asked for → c → lib.b → a",
      ],
    ],
    [
      "a module whose file moved",
      {
        changes: [
          { file: "apps/c.lua", kind: "removed", roots: ["c"] },
          { file: "apps/c/init.lua", kind: "added", roots: ["c"] },
        ],
        evicted: [{ name: "c", because: ["c"] }],
      },
      [
        "plan: 2 files differ from generation 4, 1 module to evict; nothing was done",
        "    apps/c.lua removed, apps/c/init.lua added → c",
      ],
    ],
    [
      "a pinned module",
      {
        changes: [{ file: "ffi.lua", kind: "changed", roots: ["ffi"] }],
        evicted: [],
        kept: [
          { name: "ffi", why: "pinned" },
          { name: "under", why: "shadowed by apps/under.lua" },
        ],
        recycleRequired: ["ffi"],
      },
      [
        "plan: 1 file differs from generation 4, 0 modules to evict; nothing was done",
        "    ffi.lua changed: concerns ffi",
        "kept:",
        "    ffi changed and is never evicted: only a new VM runs the new code",
        "    under: shadowed by apps/under.lua",
      ],
    ],
  ])("%s", (_title, changes, lines) => {
    expect(planned(changes)).toEqual(lines);
  });

  it("leaves no chain out, and names every module", () => {
    const many = Array.from({ length: 500 }, (_, index) => `d${index}`);
    const evicted = [...many.map((name) => ({ name, because: ["c", name] })), { name: "c", because: ["c"] }];
    const lines = planned({ evicted });
    expect(lines).toHaveLength(501);
    for (const name of many) expect(lines).toContain(`    apps/c.lua changed → c → ${name}`);
  });
});

describe("a reload in full", () => {
  it("tells every error of a rejection, and no VM", () => {
    const errors = Array.from({ length: 40 }, (_, index) => ({
      file: `f${index}.lua`,
      line: 1,
      message: "boom",
      requiredBy: [],
    }));
    const lines = formatDetail({ ...report, outcome: "rejected", vms: [], errors }, plain).split("\n");
    expect(lines[0]).toMatch(/^2026-01-02 14:03:12 #7 rejected \(api\)/);
    expect(lines.slice(1, 42)).toEqual(["errors:", ...errors.map(({ file }) => `    ${file}:1: boom`)]);
    expect(lines).not.toContain("VMs:");
  });

  it("tells what a rollback stands on", () => {
    const back = { trigger: "rollback" as const, rolledBackTo: 2, diskDiffers: true };
    expect(formatDetail({ ...report, ...back }, plain).split("\n")[1]).toBe(
      "it stands until the disk changes; the disk differs from it",
    );
  });
});
