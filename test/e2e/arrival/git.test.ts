/** git changes a work tree of 500 files: one generation for each command. */

import { existsSync } from "node:fs";
import { describe, expect } from "vitest";
import { debianProgram, itWithDebian } from "../../debian.ts";
import { census, modules, Place, patient, run } from "../../support/arrival.ts";

const count = 500;

/** A repository on branch `one`, with a branch `two` in which every module is version 2. */
async function openRepository(git: string): Promise<Place> {
  const place = await Place.open({
    files: { ...census(count), ...modules(count, 1) },
    answer: "ngx.print(require 'app')",
    watch: patient,
  });
  const inTree = async (...args: string[]) => run(git, args, place.tree.root);
  await inTree("init", "-q", "-b", "one");
  await inTree("add", ".");
  await inTree("commit", "-q", "-m", "one");
  const write = async () => {
    await inTree("checkout", "-q", "-b", "two");
    place.tree.write(modules(count, 2));
    await inTree("commit", "-q", "-a", "-m", "two");
  };
  await place.perform("500 files written and committed", write, `v2 x ${count}`);
  return place;
}

describe("git", () => {
  itWithDebian("checkout of another branch, there and back", [debianProgram("git")], async (git) => {
    const place = await openRepository(git!);
    for (const [branch, version] of [
      ["one", 1],
      ["two", 2],
      ["one", 1],
    ]) {
      const checkout = () => run(git!, ["checkout", "-q", `${branch}`], place.tree.root);
      const { generations } = await place.perform(
        "git checkout of 500 files",
        checkout,
        `v${version} x ${count}`,
      );
      expect(generations.length).toBe(1);
      expect(generations[0]?.changes.length).toBe(count);
    }
  });

  itWithDebian("stash and stash pop", [debianProgram("git")], async (git) => {
    const place = await openRepository(git!);
    const write = () => place.tree.write(modules(count, 3));
    await place.perform("500 files written", write, `v3 x ${count}`);
    const stash = (...args: string[]) => run(git!, ["stash", ...args], place.tree.root);
    const pushed = await place.perform("git stash of 500 files", () => stash(), `v2 x ${count}`);
    expect(pushed.generations.length).toBe(1);
    const popped = await place.perform("git stash pop", () => stash("pop"), `v3 x ${count}`);
    expect(popped.generations.length).toBe(1);
    expect(existsSync(place.path(".git/refs/stash"))).toBe(false);
  });
});
