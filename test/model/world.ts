/** The world of the model test: an app whose modules carry versions, the disk as it was written, what was committed. */

import { Agent, type AgentOptions } from "../../src/agent.ts";
import { type ConfigInput, parseConfig } from "../../src/config/index.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import { createTree, type Tree } from "../support/tree.ts";

/** Modules and what each requires while it loads; `lazy` is required inside a function only. */
const modules: Readonly<Record<string, readonly string[]>> = {
  app: ["top", "side"],
  top: ["mid"],
  mid: ["base"],
  side: ["base"],
  base: [],
  lazy: ["base"],
};
export const moduleNames = Object.keys(modules);

/** A version of each module. */
export type Versions = Readonly<Record<string, number>>;

function source(name: string, version: number): string {
  const requires = (modules[name] ?? []).map((dependency) => `M.${dependency} = require "${dependency}"`);
  if (name !== "app") return [`local M = { v = ${version} }`, ...requires, "return M", ""].join("\n");
  return `local M = { v = ${version} }
${requires.join("\n")}
-- Notes every version that this request sees, before and after it slept, by held tables and by require.
function M.handle(ms, lazily)
  local seen = {}
  local function note(name, module) seen[#seen + 1] = { name, module.v } end
  local function look()
    note("app", M) note("top", M.top) note("mid", M.top.mid) note("side", M.side)
    note("base", M.top.mid.base) note("base", M.side.base)
    for _, name in ipairs { "app", "top", "mid", "side", "base" } do note(name, require(name)) end
    note("mid", package.loaded.mid)
  end
  look()
  if ms > 0 then ngx.sleep(ms / 1000) end
  if lazily then local lazy = require "lazy" note("lazy", lazy) note("base", lazy.base) end
  look()
  return seen
end
return M
`;
}

/** One request, with the floor that its caller recorded before it was sent. */
interface Sent {
  readonly floor: number;
  /** A VM was killed while it was under way: it may have no answer. */
  excused: boolean;
  readonly ended: Promise<void>;
}

export class World {
  readonly tree: Tree;
  readonly agent: Agent;
  /** Versions of each generation, 1 first. */
  readonly committed: Versions[] = [];
  readonly violations: string[] = [];
  requests = 0;
  #disk: Versions = Object.fromEntries(moduleNames.map((name) => [name, 1]));
  #broken = new Set<string>();
  #lastVersion = 1;
  #pending = new Set<Sent>();
  /** Calls under way that may commit. */
  #changing = 0;
  #undecided: { readonly sent: Sent; readonly seen: readonly [string, number][] }[] = [];

  constructor(options: { config?: ConfigInput; substitutes?: AgentOptions } = {}) {
    this.tree = createTree(Object.fromEntries(moduleNames.map((name) => [`${name}.lua`, source(name, 1)])));
    this.agent = new Agent(
      parseConfig({
        prefix: this.tree.root,
        luaPackagePath: "$prefix/?.lua",
        threads: 2,
        watch: false,
        initBy: "require 'app'",
        servers: [],
        control: { listen: "127.0.0.1:0" },
        limits: { queue: 100_000 },
        ...options.config,
      }),
      options.substitutes,
    );
  }

  async start(): Promise<void> {
    await this.agent.start();
    this.committed.push(this.#disk);
  }

  async close(): Promise<void> {
    await this.settle();
    await this.agent.close();
    this.tree.remove();
  }

  get generation(): number {
    return this.committed.length;
  }

  /** Sends requests without waiting for them. */
  send(count: number, sleepMs: number, lazily: boolean): void {
    for (let i = 0; i < count; i++) {
      const floor = this.generation;
      const sent: Sent = {
        floor,
        excused: false,
        ended: this.agent.call("app", "handle", sleepMs, lazily).then(
          (seen) => this.#judge(sent, seen as [string, number][]),
          (error: Error & { code?: string }) => {
            if (!sent.excused || error.code !== "vm-died") this.violations.push(`failed: ${error.message}`);
          },
        ),
      };
      this.requests++;
      this.#pending.add(sent);
      void sent.ended.then(() => this.#pending.delete(sent));
    }
  }

  /** Waits for every request under way. */
  async settle(): Promise<void> {
    await Promise.all([...this.#pending].map((sent) => sent.ended));
  }

  /** Writes new versions of some modules; `broken` ones do not load. */
  edit(names: readonly string[], broken: "no" | "syntax" | "runtime"): void {
    const version = ++this.#lastVersion;
    for (const name of names) {
      this.#disk = { ...this.#disk, [name]: version };
      const text = source(name, version);
      if (broken === "no") this.#broken.delete(name);
      else this.#broken.add(name);
      // What no VM has loaded yet need not load, but it must compile: `lazy` is always broken by its syntax.
      const syntax = broken === "syntax" || (broken === "runtime" && name === "lazy");
      const wrong = syntax ? "local = 1\n" : broken === "runtime" ? "error('broken on purpose')\n" : "";
      this.tree.write({ [`${name}.lua`]: wrong + text });
    }
  }

  async reload(): Promise<void> {
    await this.#change(async () => this.#judgeReload(await this.agent.reload()));
  }

  hold(): void {
    this.agent.hold({ owner: "model test" });
  }

  async release(): Promise<void> {
    await this.#change(async () => this.#judgeReload(await this.agent.release()));
  }

  /** Back to one of the generations there were; nothing that was committed once may be rejected. */
  async rollback(choice: number): Promise<void> {
    const generation = 1 + (choice % this.generation);
    const held = this.agent.status().held;
    const outcome = await this.#change(async () => {
      const outcome = await this.agent.rollback(generation);
      this.#take(outcome, this.committed[generation - 1]!);
      return outcome;
    });
    if (outcome.outcome === "rejected")
      this.violations.push(`rollback to ${generation} was rejected: ${outcome.errors[0]?.message}`);
    if (held !== (outcome.outcome === "held"))
      this.violations.push(`rollback was ${outcome.outcome}, held: ${held}`);
  }

  async #change<T>(run: () => Promise<T>): Promise<T> {
    this.#changing++;
    try {
      return await run();
    } finally {
      this.#changing--;
      if (this.#changing === 0)
        for (const { sent, seen } of this.#undecided.splice(0)) this.#judge(sent, seen);
    }
  }

  #judgeReload(outcome: Outcome): void {
    const broken = this.#broken.size > 0;
    if (outcome.outcome === "held") {
      if (!this.agent.status().held) this.violations.push("held, though nobody holds");
      return;
    }
    if (broken && outcome.outcome !== "rejected")
      this.violations.push(`a broken change set was ${outcome.outcome}: ${[...this.#broken].join(" ")}`);
    if (!broken && outcome.outcome === "rejected")
      this.violations.push(`a good change set was rejected: ${outcome.errors[0]?.message}`);
    this.#take(outcome, this.#disk);
  }

  async clean(name: string): Promise<void> {
    await this.#change(async () =>
      this.#take(await this.agent.reload({ names: [name], force: true }, "clean"), this.#disk),
    );
  }

  kill(vm: number): void {
    for (const sent of this.#pending) sent.excused = true;
    this.agent.pool.kill(vm, "killed by the model test");
  }

  /** Notes a commit; `from` has the versions that its changes brought. */
  #take(outcome: Outcome, from: Versions): void {
    if (outcome.outcome !== "committed") return;
    const next: Record<string, number> = { ...this.committed.at(-1) };
    for (const { path } of outcome.changes) {
      const name = path.slice(this.tree.root.length + 1, -".lua".length);
      next[name] = from[name]!;
    }
    this.committed.push(next);
    if (outcome.generation !== this.generation)
      this.violations.push(
        `generation ${outcome.generation} was reported as the ${this.generation}th commit`,
      );
  }

  /** An answer must be of one generation as a whole, and of none before the floor. */
  #judge(sent: Sent, seen: readonly [string, number][]): void {
    const { floor } = sent;
    const fits = (versions: Versions) => seen.every(([name, version]) => versions[name] === version);
    if (this.committed.slice(floor - 1).some(fits)) return;
    if (this.#changing > 0) {
      // It may be of the generation that is just being committed: judged when that is known.
      this.#undecided.push({ sent, seen });
      return;
    }
    const stale = this.committed.slice(0, floor - 1).some(fits);
    this.violations.push(`${stale ? "stale" : "mixed"} above floor ${floor}: ${JSON.stringify(seen)}`);
  }
}
