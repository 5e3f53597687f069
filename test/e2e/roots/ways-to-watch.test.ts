/** Watching by polling, and not at all: the same ends as with events. */

import { execFileSync } from "node:child_process";
import { renameSync, symlinkSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { Place, type PlaceOptions, patient } from "../../support/arrival.ts";

const answer = `local found, app = pcall(require, "app")
local foundLib, a = pcall(require, "lib.a")
ngx.print(found and app or "none", " ", foundLib and a or "none")`;

function release(n: number): Record<string, string> {
  return {
    [`releases/${n}/app.lua`]: `return "app${n}"`,
    [`releases/${n}/lib/a.lua`]: `return "a${n}"`,
  };
}

function open(watch: NonNullable<PlaceOptions["watch"]>): Promise<Place> {
  return Place.open({
    files: Object.assign({}, ...Array.from({ length: 6 }, (_, n) => release(n))),
    answer,
    watch,
    config: { luaPackagePath: "$prefix/current/?.lua" },
    prepare: (tree) => symlinkSync("releases/0", tree.path("current")),
  });
}

const ways: readonly (readonly [way: string, operation: (place: Place) => unknown, expected: string])[] = [
  ["edit", (place) => writeFile(place.path("current/lib/a.lua"), "return 'edited'"), "app0 edited"],
  [
    "same size, old time",
    (place) => {
      execFileSync("touch", ["-r", place.path("current/lib/a.lua"), place.path("stamp")]);
      place.tree.write({ "current/lib/a.lua": "return 'Edited'" });
      execFileSync("touch", ["-r", place.path("stamp"), place.path("current/lib/a.lua")]);
    },
    "app0 Edited",
  ],
  [
    "new folder",
    (place) =>
      place.tree.write({
        "current/n/m.lua": "",
        "current/app.lua": "return type(require 'n.m')",
      }),
    "boolean Edited",
  ],
  ["folder renamed away", (place) => rename(place.path("current/lib"), place.path("away")), "boolean none"],
  ["folder renamed back", (place) => rename(place.path("away"), place.path("current/lib")), "boolean Edited"],
  ["file removed", (place) => rm(place.path("current/app.lua")), "none Edited"],
  ...[1, 2, 3, 4, 5].map(
    (n) =>
      [
        "release swapped",
        (place: Place) => {
          symlinkSync(`releases/${n}`, place.path("next"));
          renameSync(place.path("next"), place.path("current"));
        },
        `app${n} a${n}`,
      ] as const,
  ),
  [
    "edit in the new release",
    (place) => writeFile(place.path("releases/5/lib/a.lua"), "return 'last'"),
    "app5 last",
  ],
];

describe("watch.polling", () => {
  it("finds edits, renames and a swapped release without any event, each as one generation", async () => {
    const place = await open({ ...patient, polling: true });
    expect(place.site.agent.status().watch).toMatchObject({ mode: "polling", live: true });
    for (const [way, operation, expected] of ways) {
      const { generations } = await place.perform(`polling: ${way}`, () => operation(place), expected);
      expect([way, generations.length]).toEqual([way, 1]);
    }
  });
});

describe("watch: false", () => {
  it("finds nothing by itself, and everything when it is told to look", async () => {
    const place = await open(false);
    expect(place.site.agent.status().watch).toMatchObject({ mode: "manual", live: false });
    for (const [way, operation, expected] of ways) {
      const before = await place.answers();
      const { generations } = await place.perform(
        `manual: ${way}`,
        async () => {
          await operation(place);
          expect(await place.answers()).toEqual(before);
          await place.site.agent.reload();
        },
        expected,
      );
      expect([way, generations.length]).toEqual([way, 1]);
    }
    expect(new Set(place.commits.map(({ trigger }) => trigger))).not.toContain("watch");
  });
});
