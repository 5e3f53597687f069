/** What a watching source notices by itself, on a real disk, in its real thread. */

import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { SourceOptions } from "../../src/source/contract.ts";
import { cleanUp, type Follower, follow, makeTree, optionsFor, watching, write } from "./tree.ts";

afterEach(cleanUp);

/** Without a sweep, so that only events can have told. */
const eventsOnly: Partial<SourceOptions> = { watch: { ...watching, sweepMs: 0 } };

/** A marker written last: once it is seen, everything written before it and settled has been seen too. */
async function untilMarkerSeen(disk: Follower, root: string): Promise<void> {
  const marker = join(root, "zz_marker.lua");
  const text = `${Math.random()}`;
  write(marker, text);
  await disk.until(() => disk.text(marker) === text);
}

describe("a save", () => {
  it("is a step, after it was announced as pending", async () => {
    const root = makeTree({ "a.lua": "1" });
    const disk = await follow(optionsFor(root, eventsOnly));
    const announced: boolean[] = [];
    disk.source.on("pending", (pending) => announced.push(pending));
    write(join(root, "a.lua"), "2");
    await disk.until(() => disk.text(join(root, "a.lua")) === "2" && !disk.status().pending);
    expect(announced[0]).toBe(true);
    expect(announced.at(-1)).toBe(false);
    expect(disk.status().mode).toBe("events");
  });

  it("is seen in whatever way editors and deploys write", async () => {
    const root = makeTree({ "d/a.lua": "0" });
    const path = join(root, "d/a.lua");
    const disk = await follow(optionsFor(root, eventsOnly));
    const ways: ((text: string) => void)[] = [
      (text) => writeFileSync(path, text),
      (text) => {
        writeFileSync(`${path}.tmp`, text);
        renameSync(`${path}.tmp`, path);
      },
      (text) => {
        // vim with backupcopy=no
        writeFileSync(join(root, "d/4913"), "");
        unlinkSync(join(root, "d/4913"));
        renameSync(path, `${path}~`);
        writeFileSync(path, text);
        unlinkSync(`${path}~`);
      },
      (text) => {
        unlinkSync(path);
        writeFileSync(path, text);
      },
      (text) => {
        // rsync -a
        writeFileSync(join(root, "d/.a.lua.x1Y2z3"), text);
        utimesSync(join(root, "d/.a.lua.x1Y2z3"), 1000, 1000);
        renameSync(join(root, "d/.a.lua.x1Y2z3"), path);
      },
      (text) => {
        writeFileSync(path, "");
        for (const char of text) appendFileSync(path, char);
      },
      (text) => {
        renameSync(join(root, "d"), join(root, "e"));
        mkdirSync(join(root, "d"));
        writeFileSync(path, text);
        rmSync(join(root, "e"), { recursive: true });
      },
    ];
    for (const [index, way] of ways.entries()) {
      way(`way ${index}`);
      await disk.until(() => disk.text(path) === `way ${index}`);
    }
    expect(Object.keys(disk.texts())).toEqual([path]);
  });

  it("that changes nothing is no step: touch, chmod, same content, temporary and foreign files", async () => {
    const root = makeTree({ "a.lua": "1", "b.lua": "2", "c.lua": "3" });
    const disk = await follow(optionsFor(root, eventsOnly));
    await untilMarkerSeen(disk, root);
    const steps = disk.steps.length;
    utimesSync(join(root, "a.lua"), 1, 1);
    chmodSync(join(root, "b.lua"), 0o600);
    writeFileSync(join(root, "c.lua"), "3");
    writeFileSync(join(root, "notes.txt"), "x");
    writeFileSync(join(root, ".a.lua.swp"), "x");
    await untilMarkerSeen(disk, root);
    const later = disk.steps.slice(steps);
    expect(later.flatMap((step) => [...step.present.map(({ path }) => path), ...step.absent])).toEqual([
      join(root, "zz_marker.lua"),
    ]);
  });
});

describe("files and folders", () => {
  it("that come, move and go are followed, also in folders that are new", async () => {
    const root = makeTree({ "a.lua": "1", "b/c.lua": "2" });
    const disk = await follow(optionsFor(root, eventsOnly));
    write(join(root, "x/y/z.lua"), "3");
    await disk.until(() => disk.text(join(root, "x/y/z.lua")) === "3");
    write(join(root, "x/y/z.lua"), "4");
    await disk.until(() => disk.text(join(root, "x/y/z.lua")) === "4");
    renameSync(join(root, "x"), join(root, "w"));
    await disk.until(
      () => disk.text(join(root, "w/y/z.lua")) === "4" && disk.text(join(root, "x/y/z.lua")) === undefined,
    );
    write(join(root, "w/y/z.lua"), "5");
    await disk.until(() => disk.text(join(root, "w/y/z.lua")) === "5");
    rmSync(join(root, "w"), { recursive: true });
    unlinkSync(join(root, "a.lua"));
    await disk.until(() => Object.keys(disk.texts()).length === 1);
    expect(disk.texts()).toEqual({ [join(root, "b/c.lua")]: "2" });
    expect(disk.status().folders).toBe(2);
  });

  it("by the hundred are one step while they keep coming", async () => {
    const root = makeTree(
      Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`d${i % 20}/m${i}.lua`, "old"])),
    );
    const disk = await follow(
      optionsFor(root, { watch: { ...watching, settleMs: 100, maxWaitMs: 5000, sweepMs: 0 } }),
    );
    await untilMarkerSeen(disk, root);
    const steps = disk.steps.length;
    for (let i = 0; i < 500; i += 1) writeFileSync(join(root, `d${i % 20}/m${i}.lua`), `new ${i}`);
    const last = join(root, "d19/m499.lua");
    await disk.until(() => disk.text(last) === "new 499");
    expect(disk.steps.length - steps).toBe(1);
    expect(disk.steps.at(-1)?.present.length).toBe(500);
  });

  it("written without a pause are committed every maxWaitMs", async () => {
    const root = makeTree({ "a.lua": "0" });
    const path = join(root, "a.lua");
    const disk = await follow(
      optionsFor(root, { watch: { ...watching, settleMs: 50, maxWaitMs: 150, sweepMs: 0 } }),
    );
    const steps = disk.steps.length;
    let count = 0;
    const writer = setInterval(() => {
      count += 1;
      writeFileSync(path, `${count}`);
    }, 5);
    try {
      await disk.until(() => disk.steps.length >= steps + 3);
    } finally {
      clearInterval(writer);
    }
    await disk.until(() => disk.text(path) === `${count}`);
  });

  it("beside the roots are watched by name", async () => {
    const tree = makeTree({ "apps/a.lua": "1", "conf/h.txt": "2", "conf/other.txt": "3" });
    const handler = join(tree, "conf/h.txt");
    const late = join(tree, "late/h.txt");
    const disk = await follow(optionsFor(join(tree, "apps"), { ...eventsOnly, files: [handler, late] }));
    write(join(tree, "conf/other.txt"), "4");
    write(handler, "5");
    await disk.until(() => disk.text(handler) === "5");
    write(late, "6");
    await disk.until(() => disk.text(late) === "6");
    write(late, "7");
    await disk.until(() => disk.text(late) === "7");
    expect(disk.text(join(tree, "conf/other.txt"))).toBeUndefined();
    disk.apply(await disk.source.setFiles([]));
    expect(Object.values(disk.texts())).toEqual(["1"]);
  });
});

describe("roots", () => {
  it("that are missing are watched until they appear, several levels deep", async () => {
    const root = join(makeTree(), "not/yet/here");
    const disk = await follow(optionsFor(root, eventsOnly));
    expect(disk.status().missingRoots).toEqual([root]);
    write(join(root, "a.lua"), "1");
    await disk.until(() => disk.text(join(root, "a.lua")) === "1");
    expect(disk.status().missingRoots).toEqual([]);
    write(join(root, "a.lua"), "2");
    await disk.until(() => disk.text(join(root, "a.lua")) === "2");
  });

  it("that are removed are gone after a grace, and watched again when they come back", async () => {
    const root = join(makeTree({ "root/a.lua": "1", "root/b/c.lua": "2" }), "root");
    const disk = await follow(optionsFor(root, eventsOnly));
    rmSync(root, { recursive: true });
    await disk.until(() => Object.keys(disk.texts()).length === 0 && disk.status().missingRoots.length === 1);
    write(join(root, "a.lua"), "3");
    await disk.until(() => disk.text(join(root, "a.lua")) === "3");
    write(join(root, "a.lua"), "4");
    await disk.until(() => disk.text(join(root, "a.lua")) === "4");
  });

  it("that are moved away and back lose nothing, not even for a moment", async () => {
    const root = join(makeTree({ "root/a.lua": "1", "root/b/c.lua": "2" }), "root");
    const disk = await follow(optionsFor(root, eventsOnly));
    await untilMarkerSeen(disk, root);
    renameSync(root, `${root}.away`);
    await disk.until(() => disk.status().pending);
    renameSync(`${root}.away`, root);
    await untilMarkerSeen(disk, root);
    expect(disk.steps.flatMap((step) => step.absent)).toEqual([]);
  });

  it("behind a link follow it when it is swapped, as one step each time", async () => {
    const tree = makeTree();
    for (let release = 0; release < 6; release += 1) {
      for (const name of ["a", "b", "c/d"])
        write(join(tree, `releases/${release}/app/${name}.lua`), `${release}`);
    }
    symlinkSync("releases/0", join(tree, "current"));
    const root = join(tree, "current/app");
    const disk = await follow(optionsFor(root, { watch: { ...watching, settleMs: 50, sweepMs: 0 } }));
    for (let release = 1; release < 6; release += 1) {
      const steps = disk.steps.length;
      symlinkSync(`releases/${release}`, join(tree, "next"));
      renameSync(join(tree, "next"), join(tree, "current"));
      await disk.until(() => disk.text(join(root, "c/d.lua")) === `${release}`);
      expect(disk.steps.length - steps).toBe(1);
      expect(disk.file(join(root, "a.lua"))?.file).toBe(join(tree, `releases/${release}/app/a.lua`));
      write(join(root, "a.lua"), `edited ${release}`);
      await disk.until(() => disk.text(join(root, "a.lua")) === `edited ${release}`);
    }
  });

  it("of a ConfigMap follow its ..data", async () => {
    const root = makeTree({ "..1/a.lua": "1", "..1/b.lua": "same", "..2/a.lua": "2", "..2/b.lua": "same" });
    symlinkSync("..1", join(root, "..data"));
    for (const name of ["a.lua", "b.lua"]) symlinkSync(`..data/${name}`, join(root, name));
    const disk = await follow(optionsFor(root, eventsOnly));
    symlinkSync("..2", join(root, "..data_tmp"));
    renameSync(join(root, "..data_tmp"), join(root, "..data"));
    rmSync(join(root, "..1"), { recursive: true });
    await disk.until(() => disk.text(join(root, "a.lua")) === "2");
    expect(disk.text(join(root, "b.lua"))).toBe("same");
  });

  it("with links to files elsewhere see what is written there", async () => {
    const tree = makeTree({ "root/a.lua": "1", "shared/s.txt": "2", "shared/t/u.lua": "3" });
    const root = join(tree, "root");
    symlinkSync("../shared/s.txt", join(root, "s.lua"));
    symlinkSync("../shared/t", join(root, "t"));
    const disk = await follow(optionsFor(root, eventsOnly));
    write(join(tree, "shared/s.txt"), "4");
    await disk.until(() => disk.text(join(root, "s.lua")) === "4");
    write(join(tree, "shared/t/u.lua"), "5");
    await disk.until(() => disk.text(join(root, "t/u.lua")) === "5");
  });
});

describe("reconcile beside the watcher", () => {
  it("of everything takes what is pending; nothing comes twice", async () => {
    const root = makeTree({ "a.lua": "1", "b.lua": "1" });
    const disk = await follow(optionsFor(root, { watch: { ...watching, settleMs: 300, sweepMs: 0 } }));
    write(join(root, "a.lua"), "2");
    await disk.until(() => disk.status().pending);
    const step = await disk.reconcile("all");
    expect(step.present.map(({ path }) => path)).toEqual([join(root, "a.lua")]);
    await disk.until(() => !disk.status().pending);
    await untilMarkerSeen(disk, root);
    expect(
      disk.steps.flatMap((step) => step.present).filter(({ path }) => path === join(root, "a.lua")).length,
    ).toBe(2);
  });

  it("of named paths leaves the rest to the watcher", async () => {
    const root = makeTree({ "a.lua": "1", "b.lua": "1" });
    const disk = await follow(optionsFor(root, { watch: { ...watching, settleMs: 300, sweepMs: 0 } }));
    write(join(root, "a.lua"), "2");
    write(join(root, "b.lua"), "2");
    await disk.until(() => disk.status().pending);
    const step = await disk.reconcile({ paths: [join(root, "a.lua")] });
    expect(step.present.map(({ path }) => path)).toEqual([join(root, "a.lua")]);
    expect(disk.status().pending).toBe(true);
    await disk.until(() => disk.text(join(root, "b.lua")) === "2" && !disk.status().pending);
  });
});

describe("git", () => {
  const git = (root: string, ...args: string[]) =>
    execFileSync(
      "git",
      ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main", ...args],
      {
        cwd: root,
        stdio: "pipe",
      },
    );

  it("is waited for while it holds the lock of its index", async () => {
    const tree = makeTree({ "apps/a.lua": "1", ".git/index.lock": "" });
    const root = join(tree, "apps");
    const disk = await follow(optionsFor(root, eventsOnly));
    const lock = join(tree, ".git/index.lock");
    let lockedAtStep: boolean | undefined;
    disk.source.on("step", () => {
      lockedAtStep ??= existsSync(lock);
    });
    write(join(root, "a.lua"), "2");
    await disk.until(() => disk.status().pending);
    // Ten settle windows.
    void setTimeout(200).then(() => unlinkSync(lock));
    await disk.until(() => disk.text(join(root, "a.lua")) === "2");
    expect(lockedAtStep).toBe(false);
  });

  it("checks out hundreds of files as one step", async () => {
    const root = makeTree();
    const fill = (text: string) => {
      for (let i = 0; i < 300; i += 1) write(join(root, `d${i % 10}/m${i}.lua`), `${text} ${i}`);
    };
    git(root, "init", "-q");
    fill("one");
    git(root, "add", ".");
    git(root, "commit", "-qm", "one");
    git(root, "checkout", "-qb", "two");
    fill("two");
    git(root, "commit", "-qam", "two");
    const disk = await follow(optionsFor(root, eventsOnly));
    for (const [branch, text] of [
      ["main", "one"],
      ["two", "two"],
    ] as const) {
      const steps = disk.steps.length;
      git(root, "checkout", "-q", branch);
      await disk.until(
        () => disk.text(join(root, "d9/m299.lua")) === `${text} 299` && !disk.status().pending,
      );
      expect(disk.steps.slice(steps).map((step) => step.present.length)).toEqual([300]);
    }
  });
});

describe("other ways to watch", () => {
  it("polling sees what is written", async () => {
    const root = makeTree({ "a.lua": "1", "b/c.lua": "2" });
    const disk = await follow(optionsFor(root, { watch: { ...watching, polling: true, sweepMs: 20 } }));
    expect(disk.status().mode).toBe("polling");
    write(join(root, "a.lua"), "3");
    write(join(root, "b/d/e.lua"), "4");
    unlinkSync(join(root, "b/c.lua"));
    await disk.until(() => Object.values(disk.texts()).join() === "3,4");
  });

  it("polling leaves a file alone that is being written", async () => {
    const root = makeTree({ "a.lua": "old" });
    const path = join(root, "a.lua");
    const disk = await follow(
      optionsFor(root, { watch: { ...watching, settleMs: 100, polling: true, sweepMs: 20 } }),
    );
    const seen = new Set<string | undefined>();
    disk.source.on("step", () => seen.add(disk.text(path)));
    let text = "";
    writeFileSync(path, text);
    for (let line = 0; line < 100; line += 1) {
      appendFileSync(path, `${line}\n`);
      text += `${line}\n`;
      await setTimeout(4);
    }
    await disk.until(() => disk.text(path) === text);
    expect([...seen]).toEqual([text]);
  });

  it("no watching sees nothing until it is asked to", async () => {
    const root = makeTree({ "a.lua": "1" });
    const disk = await follow(optionsFor(root));
    write(join(root, "a.lua"), "2");
    expect(disk.text(join(root, "a.lua"))).toBe("1");
    await disk.reconcile("all");
    expect(disk.text(join(root, "a.lua"))).toBe("2");
  });
});
