/** How long does `POST /reloads` take after one, 100, 1,000 and 10,000 files changed, beside hashing those files? */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import xxhash from "xxhash-wasm";
import { debianProgram } from "../test/debian.ts";
import { ownFilesOnly } from "./built.ts";
import { compile } from "./fengari-state.ts";
import { serversOf } from "./nginx.ts";
import { type Answer, median, type Row, roundRobin, spread } from "./question.ts";
import { type Reloaded, type Served, serve } from "./serve-process.ts";
import { Tree } from "./tree.ts";

const threads = 2;
const oneMs = 10;
const timesHashing = 3;
/** `named`: the call says which files; otherwise it looks at the whole tree. */
const calls = [
  { modules: 1_000, changed: 1, named: false, rounds: 25 },
  { modules: 1_000, changed: 1, named: true, rounds: 25 },
  { modules: 10_000, changed: 1, named: false, rounds: 15 },
  { modules: 10_000, changed: 1, named: true, rounds: 15 },
  { modules: 10_000, changed: 100, named: false, rounds: 7 },
  { modules: 10_000, changed: 1_000, named: false, rounds: 5 },
  { modules: 10_000, changed: 10_000, named: false, rounds: 3 },
] as const;

type Call = (typeof calls)[number];

const { path: xxhsum } = debianProgram("xxhsum");
const { h64Raw } = await xxhash();

/** Ratios: beside 10 ms for one file, beside three times the hashing plus the compiler's time for more. */
export async function run(): Promise<Answer> {
  const rows: Row[] = [];
  for (const modules of new Set(calls.map((call) => call.modules))) {
    const tree = new Tree(modules);
    const agent = await serve({
      kind: "agent",
      // The call itself has to find what changed.
      config: {
        ...ownFilesOnly,
        prefix: tree.prefix,
        threads,
        watch: false,
        servers: serversOf({ "/": "" }),
      },
    });
    try {
      const changes = new Changes(tree, agent);
      for (let warm = 0; warm < 5; warm++) await changes.reload({ changed: 50, named: false });
      for (const call of calls) if (call.modules === modules) rows.push(await rowOf(call, changes));
    } finally {
      await agent.close();
      tree.remove();
    }
  }
  return {
    question: `How long does POST /reloads take, ${threads} VMs, watcher off, nothing loaded?`,
    rows,
  };
}

async function rowOf(call: Call, changes: Changes): Promise<Row> {
  const { changed, modules, named, rounds } = call;
  const outcomes: Reloaded[] = [];
  const figures = await roundRobin(rounds, {
    reload: () =>
      changes.reload(call).then(({ ms, outcome }) => {
        outcomes.push(outcome);
        return ms;
      }),
    hash: async () => changes.hashMs(changed),
    xxhsum: async () => changes.xxhsumMs(changed),
    compile: async () => changes.compileMs(changed),
  });
  const hashing = xxhsum ? figures.xxhsum : figures.hash;
  const allowedMs = figures.reload.map((_, round) =>
    changed === 1 ? oneMs : timesHashing * (hashing[round] ?? 0) + (figures.compile[round] ?? 0),
  );
  const each = figures.reload.map((ms, round) => ms / (allowedMs[round] ?? Number.NaN));
  const stage = (name: string) => median(outcomes.map(({ stages }) => stages[name] ?? Number.NaN)).toFixed(1);
  const beside = `${
    xxhsum ? `xxhsum ${spread(figures.xxhsum, 1)} ms` : "xxhsum is not installed"
  }, hashing in one thread ${spread(figures.hash, 1)} ms, compiling ${spread(figures.compile, 1)} ms`;
  return {
    name: `${changed} of ${modules} changed, ${named ? "named by the call" : "found by the call"}`,
    ratio: median(each),
    unit: `of ${changed === 1 ? `${oneMs} ms` : `${timesHashing} × hashing + compiling`} (${spread(each)}): ${spread(
      figures.reload,
      1,
    )} ms, of which scan ${stage("scanMs")}, plan ${stage("planMs")}, canary ${stage("canaryMs")}, commit ${stage("commitMs")}; ${beside}`,
    aim: { atMost: 1 },
  };
}

class Changes {
  readonly #tree: Tree;
  readonly #agent: Served;
  #version = 0;

  constructor(tree: Tree, agent: Served) {
    this.#tree = tree;
    this.#agent = agent;
  }

  /** Changes the first `changed` files; how long the call took, from its first byte to the whole answer. */
  async reload({ changed, named }: Pick<Call, "named"> & { readonly changed: number }) {
    this.#version++;
    for (let file = 0; file < changed; file++) this.#tree.write(file, this.#version);
    const request = named ? { files: this.#paths(changed) } : {};
    const began = performance.now();
    const outcome = await this.#agent.reload(request);
    const ms = performance.now() - began;
    if (outcome.changes.length !== changed)
      throw new Error(`${outcome.changes.length} changes instead of ${changed}`);
    return { ms, outcome };
  }

  /** Reading and hashing the same files, in one thread and by system calls that wait: the least that it can take. */
  hashMs(changed: number): number {
    const paths = this.#paths(changed);
    const began = performance.now();
    for (const path of paths) h64Raw(readFileSync(path));
    return performance.now() - began;
  }

  /** The same by the program, which has to be started first. */
  xxhsumMs(changed: number): number {
    if (xxhsum === undefined) return Number.NaN;
    const input = `${this.#paths(changed).join("\0")}\0`;
    const began = performance.now();
    const { status, stderr } = spawnSync("xargs", ["-0", xxhsum, "-q"], { input, maxBuffer: 2 ** 26 });
    if (status !== 0) throw new Error(`xxhsum: ${stderr}`);
    return performance.now() - began;
  }

  /** What the compiler takes for the same sources, in a state of its own in this thread. */
  compileMs(changed: number): number {
    const sources = Array.from({ length: changed }, (_, file) =>
      Buffer.from(this.#tree.source(file, this.#version)),
    );
    const began = performance.now();
    for (const source of sources) compile(source);
    return performance.now() - began;
  }

  #paths(changed: number): readonly string[] {
    return Array.from({ length: changed }, (_, file) => this.#tree.path(file));
  }
}
