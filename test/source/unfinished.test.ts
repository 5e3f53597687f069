/** When a file counts as written to its end, by what `stat` says. */

import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { judgeWriting } from "../../src/source/unfinished.ts";
import { cleanUp, follow, makeTree, optionsFor, watching } from "./tree.ts";

afterEach(cleanUp);

const nowMs = 10_000;
const file = { dev: 1, ino: 7, size: 100, mtimeMs: nowMs - 10, ctimeMs: nowMs };
const watched = { earlier: undefined, sinceMs: undefined, writingMs: 20 };

describe("a file that differs", () => {
  it("is asked once more when it was written to just now, and is unfinished when it has grown by then", () => {
    expect(judgeWriting(file, watched, nowMs)).toBe("unsure");
    expect(judgeWriting(file, { ...watched, earlier: { ...file, size: 99 } }, nowMs)).toBe("unfinished");
  });

  it("is finished when it does not grow, is another file, or was written to longer ago", () => {
    for (const earlier of [file, { ...file, size: 101 }, { ...file, ino: 8, size: 99 }])
      expect(judgeWriting(file, { ...watched, earlier }, nowMs)).toBe("finished");
    expect(judgeWriting({ ...file, mtimeMs: nowMs - 20 }, watched, nowMs)).toBe("finished");
    expect(judgeWriting(file, { ...watched, writingMs: 0 }, nowMs)).toBe("finished");
    expect(judgeWriting({ ...file, mtimeMs: nowMs + 60_000 }, watched, nowMs)).toBe("finished");
  });

  it("and is empty is unfinished for a while, after a quiet as well", () => {
    const empty = { ...file, size: 0 };
    expect(judgeWriting(empty, { ...watched, writingMs: 0 }, nowMs)).toBe("unfinished");
    expect(judgeWriting({ ...empty, mtimeMs: nowMs - 200 }, { ...watched, writingMs: 0 }, nowMs)).toBe(
      "finished",
    );
  });

  it("is taken as it is after five seconds of growing", () => {
    const growing = { ...watched, earlier: { ...file, size: 99 } };
    expect(judgeWriting(file, { ...growing, sinceMs: nowMs - 4999 }, nowMs)).toBe("unfinished");
    expect(judgeWriting(file, { ...growing, sinceMs: nowMs - 5000 }, nowMs)).toBe("finished");
  });
});

/** Empties a file again and again, so that it is one that was emptied just now however slow the machine is. */
function keepEmpty(path: string): NodeJS.Timeout {
  writeFileSync(path, "");
  return setInterval(() => writeFileSync(path, ""), 50);
}

describe("an unfinished file", () => {
  it("keeps what is known of it, and is pending until it is taken", async () => {
    const root = makeTree({ "a.lua": "old", "b.lua": "old" });
    const disk = await follow(optionsFor(root, { watch: { ...watching, sweepMs: 0 } }));
    const emptying = keepEmpty(join(root, "a.lua"));
    writeFileSync(join(root, "b.lua"), "new");
    await disk.until(() => disk.text(join(root, "b.lua")) === "new");
    expect(disk.text(join(root, "a.lua"))).toBe("old");
    expect(disk.status().pending).toBe(true);
    clearInterval(emptying);
    appendFileSync(join(root, "a.lua"), "new");
    await disk.until(() => !disk.status().pending);
    expect(disk.text(join(root, "a.lua"))).toBe("new");
    writeFileSync(join(root, "a.lua"), "");
    await disk.until(() => disk.text(join(root, "a.lua")) === "" && !disk.status().pending);
    expect(disk.steps.flatMap(({ present }) => present).length).toBe(5);
  });

  it("is taken as it is by a reconcile that was asked for", async () => {
    const root = makeTree({ "a.lua": "old" });
    const disk = await follow(optionsFor(root, { watch: { ...watching, sweepMs: 0 } }));
    writeFileSync(join(root, "a.lua"), "");
    await disk.reconcile("all");
    expect(disk.text(join(root, "a.lua"))).toBe("");
  });

  it("that is removed is no reason to wait any longer", async () => {
    const root = makeTree({ "a.lua": "old", "b.lua": "old" });
    const disk = await follow(optionsFor(root, { watch: { ...watching, sweepMs: 0 } }));
    const emptying = keepEmpty(join(root, "new.lua"));
    writeFileSync(join(root, "b.lua"), "new");
    await disk.until(() => disk.text(join(root, "b.lua")) === "new");
    expect(disk.status().pending).toBe(true);
    clearInterval(emptying);
    rmSync(join(root, "new.lua"));
    await disk.until(() => !disk.status().pending);
    expect(disk.text(join(root, "new.lua"))).toBeUndefined();
  });
});
