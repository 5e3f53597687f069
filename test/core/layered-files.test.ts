/** Layered files are what a Map would be, whatever of them lies in shared memory. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LayeredFiles } from "../../src/core/layered-files.ts";
import type { SourceFile } from "../../src/core/manifest.ts";
import { packFiles } from "../../src/core/packed-manifest.ts";

const paths = ["/a", "/b", "/c", "/d"];
const fileAt = (path: string, arena: number): SourceFile => ({
  path,
  file: path,
  hash: "0123456789abcdef",
  content: { arena, offset: 0, length: 1 },
});
const path = fc.constantFrom(...paths);
const arena = fc.integer({ min: 1, max: 3 });
const act = fc.oneof(
  { weight: 6, arbitrary: fc.record({ set: path, arena: fc.option(arena) }) },
  { weight: 1, arbitrary: fc.constant("pack" as const) },
);
const inOrder = (entries: Iterable<readonly [string, SourceFile]>) =>
  [...entries].sort(([a], [b]) => (a < b ? -1 : 1));

function compare(files: LayeredFiles, map: ReadonlyMap<string, SourceFile>): void {
  expect(files.size).toBe(map.size);
  expect(inOrder(files)).toEqual(inOrder(map));
  expect([...files.keys()].sort()).toEqual([...map.keys()].sort());
  expect([...files.values()].map((file) => file.path).sort()).toEqual([...map.keys()].sort());
  for (const path of paths) {
    expect(files.get(path)).toEqual(map.get(path));
    expect(files.has(path)).toBe(map.has(path));
  }
  const uses = new Map<number, number>();
  for (const { content } of map.values()) uses.set(content.arena, (uses.get(content.arena) ?? 0) + 1);
  expect(files.usesOfArenas()).toEqual(uses);
}

describe("layered files", () => {
  it("are a Map to their readers, packed or not, copied or not", () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(act, { maxLength: 12 }), (packed, acts) => {
        const files = packed ? new LayeredFiles(packFiles([])) : new LayeredFiles();
        const map = new Map<string, SourceFile>();
        for (const act of acts) {
          if (act === "pack") files.become(packFiles([...files.values()]));
          else {
            const file = act.arena === null ? undefined : fileAt(act.set, act.arena);
            expect(files.set(act.set, file)).toEqual(map.get(act.set));
            if (file) map.set(act.set, file);
            else map.delete(act.set);
          }
          compare(files, map);
        }
        const copy = files.copy();
        files.set("/a", fileAt("/a", 9));
        compare(copy, map);
      }),
    );
  });

  it("remember nothing of files that came and went after they were packed", () => {
    const files = new LayeredFiles(packFiles([fileAt("/a", 1)]));
    for (let n = 0; n < 100; n++) {
      files.set(`/made-${n}`, fileAt(`/made-${n}`, 2));
      files.set(`/made-${n}`, undefined);
    }
    expect(files.changed.size).toBe(0);
  });

  it("tell only what has changed since they were packed", () => {
    const files = new LayeredFiles(packFiles(paths.map((path) => fileAt(path, 1))));
    files.set("/a", undefined);
    files.set("/b", fileAt("/b", 2));
    files.set("/e", undefined);
    expect(files.changed).toEqual(
      new Map([
        ["/a", null],
        ["/b", fileAt("/b", 2)],
      ]),
    );
  });
});
