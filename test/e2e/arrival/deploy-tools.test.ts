/** rsync, tar and cp over a tree that is served: one generation, also where size and time do not change. */

import { statSync } from "node:fs";
import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { debianProgram, itWithDebian } from "../../debian.ts";
import { census, elsewhere, modules, Place, patient, report, run } from "../../support/arrival.ts";
import type { Tree } from "../../support/tree.ts";

const count = 300;
/** Seconds since the epoch: what reproducible archives set every file to. */
const fixedTime = 1_600_000_000;

async function openPlace(): Promise<Place> {
  const place = await Place.open({
    files: { ...census(count), ...modules(count, 1) },
    answer: "ngx.print(require 'app')",
    watch: patient,
  });
  await place.performNothing("utimes of all", () => setTimes(place.tree));
  return place;
}

async function setTimes(tree: Tree, time = fixedTime): Promise<void> {
  const names = Object.keys(modules(count, 1));
  await Promise.all(names.map((name) => utimes(tree.path(name), time, time)));
}

/** The next release, the files as large and as old as those of the one that is served. */
async function nextRelease(version: number): Promise<Tree> {
  const next = elsewhere(modules(count, version));
  await setTimes(next);
  return next;
}

/** What `stat` of a module shows that people look at. */
function looks(tree: Tree): readonly number[] {
  const { size, mtimeMs } = statSync(tree.path("m/d0/f0.lua"));
  return [size, mtimeMs];
}

describe("rsync", () => {
  itWithDebian("-a", [debianProgram("rsync")], async (rsync) => {
    const place = await openPlace();
    for (const version of [2, 3]) {
      const next = elsewhere(modules(count, version));
      // Equal in size: without other times rsync would see nothing to do.
      await setTimes(next, fixedTime + version);
      const copy = () => run(rsync!, ["-a", `${next.root}/`, place.tree.root]);
      const { generations } = await place.perform("rsync -a", copy, `v${version} x ${count}`);
      expect(generations.length).toBe(1);
    }
  });

  itWithDebian("-a --delete removes what is gone", [debianProgram("rsync")], async (rsync) => {
    const place = await openPlace();
    const next = elsewhere({ ...census(100), ...modules(100, 2) });
    const copy = () => run(rsync!, ["-a", "--delete", `${next.root}/`, place.tree.root]);
    const { generations } = await place.perform("rsync -a --delete", copy, "v2 x 100");
    expect(generations.length).toBe(1);
    // 100 modules and the census changed; 200 modules and the marker are gone.
    expect(generations[0]?.changes.filter(({ kind }) => kind === "removed").length).toBe(count - 100 + 1);
  });

  itWithDebian("-a --checksum, equal size and mtime", [debianProgram("rsync")], async (rsync) => {
    const place = await openPlace();
    const next = await nextRelease(2);
    expect(looks(next)).toEqual(looks(place.tree));
    const copy = () => run(rsync!, ["-a", "--checksum", `${next.root}/`, place.tree.root]);
    const { generations } = await place.perform("rsync -a --checksum", copy, `v2 x ${count}`);
    expect(generations.length).toBe(1);
    expect(looks(place.tree)).toEqual(looks(next));
  });

  itWithDebian("-a --inplace, equal size and mtime", [debianProgram("rsync")], async (rsync) => {
    const place = await openPlace();
    const next = await nextRelease(2);
    const copy = () => run(rsync!, ["-a", "--checksum", "--inplace", `${next.root}/`, place.tree.root]);
    const { generations } = await place.perform("rsync -a --checksum --inplace", copy, `v2 x ${count}`);
    expect(generations.length).toBe(1);
  });
});

describe("tar", () => {
  itWithDebian("x over the tree, times fixed", [debianProgram("tar")], async (tar) => {
    const place = await openPlace();
    const archives = elsewhere();
    for (const version of [2, 3]) {
      const next = await nextRelease(version);
      const archive = join(archives.root, `v${version}.tar`);
      await run(tar!, ["-c", "-f", archive, "-C", next.root, "m"]);
      const extract = () => run(tar!, ["-x", "-f", archive, "-C", place.tree.root]);
      const { generations } = await place.perform("tar x", extract, `v${version} x ${count}`);
      expect(generations.length).toBe(1);
      expect(looks(place.tree)).toEqual(looks(next));
    }
  });
});

describe("a tree of folders that were not there before", () => {
  const ways = {
    tar: ["-xf ARCHIVE --directory TO", "tar"],
    rsync: ["-a FROM/ TO", "rsync"],
    cp: ["-a FROM/. TO", "coreutils"],
  } as const;
  for (const [program, [args, packageName]] of Object.entries(ways)) {
    itWithDebian(`made by ${program}`, [debianProgram(program, packageName)], async (path) => {
      const place = await Place.open({
        files: census(count),
        answer: "ngx.print((select(2, pcall(require, 'app'))))",
        watch: patient,
      });
      const next = await nextRelease(2);
      const archive = elsewhere();
      await run("tar", ["-c", "-f", archive.path("all.tar"), "-C", next.root, "m"]);
      const words = { ARCHIVE: archive.path("all.tar"), FROM: next.root, TO: place.tree.root };
      const filled = args.replace(/ARCHIVE|FROM|TO/g, (word) => words[word as keyof typeof words]).split(" ");
      const { generations } = await place.perform(
        `new folders by ${program}`,
        () => run(path!, filled),
        `v2 x ${count}`,
      );
      report(`  ${generations.map(({ changes }) => changes.length).join(" + ")}`);
      expect(generations.length).toBe(1);
    });
  }
});

describe("cp", () => {
  itWithDebian("-a over the tree", [debianProgram("cp", "coreutils")], async (cp) => {
    const place = await openPlace();
    for (const version of [2, 3]) {
      const next = await nextRelease(version);
      const copy = () => run(cp!, ["-a", `${next.root}/.`, place.tree.root]);
      const { generations } = await place.perform("cp -a", copy, `v${version} x ${count}`);
      expect(generations.length).toBe(1);
    }
  });
});
