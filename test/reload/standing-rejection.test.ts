/** When a rejection goes on standing although something else was committed. */

import { describe, expect, it } from "vitest";
import type { Change } from "../../src/core/change-set.ts";
import type { SourceFile } from "../../src/core/manifest.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import { stillStands } from "../../src/reload/standing-rejection.ts";

const manifest = (hashes: Readonly<Record<string, string>>): ReadonlyMap<string, SourceFile> =>
  new Map(
    Object.entries(hashes).map(([path, hash]) => [
      path,
      { path, file: path, hash, content: { arena: 1, offset: 0, length: 0 } },
    ]),
  );
const changed = (path: string): Change => ({ path, kind: "changed", was: "old", hash: "new" });
const rejected = (changes: readonly Change[], ...failed: readonly string[]): Outcome => ({
  id: 1,
  outcome: "rejected",
  generation: 1,
  trigger: "watch",
  reason: undefined,
  startedAt: 0,
  durationMs: 1,
  stages: { scanMs: 0, planMs: 0, canaryMs: 0, commitMs: 0 },
  changes,
  evicted: [],
  kept: [],
  targets: [],
  vms: [],
  errors: failed.map((path) => ({ path, line: 1, message: "boom", requiredBy: [] })),
  recycleRequired: [],
  diskDiffers: true,
});
const broken = rejected([changed("/broken"), changed("/fine")], "/broken");

describe("a rejection", () => {
  it.each<[string, Record<string, string>, Record<string, string>, boolean]>([
    [
      "stands when a file was committed that was not to blame",
      { "/broken": "old", "/fine": "new" },
      { "/broken": "new", "/fine": "new" },
      true,
    ],
    [
      "falls when the broken file was repaired, though others still differ",
      { "/broken": "repaired", "/fine": "old" },
      { "/broken": "repaired", "/fine": "new" },
      false,
    ],
    [
      "falls when the broken file is different, committed or not",
      { "/broken": "old", "/fine": "old" },
      { "/broken": "other", "/fine": "new" },
      false,
    ],
    [
      "falls when the broken file loads after all",
      { "/broken": "new", "/fine": "new" },
      { "/broken": "new", "/fine": "new" },
      false,
    ],
  ])("%s", (_title, active, disk, stands) => {
    expect(stillStands(broken, { active: manifest(active), disk: manifest(disk) })).toBe(stands);
  });

  it("that blames a requirer stands for as long as the file is missing", () => {
    const missing = rejected([{ path: "/gone", kind: "removed", was: "old" }], "/requirer");
    const active = manifest({ "/requirer": "1", "/gone": "old", "/other": "2" });
    expect(stillStands(missing, { active, disk: manifest({ "/requirer": "1", "/other": "2" }) })).toBe(true);
    const back = manifest({ "/requirer": "1", "/gone": "old", "/other": "2" });
    expect(stillStands(missing, { active, disk: back })).toBe(false);
  });
});
