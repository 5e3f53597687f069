/** Folders of the search path that come late, go, come back, or lead elsewhere: what every VM answers in the end. */

import { renameSync, symlinkSync } from "node:fs";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { Place, type PlaceOptions, patient } from "../../support/arrival.ts";

/** What the module `app` returns; `none` when there is no such module. */
const answer = `local found, version = pcall(require, "app")
ngx.print(not found and version:find("module 'app' not found", 1, true) and "none" or version)`;

/** `app` answers with what `lib.a` says; both below `folder`. */
function app(folder: string, version: string): Record<string, string> {
  return {
    [`${folder}/app.lua`]: "return require 'lib.a'",
    [`${folder}/lib/a.lua`]: `return '${version}'`,
  };
}

function openPlace(files: Record<string, string>, root = "root", more: Partial<PlaceOptions> = {}) {
  return Place.open({
    files,
    answer,
    watch: patient,
    config: { luaPackagePath: `$prefix/${root}/?.lua` },
    ...more,
  });
}

const kinds = ({ changes }: Place["commits"][number]) => changes.map(({ kind }) => kind);

describe("a root", () => {
  it("that is missing at the start is served when it appears, and what is written there later", async () => {
    const place = await openPlace({ "other/x.lua": "" }, "not/yet/here");
    expect(place.site.agent.status().watch.missingRoots).toEqual([place.path("not/yet/here")]);
    const appear = () => place.tree.write(app("not/yet/here", "v1"));
    expect((await place.perform("root appears late", appear, "v1")).generations.length).toBe(1);
    expect(place.site.agent.status().watch.missingRoots).toEqual([]);
    const edit = () => writeFile(place.path("not/yet/here/lib/a.lua"), "return 'v2'");
    expect((await place.perform("edit in the late root", edit, "v2")).generations.length).toBe(1);
  });

  it("that is removed and made again at once is one generation, never one without it", async () => {
    const place = await openPlace(app("root", "v1"));
    for (const version of ["v2", "v3"]) {
      const replace = async () => {
        await rm(place.path("root"), { recursive: true });
        place.tree.write(app("root", version));
      };
      const { generations } = await place.perform("root recreated at once", replace, version);
      expect(generations.map(kinds)).toEqual([["changed"]]);
    }
    const edit = () => writeFile(place.path("root/lib/a.lua"), "return 'v4'");
    expect((await place.perform("edit in the new root", edit, "v4")).generations.length).toBe(1);
  });

  it("that is made again with what it had is no generation", async () => {
    const place = await openPlace(app("root", "v1"));
    const replace = async () => {
      await rm(place.path("root"), { recursive: true });
      place.tree.write(app("root", "v1"));
    };
    await place.performNothing("root recreated as it was", replace, "root/zz_marker.lua");
  });

  it("that is removed is gone after half a second, and back when it is", async () => {
    const place = await openPlace(app("root", "v1"));
    const remove = () => rm(place.path("root"), { recursive: true });
    const gone = await place.perform("root removed", remove, "none");
    expect(gone.generations.map(kinds)).toEqual([["removed", "removed"]]);
    expect(place.site.agent.status().watch.missingRoots).toEqual([place.path("root")]);
    const create = () => place.tree.write(app("root", "v2"));
    const back = await place.perform("root back after a pause", create, "v2");
    expect(back.generations.map(kinds)).toEqual([["added", "added"]]);
    const edit = () => writeFile(place.path("root/lib/a.lua"), "return 'v3'");
    expect((await place.perform("edit in the root that is back", edit, "v3")).generations.length).toBe(1);
  });

  it("that is replaced by rename is one generation", async () => {
    const place = await openPlace({ ...app("root", "v1"), ...app("next", "v2") });
    const replace = async () => {
      await rename(place.path("root"), place.path("old"));
      await rename(place.path("next"), place.path("root"));
    };
    expect((await place.perform("root replaced by rename", replace, "v2")).generations.map(kinds)).toEqual([
      ["changed"],
    ]);
    const edit = () => writeFile(place.path("root/lib/a.lua"), "return 'v3'");
    expect((await place.perform("edit in the replacement", edit, "v3")).generations.length).toBe(1);
    const editOld = () => writeFile(place.path("old/lib/a.lua"), "return 'old'");
    await place.performNothing("edit in what was replaced", editOld, "root/zz_marker.lua");
  });

  it("whose grandparent is moved away and back loses nothing within half a second, and all later", async () => {
    const place = await openPlace(app("far/up/root", "v1"), "far/up/root");
    const away = place.path("away");
    const moveAndBack = async () => {
      renameSync(place.path("far"), away);
      renameSync(away, place.path("far"));
    };
    await place.performNothing("grandparent away and back", moveAndBack, "far/up/root/zz_marker.lua");
    const move = () => rename(place.path("far"), away);
    expect((await place.perform("grandparent away", move, "none")).generations.length).toBe(1);
    const moveBack = () => rename(away, place.path("far"));
    expect((await place.perform("grandparent back", moveBack, "v1")).generations.length).toBe(1);
    const edit = () => writeFile(place.path("far/up/root/lib/a.lua"), "return 'v2'");
    expect((await place.perform("edit after that", edit, "v2")).generations.length).toBe(1);
  });

  it("behind links at several places on the way follows each of them", async () => {
    const place = await openPlace(
      { ...app("one/in/root", "v1"), ...app("two/in/root", "v2"), ...app("three/root", "v3") },
      "link/in/root",
      { prepare: (tree) => symlinkSync("one", tree.path("link")) },
    );
    const turn = async (target: string, link: string) => {
      await symlink(target, place.path("link.next"));
      await rename(place.path("link.next"), place.path(link));
    };
    const first = await place.perform("link on the way to a root", () => turn("two", "link"), "v2");
    expect(first.generations.length).toBe(1);
    const behind = async () => {
      await rm(place.path("two/in"), { recursive: true });
      await turn("../three", "two/in");
    };
    expect((await place.perform("link behind that link", behind, "v3")).generations.length).toBe(1);
    const edit = () => writeFile(place.path("three/root/lib/a.lua"), "return 'v4'");
    expect((await place.perform("edit behind both", edit, "v4")).generations.length).toBe(1);
  });
});

describe("templates", () => {
  it("that share folders or lie within each other are watched once, each name by its own rule", async () => {
    const place = await Place.open({
      files: {
        "root/a.lua": "return 'a1'",
        "root/b/init.lua": "return 'b1'",
        "root/deep/c.lua": "return 'c1'",
        "root/deep/d.luac": "return 'd1'",
      },
      answer: "ngx.print(require 'a', require 'b', require 'c', require 'd')",
      watch: patient,
      config: {
        luaPackagePath:
          "$prefix/root/?.lua;$prefix/root/?/init.lua;$prefix/root/deep/?.lua;$prefix/root/deep/?.luac",
      },
    });
    expect(place.site.agent.status().watch).toMatchObject({ files: 4, folders: 3 });
    const edit = () =>
      place.tree.write({
        "root/a.lua": "return 'a2'",
        "root/b/init.lua": "return 'b2'",
        "root/deep/c.lua": "return 'c2'",
        "root/deep/d.luac": "return 'd2'",
      });
    expect((await place.perform("several templates", edit, "a2b2c2d2")).generations.length).toBe(1);
    const shadow = () => place.tree.write({ "root/c.lua": "return 'c3'" });
    expect((await place.perform("shadow", shadow, "a2b2c3d2")).generations.length).toBe(1);
  });

  it("without a fixed folder are watched in the working folder", async () => {
    const place = await Place.open({
      files: { "app.lua": "return require 'lib.a'", "lib/a.lua": "return 'v1'" },
      answer,
      watch: patient,
      config: { luaPackagePath: "?.lua;./?/init.lua" },
    });
    const edit = () => writeFile(place.path("lib/a.lua"), "return 'v2'");
    expect((await place.perform("template without a folder", edit, "v2")).generations.length).toBe(1);
    const move = async () => {
      await mkdir(place.path("lib/b"));
      await writeFile(place.path("lib/b/init.lua"), "return 'v3'");
      await writeFile(place.path("app.lua"), "return require 'lib.b'");
    };
    expect((await place.perform("template with ./ and init.lua", move, "v3")).generations.length).toBe(1);
  });

  it("leave node_modules, dot folders and what watch.ignore names alone, however much is in there", async () => {
    const elsewhereIn = ["node_modules", ".git/objects", "lib/node_modules", "vendor"];
    const files: Record<string, string> = { ...app("root", "v1") };
    for (const folder of elsewhereIn)
      for (let i = 0; i < 50; i += 1) files[`root/${folder}/d${i}/m.lua`] = "return 'ignored'";
    const place = await openPlace(files, "root", { watch: { ...patient, ignore: ["vendor"] } });
    // The root and lib; nothing of the 200 others.
    expect(place.site.agent.status().watch).toMatchObject({ files: 2, folders: 2, skipped: [] });
    const write = async () => {
      for (const folder of elsewhereIn)
        await writeFile(place.path(`root/${folder}/d0/m.lua`), "return 'also ignored'");
    };
    await place.performNothing("writing into ignored folders", write, "root/zz_marker.lua");
  });
});
