/** What does it cost to be able to reload, while nothing changes: watcher, graph and store beside none of them? */

import { type ConfigInput, ownFilesOnly } from "./built.ts";
import { Load } from "./load.ts";
import { serversOf } from "./nginx.ts";
import { type Answer, median, middle, type Row, ratios, roundRobin } from "./question.ts";
import { type Served, serve } from "./serve-process.ts";
import { Tree } from "./tree.ts";

const modules = 10_000;
const threads = 2;
/** Many short ones: what is looked for is smaller than what the machine does besides. */
const rounds = 30;
const roundMs = 120;
const warmMs = 1_000;
const connections = 32;
const inFlight = 64;
/** Longer than a sweep's pause. */
const idleMs = 11_000;

interface Figure {
  readonly perSecond: number;
  /** Processor time of the server for one answer. */
  readonly cpuUs: number;
}

/** Ratios: requests or calls per second beside the bare pool in the same round; and of its processor time for one. */
export async function run(): Promise<Answer> {
  const tree = new Tree(modules);
  const [name] = [tree.name(0)];
  const config = (more: ConfigInput): ConfigInput => ({
    ...ownFilesOnly,
    prefix: tree.prefix,
    threads,
    servers: serversOf({ "/": `ngx.print(require("${name}").version())` }),
    ...more,
  });
  const load = new Load();
  const servers = {
    "pool and data plane alone": await serve({ kind: "pool", config: config({ exposeGeneration: false }) }),
    "watch: false": await serve({ kind: "agent", config: config({ watch: false, exposeGeneration: false }) }),
    "exposeGeneration: false": await serve({ kind: "agent", config: config({ exposeGeneration: false }) }),
    "everything on": await serve({ kind: "agent", config: config({}) }),
  } satisfies Record<string, Served>;
  const names = Object.keys(servers) as (keyof typeof servers)[];
  const http = async (name: keyof typeof servers, ms: number): Promise<Figure> => {
    const server = servers[name];
    const before = await server.cpuMs();
    const report = await load.run({ port: server.port, path: "/", connections, ms });
    if (report.failed > 0) throw new Error("there were answers other than 200");
    return {
      perSecond: report.perSecond,
      cpuUs: (((await server.cpuMs()) - before) * 1000) / report.answers,
    };
  };
  const calls = async (of: keyof typeof servers, ms: number): Promise<Figure> => {
    const server = servers[of];
    const before = await server.cpuMs();
    const perSecond = await server.calls({ module: name, fn: "empty", inFlight, ms });
    return { perSecond, cpuUs: (((await server.cpuMs()) - before) * 1000) / ((perSecond * ms) / 1000) };
  };
  try {
    const rows: Row[] = [];
    for (const [what, ask] of [
      ["hello over HTTP", http],
      ["agent.call", calls],
    ] as const) {
      const subjects = Object.fromEntries(names.map((name) => [name, () => ask(name, roundMs)]));
      const figures = await roundRobin<string, Figure>(rounds, subjects, (name) =>
        ask(name as keyof typeof servers, warmMs),
      );
      rows.push(...names.map((name) => rowOf(what, name, figures)));
    }
    rows.push(...(await idle(servers)));
    return {
      question: `What is left of a pool that cannot reload, ${threads} VMs, ${modules} files that nobody changes?`,
      rows,
    };
  } finally {
    await load.close();
    await Promise.all(Object.values(servers).map((server) => server.close()));
    tree.remove();
  }
}

function rowOf(what: string, name: string, figures: Readonly<Record<string, readonly Figure[]>>): Row {
  const alone = figures["pool and data plane alone"]!;
  const of = (key: keyof Figure) =>
    ratios(
      figures[name]!.map((figure) => figure[key]),
      alone.map((figure) => figure[key]),
    );
  const perSecond = figures[name]!.map((figure) => figure.perSecond);
  const cpuUs = figures[name]!.map((figure) => figure.cpuUs);
  return {
    name: `${what}: ${name}`,
    ratio: median(of("perSecond")),
    unit: `of the pool alone, half of the rounds (${middle(of("perSecond"))}): ${median(perSecond).toFixed(0)} a second; processor time of each ${median(cpuUs).toFixed(1)} µs, ${middle(of("cpuUs"))} times the pool's`,
    ...(name === "everything on" && { aim: { atLeast: 0.99 } }),
  };
}

/** What is taken while nothing is asked for. */
async function idle(servers: Readonly<Record<string, Served>>): Promise<readonly Row[]> {
  const all = Object.entries(servers);
  const before = await Promise.all(all.map(([, server]) => server.cpuMs()));
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  const after = await Promise.all(all.map(([, server]) => server.cpuMs()));
  return all.map(([name], index) => ({
    name: `idle: ${name}`,
    ratio: Number.NaN,
    unit: `${((((after[index] ?? 0) - (before[index] ?? 0)) / idleMs) * 100).toFixed(2)} % of a core`,
  }));
}
