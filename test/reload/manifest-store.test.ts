import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SourceFile } from "../../src/core/manifest.ts";
import { ManifestView } from "../../src/lua/manifest-view.ts";
import { ManifestStore } from "../../src/reload/manifest-store.ts";

let arenas = 0;
/** A step that makes `path` have `text`, in an arena of its own; null removes it. */
function step(contents: Record<string, string | null>) {
  const present: SourceFile[] = [];
  const absent: string[] = [];
  const made = new Map<number, SharedArrayBuffer>();
  for (const [path, text] of Object.entries(contents)) {
    if (text === null) absent.push(path);
    else {
      const arena = ++arenas;
      made.set(arena, new SharedArrayBuffer(text.length));
      present.push({ path, file: path, hash: text, content: { arena, offset: 0, length: text.length } });
    }
  }
  return { sequence: 0, present, absent, arenas: made };
}
const commitAll = (store: ManifestStore) => {
  const paths = store.changes().map(({ path }) => path);
  return store.commit(paths, (path) => store.disk.get(path));
};
const contents = (files: ReadonlyMap<string, SourceFile>) =>
  Object.fromEntries([...files].map(([path, file]) => [path, file.hash]));

describe("the manifest store", () => {
  it("tells what differs between the active manifest and the disk", () => {
    const store = new ManifestStore(10);
    store.takeStep(step({ "/a": "1", "/b": "1" }));
    expect(commitAll(store)).toBe(1);
    store.takeStep(step({ "/a": "2", "/b": null, "/c": "1" }));
    expect(store.changes().map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      "changed /a",
      "removed /b",
      "added /c",
    ]);
    store.takeStep(step({ "/a": "1", "/b": "1", "/c": null }));
    expect(store.changes()).toEqual([]);
  });

  it("tells what differs at files and below folders that are asked for, and nothing else", () => {
    const store = new ManifestStore(10);
    store.takeStep(step({ "/lib/a": "1", "/lib/sub/b": "1", "/library": "1", "/c": "1" }));
    const at = (...paths: string[]) => store.changes(new Set(paths)).map(({ path }) => path);
    expect(at("/c")).toEqual(["/c"]);
    expect(at("/lib")).toEqual(["/lib/a", "/lib/sub/b"]);
    expect(at("/none")).toEqual([]);
    expect(at("/")).toHaveLength(4);
  });

  it("keeps a content for as long as a live or kept generation, or the disk, names it, and no longer", () => {
    const store = new ManifestStore(2);
    store.takeStep(step({ "/a": "x".repeat(10) }));
    commitAll(store);
    for (let i = 0; i < 20; i++) {
      store.takeStep(step({ "/a": String(i).padEnd(10) }));
      commitAll(store);
    }
    // The active one, and what the last two commits replaced.
    expect(store.arenaBytes).toBe(30);
  });

  it("knows what every kept generation had, on random histories", () => {
    const edits = fc.array(
      fc.dictionary(fc.constantFrom("/a", "/b", "/c"), fc.option(fc.constantFrom("1", "2", "3")), {
        minKeys: 1,
      }),
      { maxLength: 12 },
    );
    const holds = (
      filesIn: (store: ManifestStore, generation: number) => ReturnType<ManifestStore["filesIn"]>,
    ) =>
      fc.assert(
        fc.property(edits, (history) => {
          const store = new ManifestStore(5);
          const generations = [{}];
          for (const edit of history) {
            store.takeStep(step(edit));
            commitAll(store);
            generations.push(contents(store.active));
          }
          for (let generation = store.oldestGeneration; generation <= store.generation; generation++) {
            const then = new Map(store.active);
            for (const [path, file] of filesIn(store, generation)) {
              if (file) then.set(path, file);
              else then.delete(path);
            }
            expect(contents(then)).toEqual(generations[generation]);
          }
        }),
      );
    holds((store, generation) => store.filesIn(generation));
    // Control: only the last commit undone.
    expect(() => holds((store) => store.filesIn(store.generation - 1))).toThrow();
  });

  it("begins with all that is on the disk, and goes on from there", () => {
    const all = { "/a": "1", "/b": "2", "/c": "1" };
    const begun = new ManifestStore(3);
    begun.begin(step(all));
    const committed = new ManifestStore(3);
    committed.takeStep(step(all));
    commitAll(committed);
    for (const store of [begun, committed]) {
      expect([store.generation, store.oldestGeneration, store.changes()]).toEqual([1, 1, []]);
      expect([contents(store.active), contents(store.disk)]).toEqual([all, all]);
      for (const version of ["4", "5", "6", "7", "8"]) {
        store.takeStep(step({ "/a": version, "/b": null }));
        commitAll(store);
      }
      expect([store.generation, store.oldestGeneration]).toEqual([6, 3]);
      expect(contents(store.active)).toEqual({ "/a": "8", "/c": "1" });
    }
    expect(begun.arenaBytes).toBe(committed.arenaBytes);
  });

  it("gives a VM that starts what is active, whatever was committed since it was packed", () => {
    const paths = fc.constantFrom("/a", "/b", "/c", "/d");
    const edits = fc.array(
      fc.record({
        edit: fc.dictionary(paths, fc.option(fc.constantFrom("1", "2", "3")), { minKeys: 1 }),
        starts: fc.boolean(),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(edits, (history) => {
        const store = new ManifestStore(5);
        for (const { edit, starts } of history) {
          store.takeStep(step(edit));
          commitAll(store);
          if (!starts) continue;
          const snapshot = store.snapshot();
          const view = ManifestView.complete(snapshot);
          for (const path of ["/a", "/b", "/c", "/d"]) {
            expect(view.lookup(path)).toEqual(store.active.get(path));
            const arena = view.lookup(path)?.content.arena;
            if (arena !== undefined) expect(snapshot.arenas.has(arena)).toBe(true);
          }
        }
      }),
    );
  });

  it("gives the whole active manifest with every arena it names", () => {
    const store = new ManifestStore(3);
    store.takeStep(step({ "/a": "1", "/b": "2" }));
    commitAll(store);
    store.takeStep(step({ "/b": "3" }));
    const { present, arenas: named } = store.whole();
    expect(present.map(({ hash }) => hash)).toEqual(["1", "2"]);
    for (const { content } of present) expect(named.has(content.arena)).toBe(true);
  });
});
