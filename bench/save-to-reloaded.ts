/** How long from a save, one file in 1,000 or in 10,000, until every VM answers the new code, and where does the time go? */

import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";
import { type Agent, createAgent, dataPort } from "./built.ts";
import { Load } from "./load.ts";
import { type Answer, median, quantile, type Row } from "./question.ts";
import { everyVmAnswers, nextOutcome } from "./saves.ts";
import { digits, Tree } from "./tree.ts";

const modules = 1_000;
const manyModules = 10_000;
const settleMs = 20;
const threads = 2;
const savesIdle = 130;
const savesLoaded = 80;
const connections = 16;
/** A save comes at any time of a period of the event loop, not always after the same pause. */
const pauseMs = () => 15 + Math.random() * 20;

interface Timing {
  /** From before the write until each VM has answered the new version. */
  readonly allMs: number;
  /** From before the write until the change set began its way: event, settling, read and hash. */
  readonly stepMs: number;
  readonly planMs: number;
  readonly canaryMs: number;
  readonly commitMs: number;
  /** From the commit until every VM has reported that it moved. */
  readonly appliedMs: number;
  /** From the outcome until the calls that show it have come back from each VM. */
  readonly shownMs: number;
  /** What a watcher with nothing but a settle window of the same length takes for the same save. */
  readonly settleAloneMs: number;
}

/** Ratios: beside `fs.watch` and a settle window alone, for the same saves. Milliseconds are beyond `settleMs`. */
export async function run(): Promise<Answer> {
  const rows = [
    ...(await inTree(modules, async (saves, agent) => [
      ...rowsOf("idle", await saves.make(savesIdle)),
      ...(await underLoad(saves, agent)),
    ])),
    ...(await inTree(manyModules, async (saves) =>
      rowsOf(`1 of ${manyModules}`, await saves.make(savesIdle)),
    )),
  ];
  return {
    question: `From a save (1 of ${modules} files) until ${threads} VMs answer new, beyond the settle window of ${settleMs} ms?`,
    rows,
  };
}

async function inTree(
  modules: number,
  measure: (saves: Saves, agent: Agent) => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const tree = new Tree(modules);
  const agent = createAgent({
    prefix: tree.prefix,
    threads,
    watch: { settleMs },
    servers: [
      {
        listens: ["127.0.0.1:0"],
        serverNames: [""],
        locations: [
          { location: "/", lua: { content_by: `ngx.print(require("${tree.name(1)}").version())` } },
        ],
      },
    ],
  });
  try {
    await agent.start();
    const saves = new Saves(tree, agent);
    await saves.make(10);
    return await measure(saves, agent);
  } finally {
    await agent.close();
    tree.remove();
  }
}

async function underLoad(saves: Saves, agent: Agent): Promise<readonly Row[]> {
  const load = new Load();
  try {
    const loading = load.run({ port: dataPort(agent), path: "/", connections, ms: savesLoaded * 70 });
    const loaded = await saves.make(savesLoaded);
    const { perSecond } = await loading;
    return [
      ...rowsOf("under load", loaded),
      {
        name: "load meanwhile",
        ratio: Number.NaN,
        unit: `${perSecond.toFixed(0)} requests/s, ${connections} connections`,
      },
    ];
  } finally {
    await load.close();
  }
}

class Saves {
  readonly #tree: Tree;
  readonly #agent: Agent;
  #version = 0;

  constructor(tree: Tree, agent: Agent) {
    this.#tree = tree;
    this.#agent = agent;
  }

  async make(count: number): Promise<readonly Timing[]> {
    const timings: Timing[] = [];
    await this.#agent.call(this.#tree.name(0), "version");
    for (let save = 0; save < count; save++) {
      await new Promise((resolve) => setTimeout(resolve, pauseMs()));
      timings.push(await this.#save());
    }
    return timings;
  }

  async #save(): Promise<Timing> {
    const version = ++this.#version;
    const reference = new SettleAlone(dirname(this.#tree.path(0)));
    const told = nextOutcome(this.#agent);
    const began = performance.now();
    this.#tree.write(0, version);
    const { outcome, atMs } = await told;
    if (outcome.outcome !== "committed") throw new Error(`${outcome.outcome} after a good save`);
    await everyVmAnswers(this.#agent, this.#tree.name(0), digits(version));
    const allMs = performance.now() - began;
    const { planMs, canaryMs, commitMs } = outcome.stages;
    return {
      allMs,
      stepMs: atMs - began - outcome.durationMs,
      planMs,
      canaryMs,
      commitMs,
      appliedMs: outcome.durationMs - planMs - canaryMs - commitMs,
      shownMs: allMs - (atMs - began),
      settleAloneMs: (await reference.settledAtMs) - began,
    };
  }
}

/** The least that a watcher with this settle window can take: an event, then quiet. */
class SettleAlone {
  readonly settledAtMs: Promise<number>;

  constructor(folder: string) {
    let watcher: FSWatcher | undefined;
    let timer: NodeJS.Timeout | undefined;
    this.settledAtMs = new Promise((resolve) => {
      watcher = watch(folder, () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          watcher?.close();
          resolve(performance.now());
        }, settleMs);
      });
    });
  }
}

function rowsOf(when: string, timings: readonly Timing[]): readonly Row[] {
  const of = (key: keyof Timing) => timings.map((timing) => timing[key]);
  const beyond = of("allMs").map((ms) => ms - settleMs);
  const settleAlone = of("settleAloneMs").map((ms) => ms - settleMs);
  const shown = (values: readonly number[]) =>
    `p50 ${median(values).toFixed(2)}, p99 ${quantile(values, 0.99).toFixed(1)} ms`;
  const stage = (name: string, values: readonly number[]): Row => ({
    name: `  ${when}: ${name}`,
    ratio: median(values) / median(beyond),
    unit: `of the time beyond the window: ${shown(values)}`,
  });
  const aims = [
    { name: "p50", of: median(beyond), withinMs: 10 },
    { name: "p99", of: quantile(beyond, 0.99), withinMs: 40 },
  ];
  return [
    ...aims.map(
      ({ name, of, withinMs }): Row => ({
        name: `${when}: ${name} beyond the window`,
        ratio: of / withinMs,
        unit: `of ${withinMs} ms: ${of.toFixed(2)} ms`,
        aim: { atMost: 1 },
      }),
    ),
    {
      name: `${when}: every VM answers new`,
      ratio: median(of("allMs")) / median(of("settleAloneMs")),
      unit: `times settling alone: ${shown(beyond)} beyond the window, which alone takes ${shown(settleAlone)} beyond it; ${timings.length} saves`,
    },
    stage(
      "event, settle, read, hash (beyond the window)",
      of("stepMs").map((ms) => ms - settleMs),
    ),
    stage("plan", of("planMs")),
    stage("canary", of("canaryMs")),
    stage("commit", of("commitMs")),
    stage("VMs have moved and told", of("appliedMs")),
    stage("calls that show it, there and back", of("shownMs")),
  ];
}
