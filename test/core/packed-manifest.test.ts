/** What was packed is found again, by path and in order, and nothing else is. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SourceFile } from "../../src/core/manifest.ts";
import { PackedFiles, packFiles } from "../../src/core/packed-manifest.ts";

const file = fc.record({
  path: fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 8 }),
    fc.constantFrom("/srv/a.lua", "/srv/ä.lua", "/srv/a/b.lua"),
  ),
  elsewhere: fc.option(fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 })),
  hash: fc.stringMatching(/^[0-9a-f]{16}$/),
  content: fc.record({
    arena: fc.integer({ min: 1, max: 5 }),
    offset: fc.nat(),
    length: fc.nat(),
  }),
});

const files = fc
  .uniqueArray(file, { selector: ({ path }) => path, maxLength: 60 })
  .map((list) =>
    list.map(({ elsewhere, ...rest }): SourceFile => ({ ...rest, file: elsewhere ?? rest.path })),
  );

describe("packed files", () => {
  it("are found by their paths, and listed in order", () => {
    fc.assert(
      fc.property(files, fc.string(), (list, other) => {
        const packed = new PackedFiles(packFiles(list));
        expect(packed.size).toBe(list.length);
        expect([...packed.files()]).toEqual(list);
        for (const each of list) expect(packed.find(each.path)).toEqual(each);
        if (!list.some(({ path }) => path === other)) expect(packed.find(other)).toBeUndefined();
      }),
    );
  });

  it("say how many of them each arena has", () => {
    const at = (path: string, arena: number): SourceFile => ({
      path,
      file: path,
      hash: "0123456789abcdef",
      content: { arena, offset: 0, length: 1 },
    });
    const packed = new PackedFiles(packFiles([at("a", 1), at("b", 2), at("c", 1)]));
    expect(packed.usesOfArenas()).toEqual(
      new Map([
        [1, 2],
        [2, 1],
      ]),
    );
  });

  it("may be none", () => {
    expect(new PackedFiles(packFiles([])).find("a")).toBeUndefined();
  });

  it("stay apart though their hashes are the same", () => {
    // FNV-1a puts these two in one place.
    const [a, b] = ["costarring", "liquid"] as const;
    const list = [a, b].map((path) => ({
      path,
      file: path,
      hash: "0123456789abcdef",
      content: { arena: 1, offset: path.length, length: 1 },
    }));
    const packed = new PackedFiles(packFiles(list));
    expect(packed.find(a)?.content.offset).toBe(a.length);
    expect(packed.find(b)?.content.offset).toBe(b.length);
  });
});
