/** Code that arrives on disk while an agent watches: what every VM answers in the end, in how many generations, how soon. */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, afterEach, expect } from "vitest";
import type { ConfigInput } from "../../src/config/index.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import { type Site, startSite } from "./agent.ts";
import { everyBody } from "./http.ts";
import { createTree, type Tree } from "./tree.ts";

type WatchInput = Exclude<ConfigInput["watch"], false | undefined>;

export interface PlaceOptions {
  readonly files: Readonly<Record<string, string>>;
  /** Lua that writes what a VM is asked for. */
  readonly answer: string;
  /** Over the defaults; sweeps are off, so that a change which events do not tell of is not found. */
  readonly watch?: WatchInput | false;
  readonly config?: ConfigInput;
  /** Beside the files, before the agent starts. */
  readonly prepare?: (tree: Tree) => void;
}

/**
 * For writers of several files or steps that are to be one generation: what interrupts them here is the machine, which
 * runs other tests beside.
 */
export const patient: WatchInput = { settleMs: 50, maxWaitMs: 10_000 };

/** What came of one operation. */
export interface Arrived {
  /** Commits from the operation's begin until nothing was left to do. */
  readonly generations: readonly Outcome[];
  /** What VMs answered meanwhile, each answer once; with `sample` from the begin, otherwise from the end on. */
  readonly answers: ReadonlySet<string>;
}

const vms = 2;
const settleMs = 20;
const pollMs = 2;
/** A file that was read when it was young is looked at again after this. */
const lookAgainMs = 60;
/** Below the tests' own deadline, to be able to say what was seen instead. */
const longestWaitMs = 20_000;

const figures: string[] = [];
const others: Tree[] = [];

afterEach(() => {
  for (const tree of others.splice(0)) tree.remove();
});

afterAll(() =>
  console.info(
    [
      "way: generations, ms from the operation's end to the last VM's answer beyond settleMs",
      ...figures,
    ].join("\n  "),
  ),
);

/** A folder that an agent serves and watches. */
export class Place {
  readonly tree: Tree;
  readonly site: Site;
  readonly #outcomes: Outcome[] = [];
  readonly #settleMs: number;

  private constructor(site: Site, ownSettleMs: number) {
    this.site = site;
    this.tree = site.tree;
    this.#settleMs = ownSettleMs;
    site.agent.on("outcome", (outcome) => this.#outcomes.push(outcome));
  }

  /** Starts an agent; every change from now on is noticed. */
  static async open({ files, answer, watch = {}, config, prepare }: PlaceOptions): Promise<Place> {
    const settings = watch && { settleMs, sweepMs: 0, ...watch };
    const site = await startSite({
      files,
      locations: { "/": answer },
      config: { threads: vms, watch: settings, ...config },
      prepare,
    });
    const place = new Place(site, settings ? (settings.settleMs ?? settleMs) : 0);
    await place.#until(
      () => !site.agent.status().pending && (settings === false || site.agent.status().watch.live === true),
    );
    return place;
  }

  path(name: string): string {
    return this.tree.path(name);
  }

  /** Resolves when a sweep has ended that began when whatever happened before now had been looked at twice. */
  async untilSwept(): Promise<void> {
    const fromMs = Date.now() + 2 * lookAgainMs;
    await this.#until(() => (this.site.agent.status().watch.sweep.lastAt ?? 0) > fromMs);
  }

  /** Commits so far, those of every trigger. */
  get commits(): readonly Outcome[] {
    return this.#outcomes.filter(({ outcome }) => outcome === "committed");
  }

  /** What every VM answers now. */
  answers(): Promise<readonly string[]> {
    return everyBody(`${this.site.url}/`, vms);
  }

  /**
   * Lets code arrive, waits until every VM answers `expected` and nothing is left to do. Expects that what runs is then
   * the disk, that nothing was rejected on the way, and that no VM was replaced.
   */
  async perform(
    way: string,
    operation: () => unknown,
    expected: string | (() => string),
    { sample = false } = {},
  ): Promise<Arrived> {
    const before = this.#outcomes.length;
    const answers = new Set<string>();
    let ended = false;
    const sampling = (async () => {
      while (sample && !ended) for (const body of await this.answers()) answers.add(body);
    })();
    await operation();
    const endedMs = performance.now();
    ended = true;
    await sampling;
    const answeredMs = await this.#untilEveryVmAnswers(expected, answers);
    await this.#until(() => !this.site.agent.status().pending && !this.site.agent.status().diskDiffers);

    const kinds = () => this.#outcomes.slice(before).map(({ outcome }) => outcome);
    expect(kinds()).not.toContain("rejected");
    // What a look at everything finds now, the watcher has missed.
    expect(await this.site.agent.reload()).toMatchObject({ outcome: "unchanged", changes: [] });
    expect(this.site.agent.status()).toMatchObject({ rejected: undefined, diskDiffers: false });
    for (const { restarts } of this.site.agent.status().vms) expect(restarts).toBe(0);

    const generations = this.#outcomes.slice(before).filter(({ outcome }) => outcome === "committed");
    const beyondMs = answeredMs - endedMs - this.#settleMs;
    figures.push(`${way}: ${generations.length}, ${beyondMs.toFixed(0)} ms`);
    return { generations, answers };
  }

  /**
   * Lets something happen that is no change: what is written after it is committed alone.
   * `marker` is a file that the answer does not depend on.
   */
  async performNothing(way: string, operation: () => unknown, marker = "zz_marker.lua"): Promise<void> {
    const before = this.#outcomes.length;
    const isMarker = ({ path }: { readonly path: string }) => path === this.path(marker);
    await operation();
    // Another text each time, also where the way is the same.
    this.tree.write({ [marker]: `return "${way} ${this.#outcomes.length}"` });
    await this.#until(() => this.#outcomes.slice(before).some(({ changes }) => changes.some(isMarker)));
    await this.#until(() => !this.site.agent.status().pending);
    expect(await this.site.agent.reload()).toMatchObject({ outcome: "unchanged", changes: [] });
    const changed = this.#outcomes.slice(before).flatMap(({ changes }) => changes.map(({ path }) => path));
    expect(changed).toEqual([this.path(marker)]);
    figures.push(`${way}: 0`);
  }

  async #untilEveryVmAnswers(expected: string | (() => string), seen: Set<string>): Promise<number> {
    const giveUpMs = performance.now() + longestWaitMs;
    for (;;) {
      const wanted = typeof expected === "string" ? expected : expected();
      const bodies = await this.answers();
      const nowMs = performance.now();
      for (const body of bodies) seen.add(body);
      if (bodies.every((body) => body === wanted)) return nowMs;
      if (nowMs > giveUpMs)
        throw new Error(`the VMs answer ${bodies} instead of ${wanted}; ${this.#story()}`);
      await pause(pollMs);
    }
  }

  async #until(condition: () => boolean): Promise<void> {
    const giveUpMs = performance.now() + longestWaitMs;
    while (!condition()) {
      if (performance.now() > giveUpMs) throw new Error(`nothing came of it: ${this.#story()}`);
      await pause(pollMs);
    }
  }

  #story(): string {
    const { pending, diskDiffers, watch } = this.site.agent.status();
    const outcomes = this.#outcomes.map(
      ({ outcome, trigger, changes }) => `${outcome} ${trigger} ${changes.length}`,
    );
    return JSON.stringify({ pending, diskDiffers, watch, outcomes, logged: this.site.logged });
  }
}

/** Adds a line to the figures that are printed after the tests of a file. */
export function report(figure: string): void {
  figures.push(figure);
}

/** Another folder than the one that is watched; removed after the test. */
export function elsewhere(files: Readonly<Record<string, string>> = {}): Tree {
  const tree = createTree(files);
  others.push(tree);
  return tree;
}

/** `count` modules `m.f0`, …, each of this version, in folders of twenty; the same size whatever the version's digit is. */
export function modules(count: number, version: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `m/d${Math.floor(i / 20)}/f${i}.lua`,
      `local name = "f${i}"\nreturn "v${version}"\n`,
    ]),
  );
}

/** A module `app` that says how many of the first `count` modules are of which version. */
export function census(count: number): Record<string, string> {
  return {
    "app.lua": `local found, all = {}, {}
for i = 0, ${count - 1} do
  local version = require("m.d" .. math.floor(i / 20) .. ".f" .. i)
  found[version] = (found[version] or 0) + 1
end
for version, number in pairs(found) do all[#all + 1] = version .. " x " .. number end
table.sort(all)
return table.concat(all, ", ")
`,
  };
}

/** Runs a program to its end. */
export async function run(program: string, args: readonly string[], cwd?: string): Promise<void> {
  await promisify(execFile)(program, [...args], { cwd, env: { ...process.env, ...gitAlone } });
}

/** What the user's git is set to is nobody's business here. */
const gitAlone = {
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@example.org",
};

/** A process of its own that writes. */
export interface Writer {
  /** Begins; resolves when the process has ended. */
  go(): Promise<void>;
  /** Lets it finish what it is at: its input ends. */
  stop(): void;
}

const writers = new Set<ReturnType<typeof spawn>>();

afterEach(() => {
  for (const child of writers) child.kill("SIGKILL");
});

/** Starts a process that waits for `go`, then runs this JavaScript: `fs`, `path`, `args` and `stopped()` are there. */
export async function startWriter(script: string, args: readonly string[]): Promise<Writer> {
  const child = spawn(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import fs from "node:fs"; import path from "node:path";
const args = process.argv.slice(1);
let ended = false;
process.stdin.on("end", () => { ended = true; });
const stopped = async () => { await new Promise(setImmediate); return ended; };
console.log("ready");
await new Promise((resolve) => process.stdin.once("data", resolve));
${script}
process.exit(0);`,
      ...args,
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  writers.add(child);
  const exit = once(child, "exit");
  child.on("exit", () => writers.delete(child));
  await once(child.stdout, "data");
  return {
    async go() {
      child.stdin.write("go\n");
      const [code] = await exit;
      expect(code).toBe(0);
    },
    stop: () => child.stdin.end(),
  };
}
