/** How long does a reload take, stage by stage, idle and under load? */

import { type Agent, createAgent, dataPort } from "./built.ts";
import { Floor, Load } from "./load.ts";
import { type Answer, median, quantile, type Row } from "./question.ts";
import { digits, Tree } from "./tree.ts";

const modules = 1_000;
const threads = 2;
const connections = 32;
const everyMs = 100;
const reloadsIdle = 100;
const reloadsLoaded = 60;

type Outcome = Awaited<ReturnType<Agent["reload"]>>;

/** Ratios: each stage's part of the reload. Throws when a request failed or was stale. */
export async function run(): Promise<Answer> {
  const tree = new Tree(modules);
  const floor = new Floor();
  const agent = createAgent({
    prefix: tree.prefix,
    threads,
    // The reload is asked for: the watcher's settle window is another question.
    watch: false,
    servers: [
      {
        listens: ["127.0.0.1:0"],
        serverNames: [""],
        locations: [
          { location: "/", lua: { content_by: `ngx.print(require("${tree.name(0)}").version())` } },
        ],
      },
    ],
  });
  const load = new Load();
  let version = 0;
  const reload = async (): Promise<Outcome> => {
    tree.write(0, ++version);
    const outcome = await agent.reload({ files: [tree.path(0)] });
    if (outcome.outcome !== "committed") throw new Error(`${outcome.outcome} instead of a commit`);
    // Reported: whatever is sent from now on must be answered by this version (Invariant 2).
    floor.raise(version);
    return outcome;
  };
  try {
    await agent.start();
    const ask = (ms: number) =>
      load.run({ port: dataPort(agent), path: "/", connections, ms, floor: floor.memory });
    await ask(1_000);
    for (let warm = 0; warm < 20; warm++) await reload();
    const idle: Outcome[] = [];
    for (let done = 0; done < reloadsIdle; done++) idle.push(await reload());

    const underLoad: Outcome[] = [];
    const asking = ask(reloadsLoaded * everyMs);
    while (underLoad.length < reloadsLoaded) {
      await new Promise((resolve) => setTimeout(resolve, everyMs));
      underLoad.push(await reload());
    }
    const report = await asking;
    await everythingAnswered(agent, tree, version);
    const { failed, stale, answers, versions, perSecond } = report;
    if (failed + stale > 0) throw new Error(`${failed} failed and ${stale} stale of ${answers} requests`);
    return {
      question: `How long does a reload take, ${threads} VMs, 1 of ${modules} files changed, named by the call?`,
      rows: [
        {
          name: "failed or stale under load",
          ratio: failed + stale,
          unit: `of ${answers} requests, ${perSecond.toFixed(0)} a second, ${versions} versions seen`,
          aim: { atMost: 0 },
        },
        ...stages("idle", idle),
        ...stages("under load", underLoad),
      ],
    };
  } finally {
    await load.close();
    await agent.close();
    tree.remove();
  }
}

/** A run in which nothing was reloaded would show no cost and no stale answer either. */
async function everythingAnswered(agent: Agent, tree: Tree, version: number): Promise<void> {
  if ((await agent.call(tree.name(0), "version")) !== digits(version))
    throw new Error("the last version is not what runs");
}

function stages(when: string, outcomes: readonly Outcome[]): readonly Row[] {
  const total = outcomes.map((outcome) => outcome.durationMs);
  const row = (name: string, values: readonly number[]): Row => ({
    name: `  ${when}: ${name}`,
    ratio: median(values) / median(total),
    unit: `of the reload: p50 ${median(values).toFixed(2)}, p99 ${quantile(values, 0.99).toFixed(2)} ms`,
  });
  const stage = (name: keyof Outcome["stages"]) => outcomes.map((outcome) => outcome.stages[name]);
  const slowest = outcomes.map((outcome) => Math.max(0, ...outcome.vms.map((vm) => vm.appliedMs)));
  const commitToApplied = outcomes.map(
    ({ durationMs, stages: { scanMs, planMs, canaryMs, commitMs } }) =>
      durationMs - scanMs - planMs - canaryMs - commitMs,
  );
  return [
    row(`reload as a whole (${outcomes.length})`, total),
    row("scan of the named file", stage("scanMs")),
    row("plan", stage("planMs")),
    row("canary", stage("canaryMs")),
    row("commit: the turn of the main thread", stage("commitMs")),
    row("from the commit until all VMs have told", commitToApplied),
    row("the slowest VM's own move", slowest),
  ];
}
