/** What a reload looks like in one line, for every way it can end. */

import { describe, expect, it } from "vitest";
import type { Outcome } from "../../src/core/outcome.ts";
import { formatLine, formatReport, reportOf } from "../../src/observe/report.ts";
import { pipeStyle, terminalStyle } from "../../src/observe/style.ts";

const startedAt = new Date(2026, 0, 2, 14, 3, 12).getTime();
const plain = terminalStyle(false);

const committed: Outcome = {
  id: 7,
  outcome: "committed",
  generation: 4,
  trigger: "watch",
  reason: undefined,
  startedAt,
  durationMs: 12.4,
  stages: { scanMs: 1, planMs: 1, canaryMs: 1, commitMs: 1 },
  changes: [{ path: "/srv/apps/c.lua", kind: "changed", hash: "b", was: "a" }],
  evicted: [
    { name: "a", because: ["c", "lib.b", "a"] },
    { name: "lib.b", because: ["c", "lib.b"] },
    { name: "c", because: ["c"] },
  ],
  kept: [],
  targets: [],
  vms: [
    { id: 1, appliedMs: 1 },
    { id: 2, appliedMs: 1 },
  ],
  errors: [],
  recycleRequired: [],
  diskDiffers: false,
};

const told = (changes: Partial<Outcome>, vms?: number) =>
  formatReport(reportOf({ ...committed, ...changes }, "/srv"), plain, vms);
const change = (path: string, kind: "changed" | "added" | "removed" = "changed") => ({ path, kind });
const many = (number: number, prefix: string) =>
  Array.from({ length: number }, (_, index) => `${prefix}${index + 1}`);

describe("a commit", () => {
  it("says in one line what changed, what was evicted and why, in how many VMs and how fast", () => {
    expect(told({})).toBe(
      "14:03:12 #7 generation 4: apps/c.lua changed → 3 modules evicted (c → lib.b → a), 2 VMs in 12 ms",
    );
  });

  it.each<[string, Partial<Outcome>, string]>([
    ["one module", { evicted: [{ name: "c", because: ["c"] }] }, "→ 1 module evicted (c), 2 VMs"],
    ["none", { evicted: [] }, "apps/c.lua changed → no loaded module concerned, 2 VMs"],
    [
      "two dependents",
      {
        evicted: [
          { name: "a", because: ["c", "a"] },
          { name: "b", because: ["c", "b"] },
          { name: "c", because: ["c"] },
        ],
      },
      "3 modules evicted (c → a, c → b)",
    ],
    [
      "files of every kind",
      { changes: [change("/srv/z.lua", "removed"), change("/srv/a.lua"), change("/srv/b.lua", "added")] },
      ": a.lua changed, b.lua added, z.lua removed →",
    ],
    ["a file outside of the prefix", { changes: [change("/opt/x.lua")] }, ": /opt/x.lua changed →"],
    ["a folder with the prefix's letters", { changes: [change("/srv2/x.lua")] }, ": /srv2/x.lua changed →"],
    ["one VM", { vms: [{ id: 1, appliedMs: 1 }] }, ", 1 VM in 12 ms"],
    ["a fast one", { durationMs: 0.44 }, "in 0.4 ms"],
    ["a slow one", { durationMs: 12_340 }, "in 12.3 s"],
    ["one that was asked for", { trigger: "api", changes: [] }, "generation 4 (api): nothing changed → 3"],
    ["one with a reason", { trigger: "clean", reason: "deploy 42" }, "generation 4 (clean: deploy 42): "],
  ])("%s", (_title, outcome, text) => {
    expect(told(outcome)).toContain(text);
    expect(told(outcome)).not.toContain("\n");
  });

  it("abbreviates many files", () => {
    const changes = many(40, "/srv/f").map((path) => change(path));
    expect(told({ changes })).toContain(": f1, f2, f3 … and 37 more changed →");
    const mixed = [...changes, ...many(5, "/srv/n").map((path) => change(path, "added"))];
    expect(told({ changes: mixed })).toContain(": f1, f2, f3 … and 42 more (40 changed, 5 added) →");
  });

  it("abbreviates many modules, and long chains", () => {
    const dependents = many(50, "d").map((name) => ({ name, because: ["c", name] }));
    expect(told({ evicted: [...dependents, { name: "c", because: ["c"] }] })).toContain(
      "→ 51 modules evicted (c → d1, c → d2, c → d3, c → d4, c → d5, c → d6, c → d7 … and 43 more), 2",
    );
    const names = many(20, "m");
    const evicted = names.map((name, index) => ({ name, because: names.slice(0, index + 1) })).reverse();
    expect(told({ evicted })).toContain("(m1 → m2 → m3 → … → m19 → m20 … and 15 more)");
  });

  it("tells VMs that are busy", () => {
    expect(told({}, 3)).toContain(", 2 of 3 VMs in 12 ms, the others before their next request");
    expect(told({}, 2)).toContain(", 2 VMs in 12 ms");
  });

  it("names modules that still run old code, but not those that nobody has loaded", () => {
    expect(
      told({
        outcome: "recycle-required",
        kept: [
          { name: "ffi", why: "pinned" },
          { name: "string", why: "built in" },
          { name: "fresh", why: "not loaded" },
          { name: "under", why: "shadowed by /srv/apps/under.lua" },
        ],
        recycleRequired: ["ffi"],
      }).split("\n"),
    ).toEqual([
      expect.stringContaining("#7 generation 4, recycle required: apps/c.lua changed →"),
      "    ffi changed and is never evicted: only a new VM runs the new code",
      "    kept string: built in",
      "    kept under: shadowed by apps/under.lua",
    ]);
  });
});

it("says so when the VMs were replaced for the sake of a pinned module", () => {
  expect(told({ recycleRequired: ["ffi"] })).toMatch(
    /generation 4: .*\n {4}ffi changed .*: the VMs are new$/,
  );
});

describe("a rejection", () => {
  const rejected: Partial<Outcome> = { outcome: "rejected", generation: 3, vms: [], id: 8 };
  const error = {
    path: "/srv/apps/c.lua",
    line: 3,
    message: "/srv/apps/c.lua:3: unexpected symbol near '='",
    requiredBy: [] as readonly string[],
  };

  it("says what goes on running, and where the new code fails", () => {
    expect(told({ ...rejected, errors: [error] })).toBe(
      "14:03:12 #8 rejected: apps/c.lua changed; still running generation 3\n" +
        "    apps/c.lua:3: unexpected symbol near '='",
    );
  });

  it.each<[string, Partial<typeof error>, readonly string[]]>([
    [
      "the chain of requires",
      { requiredBy: ["a", "lib.b"] },
      ["    apps/c.lua:3: unexpected symbol near '='", "        required by a → lib.b → apps/c.lua"],
    ],
    [
      "the loader's heading left out",
      { message: "error loading module 'c' from file '/srv/apps/c.lua':\n\t/srv/apps/c.lua:3: boom" },
      ["    apps/c.lua:3: boom"],
    ],
    ["a name that Lua shortened", { message: "...s/c.lua:3: boom" }, ["    apps/c.lua:3: boom"]],
    [
      "an error raised elsewhere",
      { message: "/srv/lib/d.lua:9: boom" },
      ["    apps/c.lua:3: lib/d.lua:9: boom"],
    ],
    [
      "the line of a name that Lua shortened",
      { line: undefined as never, message: "...s/c.lua:3: boom" },
      ["    apps/c.lua:3: boom"],
    ],
    ["no line", { line: undefined as never, message: "boom" }, ["    apps/c.lua: boom"]],
    ["no file", { path: undefined as never, message: "took 10 s" }, ["    took 10 s"]],
    [
      "UTF-8 in Lua's bytes",
      { message: Buffer.from("/srv/apps/c.lua:3: schön").toString("latin1") },
      ["    apps/c.lua:3: schön"],
    ],
    [
      "a message that would repaint the screen",
      { message: "\u001b[2Jgone" },
      ["    apps/c.lua:3: \\x1b[2Jgone"],
    ],
    [
      "several lines",
      { message: "module 'x' not found:\n\tno field package.preload['x']\n\tno file '/srv/apps/x.lua'" },
      [
        "    apps/c.lua:3: module 'x' not found:",
        "        no field package.preload['x']",
        "        no file 'apps/x.lua'",
      ],
    ],
  ])("shows %s", (_title, fields, lines) => {
    const shown = told({ ...rejected, errors: [{ ...error, ...fields }] });
    expect(shown.split("\n").slice(1)).toEqual(lines);
  });

  it("abbreviates long messages and many errors", () => {
    const message = many(40, "line ").join("\n");
    const long = told({ ...rejected, errors: [{ ...error, message }] }).split("\n");
    expect(long.at(-1)).toBe("        … and 28 more lines");
    const errors = many(100, "boom ").map((text) => ({ ...error, message: text }));
    expect(
      told({ ...rejected, errors })
        .split("\n")
        .at(-1),
    ).toBe("    … and 80 more errors");
  });

  it("is red, the time apart", () => {
    const shown = formatReport(
      reportOf({ ...committed, ...rejected, errors: [error] }, "/srv"),
      terminalStyle(true),
    );
    for (const line of shown.split("\n"))
      expect(line.replaceAll("\u001b", "ESC")).toMatch(/ESC\[31m((?!ESC).)*ESC\[39m$/);
  });
});

describe("other ends", () => {
  it.each<[string, Partial<Outcome>, string]>([
    [
      "unchanged",
      { outcome: "unchanged", changes: [], evicted: [] },
      "14:03:12 #7 unchanged: nothing differs from generation 4",
    ],
    [
      "planned",
      { outcome: "planned", trigger: "api" },
      "14:03:12 #7 plan (api): apps/c.lua changed → 3 modules to evict (c → lib.b → a); nothing was done",
    ],
    ["held", { outcome: "held" }, "14:03:12 #7 held; nothing is reloaded until the release"],
    [
      "held by somebody",
      { outcome: "held", trigger: "api", hold: { owner: "ci", reason: "deploy\n42", since: 0, endsInMs: 1 } },
      "14:03:12 #7 held (api) by ci: deploy 42; nothing is reloaded until the release",
    ],
  ])("%s", (_title, outcome, line) => {
    expect(told(outcome)).toBe(line);
  });
});

describe("a rollback", () => {
  const back: Partial<Outcome> = { trigger: "rollback", rolledBackTo: 2, reason: "oops" };

  it("names the generation it goes back to, and says how long it stands", () => {
    expect(told({ ...back, diskDiffers: true }).split("\n")).toEqual([
      expect.stringContaining("#7 generation 4 (rollback to generation 2: oops): apps/c.lua changed →"),
      "    it stands until the disk changes; the disk differs from it",
    ]);
    expect(told(back)).toMatch(/\n {4}it stands until the disk changes; the disk is the same$/);
  });

  it.each(["rejected", "unchanged", "held"] as const)("that is %s does not stand", (outcome) => {
    expect(told({ ...back, outcome })).not.toContain("\n");
  });
});

describe("a release", () => {
  it("names the hold that it ended", () => {
    const hold = { owner: "ci", reason: "", since: 0, endsInMs: 1 };
    expect(told({ trigger: "release", hold })).toMatch(/\(release\): .*\n {4}the hold of ci is over$/);
  });

  it("says when there was none", () => {
    expect(told({ trigger: "release" })).toMatch(/\n {4}nobody held$/);
  });
});

it("gives the date in a list, where the time of day would not do", () => {
  const report = reportOf({ ...committed, kept: [{ name: "ffi", why: "pinned" }] }, "/srv");
  expect(formatLine(report, plain)).toMatch(/^2026-01-02 14:03:12 #7 generation 4: .* in 12 ms$/);
});

it("gives the full time where nobody watches", () => {
  expect(formatReport(reportOf(committed, "/srv"), pipeStyle(false))).toMatch(/^2026-01-0\dT[\d:.]+Z #7 gen/);
});
