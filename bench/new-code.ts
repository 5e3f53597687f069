/** How long from a save until every worker runs it: Relua, nginx's HUP, a restart of the process? */

import type { IncomingMessage } from "node:http";
import { createAgent, dataPort, ownFilesOnly } from "./built.ts";
import { type Nginx, serversOf, startNginx, whyNoNginx } from "./nginx.ts";
import { type Answer, median, type Row, ratios, roundRobin, spread } from "./question.ts";
import { serve } from "./serve-process.ts";
import { digits, Tree } from "./tree.ts";
import { type NewCode, untilNew } from "./until-new.ts";

const modules = 1_000;
const workers = 2;
const rounds = 9;
const settleMs = 20;

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
