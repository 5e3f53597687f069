/** Passes on a real disk in this thread, where the test can get between two steps of one. */

import { spawn } from "node:child_process";
import { appendFileSync, linkSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { ArenaNumbers } from "../../src/source/arena.ts";
import { Changes } from "../../src/source/changes.ts";
import { DiskIndex } from "../../src/source/disk-index.ts";
import { Scanner, type ScanResult, type Scope } from "../../src/source/scan.ts";
import { fileIdentity } from "../../src/source/stat-identity.ts";
import { sweep } from "../../src/source/sweep.ts";
import { Territory } from "../../src/source/territory.ts";
import { turningPoints } from "../../src/source/turning-points.ts";
import { cleanUp, makeTree, optionsFor, write } from "./tree.ts";
import { xxh64 } from "./xxh64.ts";

afterEach(cleanUp);

function scannerFor(root: string) {
  const options = optionsFor(root);
  const index = new DiskIndex();
  const territory = new Territory(options);
  const scanner = new Scanner(territory, index, options.maxFileBytes, new ArenaNumbers(1));
  /** Runs a pass; `meanwhile` is called at each place where it can be interrupted. */
  const pass = (scope: Scope, meanwhile: (pauseMs: number) => void = () => {}): ScanResult => {
    const changes = new Changes();
    const work = scanner.scan(scope, changes);
    for (;;) {
      const step = work.next();
      if (step.done === true) {
        changes.finish(index);
        return step.value;
      }
      meanwhile(step.value);
    }
  };
  return { index, territory, pass };
}

const all: Scope = { kind: "all" };

describe("a pass", () => {
  it("tells how far it has come from the first folder to the last file, so that a slow one is seen", () => {
    const root = makeTree({ "a.lua": "1", "d/b.lua": "2", "d/c.lua": "3" });
    const told: (readonly [number, number])[] = [];
    const options = optionsFor(root);
    const scanner = new Scanner(
      new Territory(options),
      new DiskIndex(),
      options.maxFileBytes,
      new ArenaNumbers(1),
    );
    for (const _ of scanner.scan(all, new Changes(), (done, total) => told.push([done, total])));
    expect(told).toEqual([
      [0, 1],
      [0, 3],
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  it("does not hash what stat says is unchanged, unless it is forced to", () => {
    const root = makeTree({ "a.lua": "1" });
    const path = join(root, "a.lua");
    const { index, pass } = scannerFor(root);
    pass(all);
    write(path, "2");
    // What a write within one tick of the kernel's clock leaves behind: new content, and the stat data of before.
    const entry = index.file(path);
    if (entry !== undefined) entry.identity = fileIdentity(statSync(path));
    expect(pass(all).present).toEqual([]);
    expect(pass({ kind: "paths", paths: [path], force: false }).present).toEqual([]);
    expect(pass({ kind: "paths", paths: [path], force: true }).present.map(({ hash }) => hash)).toEqual([
      xxh64(Buffer.from("2")),
    ]);
  });

  it("looks again at files that are too young for stat to tell", () => {
    const root = makeTree();
    const path = join(root, "a.lua");
    const { index, pass } = scannerFor(root);
    let again: ReadonlyMap<string, number> = new Map();
    // The machine may be slow between writing and looking; it is not every time.
    while (again.size === 0) {
      write(path, `${Math.random()}`);
      again = pass(all).again;
    }
    expect(again.get(root)).toBe(60);
    expect(index.file(path)?.identity).toBeUndefined();
  });

  it("reads a file that somebody is writing to again, and comes back to it when he does not stop", () => {
    const root = makeTree({ "a.lua": "x".repeat(500_000) });
    const path = join(root, "a.lua");
    const { index, pass } = scannerFor(root);
    const append = "const fs=require('fs');for(;;)fs.appendFileSync(process.argv[1],'y')";
    const writer = spawn(process.execPath, ["-e", append, path]);
    let pauses = 0;
    let again: ReadonlyMap<string, number> = new Map();
    // Whether the writer is at it just then is for the machine to say; it will be, some time.
    while (pauses < 20) {
      pauses = 0;
      ({ again } = pass({ kind: "paths", paths: [path], force: true }, (pauseMs) => {
        if (pauseMs > 0) pauses += 1;
      }));
    }
    writer.kill("SIGKILL");
    expect(again.get(root)).toBe(60);
    expect(index.file(path)?.identity).toBeUndefined();
  });

  it("takes files that vanish between listing and reading for gone", () => {
    const root = makeTree({ "a.lua": "1", "b.lua": "2", "c/d.lua": "3" });
    const { pass } = scannerFor(root);
    let moved = false;
    const result = pass(all, () => {
      if (moved) return;
      moved = true;
      renameSync(join(root, "a.lua"), join(root, "a.txt"));
      renameSync(join(root, "c"), join(root, ".c"));
    });
    expect(result.present.map(({ path }) => path)).toEqual([join(root, "b.lua")]);
  });

  it("over a link that is swapped meanwhile sees one release only", () => {
    const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`d${i % 4}/${i}.lua`, ""]));
    const tree = makeTree();
    for (const release of ["1", "2"]) for (const path in files) write(join(tree, release, path), release);
    symlinkSync("1", join(tree, "current"));
    const { pass } = scannerFor(join(tree, "current"));
    for (let at = 0; at < 24; at += 3) {
      let count = 0;
      const result = pass(all, () => {
        count += 1;
        if (count !== at) return;
        symlinkSync(at % 2 === 0 ? "1" : "2", join(tree, "next"));
        renameSync(join(tree, "next"), join(tree, "current"));
      });
      const releases = new Set(
        result.present.map(({ file }) => file.slice(tree.length + 1, tree.length + 2)),
      );
      expect(releases.size).toBeLessThanOrEqual(1);
    }
  });

  it("sees what has taken a known file's place: a link, a folder, nothing, and what is new beside it", () => {
    const names = ["a", "b", "c", "d", "e"].map((name) => `${name}.lua`);
    const root = makeTree(Object.fromEntries(names.map((name) => [name, name])));
    const { index, pass } = scannerFor(root);
    const step = () => {
      const { present, absent } = pass(all);
      return { present: present.map(({ path }) => path.slice(root.length + 1)).sort(), absent };
    };
    expect(step()).toEqual({ present: names, absent: [] });
    write(join(root, "f.lua"), "f");
    expect(step()).toEqual({ present: ["f.lua"], absent: [] });
    rmSync(join(root, "a.lua"));
    symlinkSync("b.lua", join(root, "a.lua"));
    expect(step()).toEqual({ present: ["a.lua"], absent: [] });
    expect(index.file(join(root, "a.lua"))?.source.file).toBe(join(root, "b.lua"));
    rmSync(join(root, "a.lua"));
    expect(step()).toEqual({ present: [], absent: [join(root, "a.lua")] });
    rmSync(join(root, "c.lua"));
    write(join(root, "c.lua", "g.lua"), "g");
    expect(step()).toEqual({ present: ["c.lua/g.lua"], absent: [join(root, "c.lua")] });
  });

  it("waits no longer for a file that was being written when that is gone", () => {
    const root = makeTree({ "a.lua": "1" });
    const { pass } = scannerFor(root);
    pass(all);
    const patient: Scope = { kind: "all", writingMs: 20 };
    let awaiting = false;
    // The machine may be slow between emptying and looking; it is not every time.
    while (!awaiting) {
      write(join(root, "b.lua"), "");
      ({ awaiting } = pass(patient));
      rmSync(join(root, "b.lua"));
      expect(pass(patient).awaiting).toBe(false);
    }
  });

  it("drops a known file that nobody names any more, and one below a folder that another took the place of", () => {
    const root = makeTree({ "a.lua": "1", "b.txt": "2", "d/e.lua": "3", "d/f.lua": "4" });
    const { territory, pass } = scannerFor(root);
    territory.setFiles([join(root, "b.txt")]);
    expect(pass(all).present).toHaveLength(4);
    territory.setFiles([]);
    expect(pass(all).absent).toEqual([join(root, "b.txt")]);
    renameSync(join(root, "d"), join(root, ".d"));
    write(join(root, "d/f.lua"), "5");
    expect(pass(all)).toMatchObject({
      present: [{ path: join(root, "d/f.lua") }],
      absent: [join(root, "d/e.lua")],
    });
  });

  it("gives one content a place of its own when many files have it", () => {
    const root = makeTree({ "a.lua": "x", "b.lua": "x", "c.lua": "y" });
    const { index, pass } = scannerFor(root);
    expect([...pass(all).arenas.values()].map((memory) => memory.byteLength)).toEqual([2]);
    linkSync(join(root, "a.lua"), join(root, "d.lua"));
    expect(pass(all)).toMatchObject({
      present: [{ path: join(root, "d.lua"), content: { arena: 1 } }],
      arenas: new Map(),
    });
    for (const [name, text] of [
      ["a", "1"],
      ["b", "2"],
      ["d", "3"],
    ] as const)
      write(join(root, `${name}.lua`), text);
    pass(all);
    expect(index.contents.find(xxh64(Buffer.from("x")), 1)).toBeUndefined();
    expect(index.contents.find(xxh64(Buffer.from("y")), 1)).toBeDefined();
  });
});

describe("a sweep", () => {
  const sweepOf = (index: DiskIndex) => {
    const differs = new Set<string>();
    const unsure = new Set<string>();
    const work = sweep(index, {
      differs: (folder) => differs.add(folder),
      unsure: (folder) => unsure.add(folder),
    });
    for (const _ of work);
    return { differs: [...differs].sort(), unsure: [...unsure].sort() };
  };

  it("finds the folders in which something differs, and nothing else", async () => {
    const root = makeTree({ "a.lua": "1", "b/c.lua": "2", "d/e.lua": "3", "f/g.lua": "4", "h/i.lua": "5" });
    const { index, pass } = scannerFor(root);
    await untilOld(join(root, "h/i.lua"));
    pass(all);
    expect(sweepOf(index)).toEqual({ differs: [], unsure: [] });
    appendFileSync(join(root, "b/c.lua"), "x");
    writeFileSync(join(root, "d/new.txt"), "x");
    renameSync(join(root, "f/g.lua"), join(root, "f/h.lua"));
    renameSync(join(root, "h"), join(root, "j"));
    const found = sweepOf(index);
    expect(found.differs).toEqual([root, join(root, "b"), join(root, "d"), join(root, "f"), join(root, "h")]);
    pass({ kind: "folders", folders: found.differs });
    await untilOld(join(root, "b/c.lua"));
    pass({ kind: "folders", folders: [root, ...found.differs] });
    expect(sweepOf(index).differs).toEqual([]);
  });
});

describe("turning points", () => {
  it("are the folders of all links on the way, and where a missing part would appear", () => {
    const tree = makeTree({ "srv/releases/1/app/a.lua": "1" });
    symlinkSync("releases/1", join(tree, "srv/live"));
    symlinkSync("srv/live/app", join(tree, "app"));
    expect([...turningPoints(join(tree, "app"))].sort()).toEqual([tree, join(tree, "srv")]);
    expect([...turningPoints(join(tree, "srv/releases/1"))]).toEqual([]);
    expect([...turningPoints(join(tree, "app/x/y"))].sort()).toEqual([
      tree,
      join(tree, "srv"),
      join(tree, "srv/releases/1/app"),
    ]);
    symlinkSync("loop", join(tree, "loop"));
    expect([...turningPoints(join(tree, "loop/x"))]).toEqual([tree]);
  });
});

/** Waits until the clock by which the file system stamps has moved on enough for `stat` to tell versions apart. */
async function untilOld(path: string): Promise<void> {
  while (Date.now() - statSync(path).ctimeMs < 20) await new Promise((resolve) => setImmediate(resolve));
}
