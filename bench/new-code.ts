/** How long from a save until every worker runs it: Relua, nginx's HUP, a restart of the process? */

import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { createAgent, dataPort, ownFilesOnly } from "./built.ts";
import { type Nginx, serversOf, startNginx, whyNoNginx } from "./nginx.ts";
import { type Answer, median, type Row, ratios, roundRobin, spread } from "./question.ts";
import { serve } from "./serve-process.ts";
import { digits, Tree } from "./tree.ts";

const modules = 1_000;
const workers = 2;
const rounds = 9;
/** Connections at a time: one alone would always be given to the same VM. */
const abreast = 4;
const settleMs = 20;

interface NewCode {
  /** From before the write until each worker has answered the new version. */
  readonly ms: number;
  /** Within that, from the first request that was not answered until one was again. */
  readonly deafMs: number;
}

/** Ratios: beside Relua in the same round, which has its settle window in it. */
export async function run(): Promise<Answer> {
  const tree = new Tree(modules);
  const locations = { "/": `ngx.print(require("${tree.name(0)}").version())` };
  const config = { ...ownFilesOnly, prefix: tree.prefix, threads: workers, servers: serversOf(locations) };
  const agent = createAgent({ ...config, watch: { settleMs } });
  let restarted = await serve({ kind: "agent", config });
  const noNginx = whyNoNginx();
  const nginx = noNginx === undefined ? await nginxOn(tree, locations["/"]) : undefined;
  let version = 0;
  const save = () => {
    tree.write(0, ++version);
    return digits(version);
  };
  try {
    await agent.start();
    const relua = async () => {
      const began = performance.now();
      const saved = save();
      return untilNew(began, () => dataPort(agent), reluaVm, isEachVm, saved);
    };
    const restart = async () => {
      const began = performance.now();
      const saved = save();
      const old = restarted.port;
      const ended = restarted.close().then(async () => {
        restarted = await serve({ kind: "agent", config });
      });
      const port = () => (restarted.port === old ? undefined : restarted.port);
      const told = await untilNew(began, port, reluaVm, isEachVm, saved);
      await ended;
      return told;
    };
    const hup = async (nginx: Nginx) => {
      const began = performance.now();
      const saved = save();
      const before = new Set(nginx.workers);
      nginx.write({ "m.lua": tree.source(0, version) });
      process.kill(nginx.pid, "SIGHUP");
      const isAll = (heard: ReadonlySet<string>) => {
        const { workers: now } = nginx;
        return now.length === workers && now.every((pid) => !before.has(pid) && heard.has(`${pid}`));
      };
      return untilNew(began, () => nginx.port, nginxWorker, isAll, saved);
    };
    const subjects: Record<string, () => Promise<NewCode>> = {
      Relua: relua,
      "restart of the process": restart,
      ...(nginx && { "nginx, HUP": () => hup(nginx) }),
    };
    const told = await roundRobin(rounds, subjects, (name) => subjects[name]!());
    const ms = (name: string) => told[name]!.map((each) => each.ms);
    const rows = Object.keys(subjects).map((name): Row => {
      const each = ratios(ms(name), ms("Relua"));
      const deaf = told[name]!.map((each) => each.deafMs);
      return {
        name,
        ratio: median(each),
        unit: `times Relua (${spread(each, 1)}): ${spread(ms(name), 0)} ms, ${
          median(deaf) === 0 ? "always answering" : `${spread(deaf, 0)} ms of it nobody answered`
        }`,
      };
    });
    if (noNginx !== undefined)
      rows.push({ name: "nginx, HUP", ratio: Number.NaN, unit: `not measured: ${noNginx}` });
    return {
      question: `From a save (1 of ${modules} files) until each of ${workers} workers answers new; Relua waits ${settleMs} ms for more, the others are told to reload at once`,
      rows,
    };
  } finally {
    await Promise.all([agent.close(), restarted.close(), nginx?.end()]);
    tree.remove();
  }
}

/** nginx loads one module in place of the tree: what it does not read costs it nothing. */
function nginxOn(tree: Tree, code: string): Promise<Nginx> {
  return startNginx({
    files: { "m.lua": tree.source(0, 0) },
    locations: { "/": code.replace(tree.name(0), "m") },
    codeCache: true,
    workers,
  });
}

const reluaVm = ({ headers }: IncomingMessage) => `${headers["x-relua-vm"]}`;
const nginxWorker = ({ headers }: IncomingMessage) => `${headers["x-worker"]}`;
const isEachVm = (heard: ReadonlySet<string>) => heard.size === workers;

/**
 * Asks on and on, until the workers that answered `version` are all there are. A worker that answers another version
 * after it has answered this one is one that goes, and is not counted. `port` is undefined while nobody listens.
 */
async function untilNew(
  began: number,
  port: () => number | undefined,
  workerOf: (response: IncomingMessage) => string,
  isAll: (heard: ReadonlySet<string>) => boolean,
  version: string,
): Promise<NewCode> {
  const heard = new Set<string>();
  let deafFrom: number | undefined;
  let deafMs = 0;
  while (!isAll(heard)) {
    const answers = await Promise.all(Array.from({ length: abreast }, () => asked(port())));
    const now = performance.now();
    if (answers.every((answer) => answer === undefined)) deafFrom ??= now;
    else if (deafFrom !== undefined) {
      deafMs += now - deafFrom;
      deafFrom = undefined;
    }
    for (const answer of answers)
      if (answer?.body === version) heard.add(workerOf(answer.response));
      else if (answer) heard.delete(workerOf(answer.response));
  }
  return { ms: performance.now() - began, deafMs };
}

/** One request on a connection of its own; undefined when nobody answers. */
async function asked(port: number | undefined) {
  if (port === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return undefined;
  }
  try {
    const asking = request({ port, host: "127.0.0.1", agent: false }).end();
    const [response] = (await once(asking, "response")) as [IncomingMessage];
    const pieces = await response.setEncoding("latin1").toArray();
    return { response, body: pieces.join("") };
  } catch {
    return undefined;
  }
}
