/** What a source does in a process whose limits are real: no inotify watches, no inotify instances, no open files left. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { cleanUp, makeTree, write } from "./tree.ts";

const script = join(import.meta.dirname, "limited-process.mjs");
const children = new Set<ChildProcess>();

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
  await cleanUp();
});

/** What the process says, line by line. */
type Said = Readonly<
  Partial<{ mode: string; skipped: string[]; warning: string; changed: string[]; exhausted: string }>
>;

class Limited {
  readonly said: Said[] = [];
  readonly #child: ChildProcess;
  #wake: (() => void)[] = [];

  constructor(program: string, args: readonly string[]) {
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    children.add(this.#child);
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.said.push(JSON.parse(line) as Said);
      for (const wake of this.#wake.splice(0)) wake();
    });
  }

  order(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  modes(): readonly string[] {
    return this.said.flatMap(({ mode }) => mode ?? []);
  }

  /** Reasons, as they are now. */
  skipped(): readonly string[] {
    return this.said.findLast(({ skipped }) => skipped !== undefined)?.skipped ?? [];
  }

  changed(): readonly string[] {
    return this.said.flatMap(({ changed }) => changed ?? []);
  }

  warnings(): readonly string[] {
    return this.said.flatMap(({ warning }) => warning ?? []);
  }
}

/** A user namespace has limits of its own, which are nobody else's. */
const namespaces =
  spawnSync("unshare", ["-Ur", "sh", "-c", "echo 1 > /proc/sys/user/max_inotify_watches"]).status === 0;

describe.skipIf(!namespaces)("in a user namespace of its own", () => {
  for (const [limit, tooLow, enough, code, advice] of [
    ["max_inotify_watches", "2", "1000", "ENOSPC", "fs.inotify.max_user_watches"],
    ["max_inotify_instances", "0", "10", "EMFILE", "fs.inotify.max_user_instances"],
  ] as const) {
    it(`${limit} that are too few make it sweep, until they are raised`, async () => {
      const files = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`d${i}/m.lua`, "1"]));
      const root = makeTree(files);
      const source = new Limited("unshare", ["-Ur", process.execPath, script, root]);
      source.order(`limit ${limit} ${tooLow}`);
      source.order("start");
      await source.until(() => source.modes().at(-1) === "sweep");
      expect(source.warnings()).toEqual([expect.stringContaining(`(${code})`)]);
      expect(source.warnings()[0]).toContain(advice);
      for (let i = 0; i < 6; i += 1) write(join(root, `d${i}/m.lua`), "2");
      await source.until(() => source.changed().length === 6);

      source.order(`limit ${limit} ${enough}`);
      await source.until(() => source.modes().at(-1) === "events");
      for (let i = 0; i < 6; i += 1) {
        write(join(root, `d${i}/m.lua`), "3");
        await source.until(() => source.changed().length === 7 + i);
      }
      expect(source.warnings().length).toBe(1);
    });
  }
});

describe("without a file left to open", () => {
  it("it knows what it knew, and goes on when there are some again", async () => {
    const root = makeTree({ "a.lua": "1", "d/b.lua": "1" });
    const source = new Limited("sh", ["-c", 'ulimit -n 128; exec "$0" "$@"', process.execPath, script, root]);
    source.order("start");
    await source.until(() => source.modes().at(-1) === "events");
    source.order("exhaust");
    await source.until(() => source.said.some(({ exhausted }) => exhausted === "EMFILE"));
    write(join(root, "a.lua"), "2");
    write(join(root, "d/b.lua"), "2");
    write(join(root, "d/e/c.lua"), "2");
    await source.until(() => source.skipped().includes("EMFILE"));
    source.order("release");
    await source.until(() => source.changed().length >= 3);
    expect([...source.changed()].sort()).toEqual(
      ["a.lua", "d/b.lua", "d/e/c.lua"].map((name) => join(root, name)),
    );
    await source.until(() => source.skipped().length === 0);
  });
});
