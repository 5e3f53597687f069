/** One file at a time, in the ways of editors and of programs that write without care: one generation for each. */

import { appendFileSync } from "node:fs";
import { appendFile, chmod, open, rename, rm, truncate, unlink, utimes, writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Place, type PlaceOptions, patient } from "../../support/arrival.ts";

/** `app` answers with what `lib.a` returns. */
function openPlace(watch: PlaceOptions["watch"] = patient): Promise<Place> {
  return Place.open({
    files: { "app.lua": "return require 'lib.a'", "lib/a.lua": "return 'v1'", "lib/b.lua": "return 'b'" },
    answer: "ngx.print(tostring(require 'app'))",
    watch,
  });
}

/** A text of `lines` lines that counts them; cut off anywhere at a line's end it compiles, and says `true`. */
function counting(lines: number): readonly string[] {
  return ["local n = 0\n", ...Array.from({ length: lines }, () => "n = n + 1\n"), "return n\n"];
}

describe("a file", () => {
  it("overwritten in place", async () => {
    const place = await openPlace({});
    for (let version = 2; version <= 5; version += 1) {
      const write = () => writeFile(place.path("lib/a.lua"), `return 'v${version}'`);
      const { generations } = await place.perform("overwrite", write, `v${version}`);
      expect(generations.length).toBe(1);
    }
  });

  it("written beside and renamed over", async () => {
    const place = await openPlace();
    for (const name of ["a.lua.tmp", ".a.lua.Xy12zZ", "a.new"]) {
      const write = async () => {
        await writeFile(place.path(`lib/${name}`), `return '${name}'`);
        await rename(place.path(`lib/${name}`), place.path("lib/a.lua"));
      };
      expect((await place.perform(`write ${name} and rename`, write, name)).generations.length).toBe(1);
    }
  });

  it("saved by vim: test file, swap file, backup by rename, a new inode", async () => {
    const place = await openPlace();
    const path = place.path("lib/a.lua");
    const save = async () => {
      await writeFile(place.path("lib/.a.lua.swp"), "b0VIM");
      await writeFile(place.path("lib/4913"), "");
      await unlink(place.path("lib/4913"));
      await rename(path, `${path}~`);
      const file = await open(path, "wx");
      await file.write("return 'v2'");
      await file.sync();
      await file.close();
      await chmod(path, 0o644);
      await unlink(`${path}~`);
      await unlink(place.path("lib/.a.lua.swp"));
    };
    expect((await place.perform("vim", save, "v2")).generations.length).toBe(1);
  });

  it("deleted and created anew", async () => {
    const place = await openPlace();
    const replace = async () => {
      await unlink(place.path("lib/a.lua"));
      await writeFile(place.path("lib/a.lua"), "return 'v2'");
    };
    expect((await place.perform("delete and create", replace, "v2")).generations.length).toBe(1);
  });

  it("deleted together with its folder and created anew", async () => {
    const place = await openPlace();
    const replace = async () => {
      await rm(place.path("lib"), { recursive: true });
      place.tree.write({ "lib/a.lua": "return 'v2'", "lib/b.lua": "return 'b'" });
    };
    expect((await place.perform("folder deleted and created", replace, "v2")).generations.length).toBe(1);
  });

  it("written slowly, in place, line by line: no half of it runs", async () => {
    const place = await openPlace();
    const path = place.path("lib/a.lua");
    const lines = counting(60);
    const write = async () => {
      await truncate(path);
      for (const line of lines) {
        appendFileSync(path, line);
        await pause(2);
      }
    };
    const { generations, answers } = await place.perform("slow write", write, "60", { sample: true });
    expect([...answers].sort()).toEqual(["60", "v1"]);
    expect(generations.length).toBe(1);
  });

  it("written more slowly than maxWaitMs: no half of it runs", async () => {
    const place = await openPlace({ settleMs: 200, maxWaitMs: 600 });
    const path = place.path("lib/a.lua");
    const lines = counting(400);
    const write = async () => {
      await truncate(path);
      for (const line of lines) {
        appendFileSync(path, line);
        await pause(3);
      }
    };
    const { generations, answers } = await place.perform("slow write over maxWaitMs", write, "400", {
      sample: true,
    });
    expect([...answers].sort()).toEqual(["400", "v1"]);
    expect(generations.length).toBe(1);
  });

  it("truncated, then written, also when the writer was interrupted in between: it is never empty", async () => {
    const place = await openPlace();
    const path = place.path("lib/a.lua");
    for (const [version, pauseMs] of [
      [2, 0],
      [3, 5],
      [4, 40],
    ] as const) {
      const write = async () => {
        await truncate(path);
        await pause(pauseMs);
        await appendFile(path, `return 'v${version}'`);
      };
      const { generations, answers } = await place.perform(
        `truncate, ${pauseMs} ms, write`,
        write,
        `v${version}`,
        { sample: true },
      );
      expect(generations.length).toBe(1);
      expect([...answers].sort()).toEqual([`v${version - 1}`, `v${version}`]);
    }
    await place.perform("emptied for good", () => truncate(path), "true");
  });

  it("touched, made executable, or written with the same content: no generation", async () => {
    const place = await openPlace();
    const path = place.path("lib/a.lua");
    await place.performNothing("touch", async () => {
      await utimes(path, new Date(), new Date());
      await utimes(place.path("lib/b.lua"), 1, 1);
    });
    await place.performNothing("chmod", () => chmod(path, 0o755));
    await place.performNothing("same content, new inode", async () => {
      await writeFile(`${path}.tmp`, "return 'v1'");
      await rename(`${path}.tmp`, path);
    });
  });

  it("that nobody may read is gone, and back when it is allowed again", async (context) => {
    context.skip(process.getuid?.() === 0, "root reads every file");
    const place = await Place.open({
      files: { "a.lua": "return 'a'" },
      answer: "ngx.print(tostring((pcall(require, 'a'))))",
    });
    const path = place.path("a.lua");
    expect((await place.perform("unreadable", () => chmod(path, 0o000), "false")).generations.length).toBe(1);
    expect(place.site.agent.status().watch.skipped).toEqual([{ path, reason: "EACCES" }]);
    expect((await place.perform("readable again", () => chmod(path, 0o644), "true")).generations.length).toBe(
      1,
    );
    expect(place.site.agent.status().watch.skipped).toEqual([]);
  });
});
