/** What a source reads at its start, and what it says when it is asked to look again. */

import { execFileSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { cleanUp, Follower, follow, makeTree, optionsFor, write } from "./tree.ts";
import { xxh64 } from "./xxh64.ts";

afterEach(cleanUp);

describe("the first step", () => {
  it("has every file that ends in a suffix, with path, real path and content", async () => {
    const root = makeTree({
      "a.lua": "return 1",
      "b/c.lua": "return 2",
      "b/d/init.lua": "",
      "readme.md": "no",
    });
    const disk = await follow(optionsFor(root));
    expect(disk.texts()).toEqual({
      [join(root, "a.lua")]: "return 1",
      [join(root, "b/c.lua")]: "return 2",
      [join(root, "b/d/init.lua")]: "",
    });
    expect(disk.file(join(root, "a.lua"))?.file).toBe(join(root, "a.lua"));
    expect(disk.status()).toMatchObject({
      files: 3,
      folders: 3,
      mode: "manual",
      missingRoots: [],
      skipped: [],
    });
    expect(disk.steps.map((step) => step.sequence)).toEqual([1]);
  });

  it("hashes with XXH64", async () => {
    const texts = ["", "a", "return {}\n", "x".repeat(31), "y".repeat(32), "é\0".repeat(5000)];
    const root = makeTree(Object.fromEntries(texts.map((text, index) => [`${index}.lua`, text])));
    const disk = await follow(optionsFor(root));
    for (const [index, text] of texts.entries()) {
      expect(disk.file(join(root, `${index}.lua`))?.hash).toBe(xxh64(Buffer.from(text)));
    }
  });

  it("stores equal contents once", async () => {
    const root = makeTree({ "a.lua": "same", "b.lua": "same", "c.lua": "other" });
    const disk = await follow(optionsFor(root));
    expect(disk.file(join(root, "a.lua"))?.content).toEqual(disk.file(join(root, "b.lua"))?.content);
    expect(disk.file(join(root, "c.lua"))?.content).not.toEqual(disk.file(join(root, "b.lua"))?.content);
  });

  it("holds thousands of files and large ones", async () => {
    const root = makeTree();
    const large = "x".repeat(3_000_000);
    const expected: Record<string, string> = { [join(root, "large.lua")]: large };
    write(join(root, "large.lua"), large);
    for (let i = 0; i < 3000; i += 1) {
      const path = join(root, `d${i % 60}`, `m${i}.lua`);
      write(path, `return ${i}`);
      expected[path] = `return ${i}`;
    }
    const disk = await follow(optionsFor(root, { maxFileBytes: 3_000_000 }));
    expect(disk.texts()).toEqual(expected);
  });

  it("takes each file once where roots overlap, and every suffix where they meet", async () => {
    const root = makeTree({ "a.lua": "1", "lib/b.lua": "2", "lib/c.luax": "3", "d.luax": "4" });
    const disk = await follow(
      optionsFor(root, {
        roots: [
          { folder: root, suffixes: [".lua"] },
          { folder: join(root, "lib"), suffixes: [".luax"] },
          { folder: root, suffixes: ["/init.lua"] },
        ],
      }),
    );
    expect(Object.values(disk.texts())).toEqual(["1", "2", "3"]);
  });

  it("has single files wherever they are, whatever they are called", async () => {
    const root = makeTree({ "apps/a.lua": "1", "conf/.hidden.txt": "2", "conf/other.txt": "3" });
    const files = [join(root, "conf/.hidden.txt"), join(root, "conf/missing"), join(root, "nowhere/x")];
    const disk = await follow(optionsFor(join(root, "apps"), { files }));
    expect(Object.values(disk.texts())).toEqual(["1", "2"]);
    write(join(root, "nowhere/x"), "4");
    await disk.reconcile("all");
    expect(disk.text(join(root, "nowhere/x"))).toBe("4");
    disk.apply(await disk.source.setFiles([join(root, "conf/other.txt")]));
    expect(Object.values(disk.texts())).toEqual(["1", "3"]);
  });

  it("is empty, with a missing root in the status, when there is no folder", async () => {
    const root = join(makeTree(), "later");
    const disk = await follow(optionsFor(root));
    expect(disk.steps[0]).toMatchObject({ sequence: 1, present: [], absent: [] });
    expect(disk.status().missingRoots).toEqual([root]);
    expect(disk.status().roots).toEqual([{ folder: root, real: undefined }]);
  });

  it("says where the roots really are, and which rules ignore paths", async () => {
    const folder = makeTree({ "releases/7/a.lua": "1", "lib/b.lua": "2" });
    symlinkSync("releases/7", join(folder, "current"));
    const roots = ["current", "lib"].map((name) => ({ folder: join(folder, name), suffixes: [".lua"] }));
    const disk = await follow(optionsFor(folder, { roots, ignore: ["*.bak.lua"] }));
    expect(disk.status().roots).toEqual([
      { folder: join(folder, "current"), real: join(folder, "releases/7") },
      { folder: join(folder, "lib"), real: join(folder, "lib") },
    ]);
    expect(disk.status().ignored).toEqual(
      expect.arrayContaining(["names that start with a dot", "node_modules", 'watch.ignore has "*.bak.lua"']),
    );
    unlinkSync(join(folder, "current"));
    symlinkSync("lib", join(folder, "current"));
    await disk.reconcile("all");
    expect(disk.status().roots[0]?.real).toBe(join(folder, "lib"));
  });

  it("is not to be had twice, nor after close", async () => {
    const disk = await follow(optionsFor(makeTree()));
    await expect(disk.source.start()).rejects.toMatchObject({ code: "source-failed" });
    await disk.source.close();
    await expect(disk.source.reconcile("all")).rejects.toMatchObject({ code: "source-failed" });
    const never = new Follower(optionsFor(makeTree()));
    await expect(never.source.reconcile("all")).rejects.toMatchObject({ code: "source-failed" });
  });
});

describe("what is no module", () => {
  it("is not read where a rule ignores it", async () => {
    const root = makeTree({
      "a.lua": "1",
      "node_modules/b.lua": "2",
      ".git/c.lua": "3",
      "vendor/x/d.lua": "4",
      "gen/e.lua": "5",
      "gen/keep.lua": "6",
      ".#a.lua": "7",
    });
    const disk = await follow(optionsFor(root, { ignore: ["vendor", "gen/e*.lua"] }));
    expect(Object.values(disk.texts())).toEqual(["1", "6"]);
  });

  it("but a root may itself have an ignored name", async () => {
    const root = makeTree({ "a.lua": "1", ".deps/node_modules/b.lua": "2", ".deps/c.lua": "3" });
    const deps = join(root, ".deps/node_modules");
    const disk = await follow(
      optionsFor(root, {
        roots: [
          { folder: root, suffixes: [".lua"] },
          { folder: deps, suffixes: [".lua"] },
        ],
      }),
    );
    expect(disk.texts()).toEqual({ [join(root, "a.lua")]: "1", [join(deps, "b.lua")]: "2" });
  });

  it("is named with a reason: FIFO, socket, device, too large, broken link", async () => {
    const root = makeTree({ "ok.lua": "1", "large.lua": "x".repeat(101), "edge.lua": "x".repeat(100) });
    execFileSync("mkfifo", [join(root, "fifo.lua")]);
    symlinkSync("/dev/null", join(root, "device.lua"));
    symlinkSync("nothing", join(root, "broken.lua"));
    symlinkSync("itself.lua", join(root, "itself.lua"));
    const server = createServer().listen(join(root, "socket.lua"));
    await new Promise((resolve) => server.once("listening", resolve));
    const disk = await follow(optionsFor(root, { maxFileBytes: 100 }));
    server.close();
    expect(Object.keys(disk.texts())).toEqual([join(root, "edge.lua"), join(root, "ok.lua")]);
    expect(disk.skipped(join(root, "fifo.lua"))).toBe("FIFO");
    expect(disk.skipped(join(root, "socket.lua"))).toBe("socket");
    expect(disk.skipped(join(root, "device.lua"))).toBe("device");
    expect(disk.skipped(join(root, "large.lua"))).toBe("larger than maxFileBytes (101 bytes)");
    expect(disk.skipped(join(root, "broken.lua"))).toBe("symbolic link to nothing");
    expect(disk.skipped(join(root, "itself.lua"))).toBe("ELOOP");
  });

  // Permissions do not stop root, who runs the tests in containers.
  it.skipIf(process.getuid?.() === 0)("is named with EACCES where it cannot be read", async () => {
    const root = makeTree({ "a.lua": "1", "b.lua": "2" });
    execFileSync("chmod", ["000", join(root, "b.lua")]);
    const disk = await follow(optionsFor(root));
    expect(Object.values(disk.texts())).toEqual(["1"]);
    expect(disk.skipped(join(root, "b.lua"))).toBe("EACCES");
  });

  it("does not stop it: names with spaces, newlines, and bytes that are not UTF-8", async () => {
    const root = makeTree({ "a b.lua": "1", "new\nline.lua": "2", "ünï.lua": "3" });
    writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.from([0xff]), Buffer.from(".lua")]), "4");
    mkdirSync(Buffer.concat([Buffer.from(`${root}/dir`), Buffer.from([0xff])]));
    const disk = await follow(optionsFor(root));
    expect(Object.values(disk.texts())).toEqual(["1", "2", "3"]);
    expect(disk.skipped(join(root, "bad\ufffd.lua"))).toBe("name is not UTF-8");
  });
});

describe("symbolic links", () => {
  it("are followed; the path stays lexical, the file is the real one", async () => {
    const tree = makeTree({ "releases/1/a.lua": "1", "shared/s.lua": "2", "shared/deep/t.lua": "3" });
    symlinkSync("releases/1", join(tree, "current"));
    symlinkSync("../../shared/s.lua", join(tree, "releases/1/s.lua"));
    symlinkSync(join(tree, "shared/deep"), join(tree, "releases/1/deep"));
    const root = join(tree, "current");
    const disk = await follow(optionsFor(root));
    expect(disk.texts()).toEqual({
      [join(root, "a.lua")]: "1",
      [join(root, "deep/t.lua")]: "3",
      [join(root, "s.lua")]: "2",
    });
    expect(disk.file(join(root, "a.lua"))?.file).toBe(join(tree, "releases/1/a.lua"));
    expect(disk.file(join(root, "s.lua"))?.file).toBe(join(tree, "shared/s.lua"));
    expect(disk.file(join(root, "deep/t.lua"))?.file).toBe(join(tree, "shared/deep/t.lua"));
  });

  it("that lead back to a folder above are skipped as loops", async () => {
    const root = makeTree({ "a.lua": "1", "b/c.lua": "2" });
    symlinkSync("..", join(root, "b/up"));
    symlinkSync(".", join(root, "self"));
    const disk = await follow(optionsFor(root));
    expect(Object.values(disk.texts())).toEqual(["1", "2"]);
    expect(disk.skipped(join(root, "b/up"))).toBe("loop of symbolic links");
    expect(disk.skipped(join(root, "self"))).toBe("loop of symbolic links");
  });

  it("that are swapped give one step with every path that differs", async () => {
    const tree = makeTree({
      "r1/a.lua": "1",
      "r1/same.lua": "s",
      "r2/a.lua": "2",
      "r2/same.lua": "s",
      "r2/new.lua": "n",
    });
    symlinkSync("r1", join(tree, "current"));
    const root = join(tree, "current");
    const disk = await follow(optionsFor(root));
    symlinkSync("r2", join(tree, "next"));
    renameSync(join(tree, "next"), root);
    const step = await disk.reconcile("all");
    expect(step.present.map((file) => [file.path, file.file]).sort()).toEqual([
      [join(root, "a.lua"), join(tree, "r2/a.lua")],
      [join(root, "new.lua"), join(tree, "r2/new.lua")],
      [join(root, "same.lua"), join(tree, "r2/same.lua")],
    ]);
    expect(disk.texts()).toEqual({
      [join(root, "a.lua")]: "2",
      [join(root, "new.lua")]: "n",
      [join(root, "same.lua")]: "s",
    });
  });
});

describe("reconcile", () => {
  it("finds what is new, changed and gone, everywhere", async () => {
    const root = makeTree({ "a.lua": "1", "b.lua": "2", "c/d.lua": "3", "e/f.lua": "4" });
    const disk = await follow(optionsFor(root));
    write(join(root, "a.lua"), "one");
    rmSync(join(root, "b.lua"));
    rmSync(join(root, "c"), { recursive: true });
    write(join(root, "g/h.lua"), "5");
    renameSync(join(root, "e"), join(root, "i"));
    const step = await disk.reconcile("all");
    expect(step.absent.toSorted()).toEqual(["b.lua", "c/d.lua", "e/f.lua"].map((path) => join(root, path)));
    expect(disk.texts()).toEqual({
      [join(root, "a.lua")]: "one",
      [join(root, "g/h.lua")]: "5",
      [join(root, "i/f.lua")]: "4",
    });
    expect(await disk.reconcile("all")).toMatchObject({ sequence: 3, present: [], absent: [] });
  });

  it("of named paths includes nothing but these", async () => {
    const root = makeTree({ "a.lua": "1", "b.lua": "2", "c/d.lua": "3", "c/e/f.lua": "4" });
    const disk = await follow(optionsFor(root));
    for (const path of ["a.lua", "b.lua", "c/d.lua", "c/e/f.lua", "new/g.lua", "new/h.lua"])
      write(join(root, path), "x");
    const changed = async (...paths: string[]) =>
      (await disk.reconcile({ paths: paths.map((path) => join(root, path)) })).present
        .map(({ path }) => path)
        .sort();
    expect(await changed("a.lua")).toEqual([join(root, "a.lua")]);
    expect(await changed("new/g.lua")).toEqual([join(root, "new/g.lua")]);
    expect(await changed("c")).toEqual([join(root, "c/d.lua"), join(root, "c/e/f.lua")]);
    expect(await changed("nothing.lua", "../out.lua", "readme.md")).toEqual([]);
    const rest = await disk.reconcile("all");
    expect(rest.present.map(({ path }) => path).sort()).toEqual([
      join(root, "b.lua"),
      join(root, "new/h.lua"),
    ]);
  });

  it("of a named path that is gone reports it gone", async () => {
    const root = makeTree({ "a.lua": "1", "b/c.lua": "2", "b/d.lua": "3" });
    const disk = await follow(optionsFor(root));
    rmSync(join(root, "b"), { recursive: true });
    expect((await disk.reconcile({ paths: [join(root, "b/c.lua")] })).absent).toEqual([
      join(root, "b/c.lua"),
    ]);
    expect((await disk.reconcile({ paths: [join(root, "b")] })).absent).toEqual([join(root, "b/d.lua")]);
  });

  it("finds nothing in a touch, a chmod or the same content written again", async () => {
    const root = makeTree({ "a.lua": "1", "b.lua": "2", "c.lua": "3" });
    const disk = await follow(optionsFor(root));
    utimesSync(join(root, "a.lua"), 1, 1);
    execFileSync("chmod", ["600", join(root, "b.lua")]);
    rmSync(join(root, "c.lua"));
    write(join(root, "c.lua"), "3");
    expect(await disk.reconcile("all")).toMatchObject({ present: [], absent: [] });
  });

  it("sees another content of equal size behind an mtime that was set back", async () => {
    const root = makeTree({ "a.lua": "return 1" });
    const path = join(root, "a.lua");
    utimesSync(path, 1000, 1000);
    const disk = await follow(optionsFor(root));
    write(path, "return 2");
    utimesSync(path, 1000, 1000);
    await disk.reconcile("all");
    expect(disk.text(path)).toBe("return 2");
  });

  it("with force hashes a file whose stat data say nothing", async () => {
    const root = makeTree({ "a.lua": "1" });
    const path = join(root, "a.lua");
    const disk = await follow(optionsFor(root));
    linkSync(path, join(root, "b.txt"));
    expect(await disk.reconcile({ paths: [path], force: true })).toMatchObject({ present: [], absent: [] });
  });

  it("keeps contents that came back, and shares them with later files", async () => {
    const root = makeTree({ "a.lua": "A" });
    const disk = await follow(optionsFor(root));
    for (const text of ["B", "A", "B"]) {
      write(join(root, "a.lua"), text);
      await disk.reconcile("all");
      expect(disk.text(join(root, "a.lua"))).toBe(text);
    }
    write(join(root, "b.lua"), "B");
    const step = await disk.reconcile("all");
    expect(step.present[0]?.content).toEqual(disk.file(join(root, "a.lua"))?.content);
    expect(step.arenas.size).toBe(1);
  });
});
