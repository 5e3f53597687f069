/** Steps of more files than travel one by one: they come in shared memory, and are the same files. */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { PackedFiles } from "../../src/core/packed-manifest.ts";
import { cleanUp, follow, makeTree, optionsFor, write } from "./tree.ts";

afterEach(cleanUp);

const many = 1_500;
const text = (file: number, version: number) => `return "${file} ä ${version}"`;

it("brings every file of a large tree, and what changes of it", async () => {
  const files = Array.from(
    { length: many },
    (_, file) => [`d${file % 7}/m${file}.lua`, text(file, 1)] as const,
  );
  const root = makeTree(Object.fromEntries(files));
  const disk = await follow(optionsFor(root));
  const [first] = disk.steps;
  expect([...new PackedFiles(first!.packed!).files()]).toEqual(first!.present);
  for (const [path, expected] of files) expect(disk.text(join(root, path))).toBe(expected);

  for (const [file, [path]] of files.entries()) {
    if (file % 10 === 0) rmSync(join(root, path));
    else write(join(root, path), text(file, 2));
  }
  const second = await disk.reconcile("all");
  expect([second.present.length, second.absent.length]).toEqual([1_350, 150]);
  for (const [file, [path]] of files.entries()) {
    const expected = file % 10 === 0 ? undefined : text(file, 2);
    expect(disk.text(join(root, path))).toBe(expected);
  }
});
