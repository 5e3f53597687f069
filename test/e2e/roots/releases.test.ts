/** Releases behind symbolic links, ConfigMaps, and links to files and folders: each swap is one generation. */

import { execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { Place, patient } from "../../support/arrival.ts";
import type { Tree } from "../../support/tree.ts";

const swaps = 20;

const answer = "ngx.print(require 'app')";

const paths = (outcome: Place["commits"][number], folder: string) =>
  outcome.changes.map(({ path }) => path.slice(folder.length + 1)).sort();
const evicted = (outcome: Place["commits"][number]) => outcome.evicted.map(({ name }) => name).sort();

/** Waits until a VM has loaded the module, and the agent knows: what nobody has loaded, nobody evicts. */
async function untilLoaded(place: Place, module: string): Promise<void> {
  await place.answers();
  await expect.poll(() => place.site.agent.graph.module(module)).toBeDefined();
}

/** Lets `link` lead to `target` in one step, as deploy tools do. */
function swapByRename(tree: Tree, target: string, link: string): void {
  symlinkSync(target, tree.path(`${link}.next`));
  renameSync(tree.path(`${link}.next`), tree.path(link));
}

/** Removes the link and makes it anew; without it for a moment. */
function swapByLn(tree: Tree, target: string, link: string): void {
  execFileSync("ln", ["-sfn", target, tree.path(link)]);
}

/** Modules of release `n`, in folders of their own; `lib.same` has the same content in each. */
function release(n: number): Record<string, string> {
  return {
    [`releases/${n}/lua/app.lua`]: `return require "lib.a" .. " " .. require "lib.deep.b" .. require "lib.same"`,
    [`releases/${n}/lua/lib/a.lua`]: `return "a${n}"`,
    [`releases/${n}/lua/lib/deep/b.lua`]: `return "b${n}"`,
    [`releases/${n}/lua/lib/same.lua`]: `return ""`,
  };
}

function openReleases(): Promise<Place> {
  return Place.open({
    files: Object.assign({}, ...Array.from({ length: swaps + 1 }, (_, n) => release(n))),
    answer,
    watch: patient,
    config: { luaPackagePath: "$prefix/current/lua/?.lua" },
    prepare: (tree) => symlinkSync("releases/0", tree.path("current")),
  });
}

describe("a release behind a symbolic link", () => {
  for (const [way, swap] of [
    ["by rename", swapByRename],
    ["by ln -sfn", swapByLn],
  ] as const) {
    it(`swapped ${swaps} times ${way}: one generation each, edits in the new one seen, in the old one not`, async () => {
      const place = await openReleases();
      await untilLoaded(place, "lib.deep.b");
      for (let n = 1; n <= swaps; n += 1) {
        const swapped = await place.perform(
          `release swapped ${way}`,
          () => swap(place.tree, `releases/${n}`, "current"),
          `a${n} b${n}`,
        );
        expect(swapped.generations.length).toBe(1);
        expect(evicted(swapped.generations[0]!)).toEqual(["app", "lib.a", "lib.deep.b"]);
        const edited = await place.perform(
          "edit in the new release",
          () => writeFile(place.path(`releases/${n}/lua/lib/deep/b.lua`), `return "edited${n}"`),
          `a${n} edited${n}`,
        );
        expect(edited.generations.map((each) => paths(each, place.path("current/lua")))).toEqual([
          ["lib/deep/b.lua"],
        ]);
        await place.performNothing(
          "edit in the old release",
          () => writeFile(place.path(`releases/${n - 1}/lua/lib/a.lua`), `return "old"`),
          `current/lua/zz_marker.lua`,
        );
      }
      expect(place.commits.length).toBe(3 * swaps);
    }, 120_000);
  }

  it("is followed when the old one is removed right after the swap, and when it is swapped back", async () => {
    const place = await openReleases();
    const deploy = () => {
      swapByRename(place.tree, "releases/1", "current");
      rmSync(place.path("releases/0"), { recursive: true });
    };
    expect((await place.perform("swap, old one removed", deploy, "a1 b1")).generations.length).toBe(1);
    for (const n of [2, 1, 2]) {
      const swap = () => swapByRename(place.tree, `releases/${n}`, "current");
      expect((await place.perform("swap back", swap, `a${n} b${n}`)).generations.length).toBe(1);
    }
  });
});

describe("a ConfigMap", () => {
  /** As the kubelet writes it: a folder of its own for each version, `..data` leads to it, files lead through `..data`. */
  function project(tree: Tree, n: number): void {
    mkdirSync(tree.path(`root/..v${n}`), { recursive: true });
    const files = {
      "app.lua": `return require "a" .. require "b"`,
      "a.lua": `return "a${n}"`,
      "b.lua": 'return "b"',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(tree.path(`root/..v${n}/${name}`), text);
    symlinkSync(`..v${n}`, tree.path("root/..data_tmp"));
    renameSync(tree.path("root/..data_tmp"), tree.path("root/..data"));
    if (n > 0) rmSync(tree.path(`root/..v${n - 1}`), { recursive: true });
  }

  it(`swapped ${swaps} times: one generation each, of what differs only`, async () => {
    const place = await Place.open({
      files: {},
      answer,
      watch: patient,
      config: { luaPackagePath: "$prefix/root/?.lua" },
      prepare: (tree) => {
        project(tree, 0);
        for (const name of ["app.lua", "a.lua", "b.lua"])
          symlinkSync(`..data/${name}`, tree.path(`root/${name}`));
      },
    });
    await untilLoaded(place, "a");
    for (let n = 1; n <= swaps; n += 1) {
      const swap = () => project(place.tree, n);
      const { generations } = await place.perform("ConfigMap swap", swap, `a${n}b`);
      expect(generations.map(evicted)).toEqual([["a", "app"]]);
    }
    expect(place.commits.length).toBe(swaps);
  }, 60_000);
});

describe("links below a root", () => {
  it("to files and folders are followed when they, what they lead to, or what is in it changes", async () => {
    const place = await Place.open({
      files: {
        "root/app.lua": "return require 'file' .. require 'folder.m'",
        "elsewhere/one.lua": "return 'f1'",
        "elsewhere/two.lua": "return 'f2'",
        "elsewhere/in1/m.lua": "return 'm1'",
        "elsewhere/in2/m.lua": "return 'm2'",
      },
      answer,
      watch: patient,
      config: { luaPackagePath: "$prefix/root/?.lua" },
      prepare: (tree) => {
        symlinkSync("../elsewhere/one.lua", tree.path("root/file.lua"));
        symlinkSync("../elsewhere/in1", tree.path("root/folder"));
      },
    });
    const ways: readonly (readonly [way: string, operation: () => unknown, expected: string])[] = [
      ["file link swapped", () => swapByRename(place.tree, "../elsewhere/two.lua", "root/file.lua"), "f2m1"],
      ["folder link swapped", () => swapByLn(place.tree, "../elsewhere/in2", "root/folder"), "f2m2"],
      ["target of a file link", () => writeFile(place.path("elsewhere/two.lua"), "return 'f3'"), "f3m2"],
      ["file in a linked folder", () => writeFile(place.path("elsewhere/in2/m.lua"), "return 'm3'"), "f3m3"],
      [
        "link replaced by a file",
        () => {
          writeFileSync(place.path("root/file.next"), "return 'f4'");
          renameSync(place.path("root/file.next"), place.path("root/file.lua"));
        },
        "f4m3",
      ],
      [
        "linked folder replaced by a folder",
        () => {
          rmSync(place.path("root/folder"));
          place.tree.write({ "root/folder/m.lua": "return 'm4'" });
        },
        "f4m4",
      ],
    ];
    for (const [way, operation, expected] of ways)
      expect((await place.perform(way, operation, expected)).generations.length).toBe(1);
  });

  it("in circles, to themselves and to nothing stop nobody and are named in the status", async () => {
    const place = await Place.open({
      files: { "root/app.lua": "return 'v1'", "root/sub/m.lua": "return 'm1'" },
      answer,
      watch: patient,
      config: { luaPackagePath: "$prefix/root/?.lua" },
      prepare: (tree) => {
        symlinkSync(".", tree.path("root/here"));
        symlinkSync("..", tree.path("root/sub/up"));
        symlinkSync("self.lua", tree.path("root/self.lua"));
        symlinkSync("pong.lua", tree.path("root/ping.lua"));
        symlinkSync("ping.lua", tree.path("root/pong.lua"));
        symlinkSync("nowhere.lua", tree.path("root/dangling.lua"));
      },
    });
    const reasons = () =>
      Object.fromEntries(
        place.site.agent
          .status()
          .watch.skipped.map(({ path, reason }) => [`${basename(dirname(path))}/${basename(path)}`, reason]),
      );
    expect(reasons()).toEqual({
      "root/here": "loop of symbolic links",
      "sub/up": "loop of symbolic links",
      "root/self.lua": "ELOOP",
      "root/ping.lua": "ELOOP",
      "root/pong.lua": "ELOOP",
      "root/dangling.lua": "symbolic link to nothing",
    });
    const edit = () => writeFile(place.path("root/app.lua"), "return require 'sub.m'");
    expect((await place.perform("edit beside loops", edit, "m1")).generations.length).toBe(1);
    const mend = () => {
      writeFileSync(place.path("root/nowhere.lua"), "return 'found'");
      writeFileSync(place.path("root/app.lua"), "return require 'dangling'");
    };
    expect((await place.perform("link to nothing leads somewhere", mend, "found")).generations.length).toBe(
      1,
    );
    expect(Object.keys(reasons())).not.toContain("root/dangling.lua");
  });
});
