/** Many files in one go, by no tool in particular: folders that are renamed, and names of one file that are far away. */

import { cpSync, linkSync, symlinkSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { census, elsewhere, modules, Place, patient } from "../../support/arrival.ts";

const count = 200;

const answer = "ngx.print(require 'app')";

describe("a folder tree", () => {
  it("prepared beside and renamed into place", async () => {
    const place = await Place.open({
      files: { ...census(count), ...modules(count, 1) },
      answer,
      watch: patient,
    });
    for (const version of [2, 3]) {
      // Not below the root's search path: a dot is no part of a module's name.
      const next = Object.entries(modules(count, version)).map(([name, text]) => [`.next/${name}`, text]);
      place.tree.write(Object.fromEntries(next));
      const swap = async () => {
        await rename(place.path("m"), place.path(".old"));
        await rename(place.path(".next/m"), place.path("m"));
        await rm(place.path(".old"), { recursive: true });
      };
      const { generations } = await place.perform("folder tree by rename", swap, `v${version} x ${count}`);
      expect(generations.length).toBe(1);
      expect(generations[0]?.changes.length).toBe(count);
    }
    const { generations } = await place.perform(
      "a file in the renamed tree",
      () => writeFile(place.path("m/d9/f199.lua"), "return 'v4'"),
      `v3 x ${count - 1}, v4 x 1`,
    );
    expect(generations.length).toBe(1);
  });

  it("renamed to another name: its modules are gone under the old one and there under the new one", async () => {
    const place = await Place.open({
      files: { ...modules(count, 1), "app.lua": "return require 'm.d0.f0'" },
      answer: `local old, new = pcall(require, "m.d0.f0"), pcall(require, "n.d0.f0")
ngx.print(tostring(old), " ", tostring(new))`,
      watch: patient,
    });
    const move = () => rename(place.path("m"), place.path("n"));
    const { generations } = await place.perform("rename of a tree", move, "false true");
    expect(generations.length).toBe(1);
    expect(generations[0]?.changes.length).toBe(2 * count);
  });
});

describe("a file of several names", () => {
  it("written through a hard link outside of the tree: no event tells, the sweep finds it", async () => {
    const place = await Place.open({
      files: { "a.lua": "return 'v1'" },
      answer: "ngx.print(require 'a')",
      watch: { sweepMs: 200 },
    });
    const outside = elsewhere();
    linkSync(place.path("a.lua"), outside.path("same.lua"));
    await place.untilSwept();
    const write = () => writeFile(outside.path("same.lua"), "return 'v2'");
    expect((await place.perform("through a hard link", write, "v2")).generations.length).toBe(1);
    expect(place.site.logged.join("\n")).toMatch(/1 changed files were found by the sweep/);
  });

  it("written where a symbolic link leads to, outside of the tree", async () => {
    const outside = elsewhere({ "real.lua": "return 'v1'", "real/b.lua": "return 'b1'" });
    const place = await Place.open({
      files: { "app.lua": "return require 'a' .. require 'linked.b'" },
      answer: "ngx.print((select(2, pcall(require, 'app'))))",
      watch: patient,
    });
    const link = () => {
      symlinkSync(outside.path("real.lua"), place.path("a.lua"));
      symlinkSync(outside.path("real"), place.path("linked"));
    };
    expect((await place.perform("links made", link, "v1b1")).generations.length).toBe(1);
    const write = () => outside.write({ "real.lua": "return 'v2'", "real/b.lua": "return 'b2'" });
    expect((await place.perform("behind links", write, "v2b2")).generations.length).toBe(1);
  });

  it("copied in place over another", async () => {
    const place = await Place.open({
      files: { ...census(count), ...modules(count, 1) },
      answer,
      watch: patient,
    });
    const next = elsewhere(modules(count, 2));
    const copy = () => cpSync(next.path("m"), place.path("m"), { recursive: true });
    const { generations } = await place.perform("copied over, in place", copy, `v2 x ${count}`);
    expect(generations.length).toBe(1);
  });
});
