/** Which paths are modules: globs, built-in rules, roots and single files. */

import { describe, expect, it } from "vitest";
import { compileGlob } from "../../src/source/glob.ts";
import { isIgnoredFolder, isTemporaryFile } from "../../src/source/ignore-rules.ts";
import { sweepPauseMs } from "../../src/source/sweep-loop.ts";
import { Territory } from "../../src/source/territory.ts";

describe("a glob", () => {
  const cases: [glob: string, matches: string[], misses: string[]][] = [
    ["vendor", ["/a/vendor", "/vendor"], ["/a/vendors", "/a/vendor/x", "/a/myvendor"]],
    ["*.bak.lua", ["/a/x.bak.lua", "/.bak.lua"], ["/a/x.lua", "/a/x.bak.lua/y"]],
    ["gen/*.lua", ["/a/gen/x.lua"], ["/a/gen/b/x.lua", "/a/xgen/x.lua"]],
    ["gen/**", ["/a/gen/x.lua", "/a/gen/b/c"], ["/a/gen"]],
    ["gen/**/x.lua", ["/gen/x.lua", "/a/gen/b/c/x.lua"], ["/a/gen/bx.lua"]],
    ["/srv/?/a", ["/srv/1/a"], ["/srv/12/a", "/x/srv/1/a", "/srv///a"]],
    ["/srv/**/a", ["/srv/a", "/srv/b/c/a"], ["/srv/ba"]],
    ["/srv/app/", ["/srv/app"], ["/srv/app/x"]],
    ["a.(b)[c]+{d}$^|\\", ["/x/a.(b)[c]+{d}$^|\\"], ["/x/aX(b)[c]+{d}$^|\\"]],
    ["**/**/x", ["/x", "/a/b/x"], ["/ax"]],
    ["new\nline*", ["/a/new\nline.lua"], []],
  ];
  for (const [glob, matches, misses] of cases) {
    it(JSON.stringify(glob), () => {
      for (const path of matches) expect(compileGlob(glob).test(path), path).toBe(true);
      for (const path of misses) expect(compileGlob(glob).test(path), path).toBe(false);
    });
  }
});

describe("built-in rules", () => {
  it("know what programs have open on the way to another name", () => {
    const names = [
      ".a.lua.swp",
      ".a.lua.swo",
      "4913",
      "a.lua~",
      ".#a.lua",
      "#a.lua#",
      ".a.lua.Ab3dE9",
      "a.lua.tmp",
    ];
    names.push(
      "index.lock",
      "a.lua___jb_tmp___",
      ".goutputstream-ABC123",
      "sedAb12Cd",
      ".merge_file_x1",
      "a.lua.part",
    );
    for (const name of names) expect(isTemporaryFile(name), name).toBe(true);
    for (const name of ["a.lua", "init.lua", "a.b.lua", "tmp.lua", "lock.lua"]) {
      expect(isTemporaryFile(name), name).toBe(false);
    }
  });

  it("keep out of folders that require cannot reach", () => {
    for (const name of [".git", "..data", "..2024_01_01", "node_modules"])
      expect(isIgnoredFolder(name)).toBe(true);
    for (const name of ["lib", "node", "a.b"]) expect(isIgnoredFolder(name)).toBe(false);
  });
});

describe("the territory", () => {
  const territory = new Territory({
    roots: [
      { folder: "/srv", suffixes: [".lua"] },
      { folder: "/srv", suffixes: ["/init.lua", ".lua"] },
      { folder: "/srv/lib", suffixes: [".luax"] },
      { folder: "/srv/.rocks/share", suffixes: [".lua"] },
    ],
    files: ["/srv/lib/main", "/etc/app/handler"],
    ignore: ["/srv/gen", "skip.lua"],
  });

  it("is walked from the outermost folders, and from those that no walk gets to", () => {
    expect(territory.tops()).toEqual([
      { folder: "/srv", root: true },
      { folder: "/srv/.rocks/share", root: true },
      { folder: "/etc/app", root: false },
    ]);
  });

  it("joins the suffixes of all roots around a folder", () => {
    expect(territory.interest("/srv/a/b")?.suffixes).toEqual([".lua", "/init.lua"]);
    expect(territory.interest("/srv/lib/x")?.suffixes).toEqual([".lua", "/init.lua", ".luax"]);
    expect(territory.interest("/srv/.rocks/share/x")?.suffixes).toEqual([".lua"]);
    expect(territory.interest("/srv/.rocks")).toBeUndefined();
    expect(territory.interest("/srv/gen/x")).toBeUndefined();
    expect(territory.interest("/")).toBeUndefined();
  });

  it("says which names count", () => {
    const candidate = (folder: string, name: string) => {
      const interest = territory.interest(folder);
      return interest !== undefined && territory.isCandidate(interest, folder, name);
    };
    expect(candidate("/srv", "a.lua")).toBe(true);
    expect(candidate("/srv", "a.luax")).toBe(false);
    expect(candidate("/srv/lib", "a.luax")).toBe(true);
    expect(candidate("/srv/lib", "main")).toBe(true);
    expect(candidate("/etc/app", "handler")).toBe(true);
    expect(candidate("/etc/app", "other.lua")).toBe(false);
    expect(candidate("/srv", "skip.lua")).toBe(false);
    expect(candidate("/srv", ".#a.lua")).toBe(false);
  });
});

describe("the pause between sweeps", () => {
  it("is what the config asks for, longer where a sweep costs much, and short where no events come", () => {
    expect(sweepPauseMs("events", 5000, 7)).toBe(5000);
    expect(sweepPauseMs("events", 5000, 264)).toBe(13_200);
    expect(sweepPauseMs("events", 5000, 5000)).toBe(60_000);
    expect(sweepPauseMs("events", 120_000, 7)).toBe(120_000);
    expect(sweepPauseMs("events", 0, 7)).toBeUndefined();
    expect(sweepPauseMs("polling", 5000, 7)).toBe(250);
    expect(sweepPauseMs("polling", 0, 264)).toBe(2640);
    expect(sweepPauseMs("sweep", 5000, 7)).toBe(1000);
  });
});
