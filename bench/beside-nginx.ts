/** How long from a save until every worker of nginx runs it: by relua watch, by HUP, by no cache; and what of it costs? */

import type { IncomingMessage } from "node:http";
import { type Agent, createAgent } from "./built.ts";
import { Nginx, whyNoNginx } from "./nginx.ts";
import { type Answer, median, type Row, ratios, roundRobin, spread } from "./question.ts";
import { digits, Tree } from "./tree.ts";
import { type NewCode, untilNew } from "./until-new.ts";
import { wrk } from "./wrk.ts";

const modules = 1_000;
const workers = 4;
const rounds = 9;
const settleMs = 20;
const loadMs = 2_000;
const connections = 64;

/** Library and handler as docs/nginx.md has them. */
const library = `
  lua_shared_dict relua 8m;
  init_worker_by_lua_block { require("resty.relua").init_worker{ every = 0.1 } }`;
const sync = 'rewrite_by_lua_block { require("resty.relua").sync() }';
const location = `
  location = /relua { client_body_buffer_size 1m; content_by_lua_block { require("resty.relua").content() } }`;

interface Host {
  readonly nginx: Nginx;
  readonly agent: Agent | undefined;
  /** Tells it of a save, where nobody watches. */
  readonly tell: () => void;
}

/** Ratios: the time beside relua watch with `sync()` in the same round, its settle window included; throughput beside HUP's. */
export async function run(): Promise<Answer> {
  const question = `From a save (1 of ${modules} files) until each of ${workers} workers of nginx answers new; relua watch waits ${settleMs} ms for more`;
  const skipped = whyNoNginx();
  if (skipped !== undefined) return { question, rows: [], skipped };
  const tree = new Tree(modules);
  const handler = `location / { content_by_lua_block { ngx.print(require("${tree.name(0)}").version()) } }`;
  const files = Object.fromEntries(
    Array.from({ length: modules }, (_, module) => [fileOf(tree, module), tree.source(module, 0)]),
  );
  const start = (http: string, server: string) =>
    Nginx.start({
      workers,
      files,
      http: `keepalive_requests 1000000000; ${http}`,
      server: `${server} ${handler}`,
    });
  const hosts = new Map<string, Host>();
  let version = 0;
  try {
    for (const [name, phase] of [
      ["relua watch, sync()", sync],
      ["relua watch, timer alone", ""],
    ] as const) {
      const nginx = await start(library, location + phase);
      const agent = await beside(nginx);
      hosts.set(name, { nginx, agent, tell: () => {} });
    }
    const hup = await start("", "");
    hosts.set("HUP", { nginx: hup, agent: undefined, tell: () => process.kill(hup.pid, "SIGHUP") });
    const uncached = await start("lua_code_cache off;", "");
    hosts.set("lua_code_cache off", { nginx: uncached, agent: undefined, tell: () => {} });

    const names = [...hosts.keys()];
    const newCode = async (name: string): Promise<NewCode> => {
      const { nginx, agent, tell } = hosts.get(name)!;
      // A worker that holds nothing loads from the disk: every one has to run the version before.
      await agent?.reload({ waitMs: 10_000 });
      await nginx.askEveryWorker("/");
      const began = performance.now();
      const saved = digits(++version);
      nginx.write({ [fileOf(tree, 0)]: tree.source(0, version) });
      const before = new Set(nginx.workers);
      tell();
      const isAll = (heard: ReadonlySet<string>) => {
        const now = nginx.workers;
        const fresh = name !== "HUP" || now.every((pid) => !before.has(pid));
        return fresh && now.length === workers && now.every((pid) => heard.has(`${pid}`));
      };
      return untilNew(began, () => nginx.port, workerOf, isAll, saved);
    };
    const each = <Figure>(measure: (name: string) => Promise<Figure>) =>
      Object.fromEntries(names.map((name) => [name, () => measure(name)]));
    const told = await roundRobin(rounds, each(newCode), newCode);
    const load = await roundRobin(
      3,
      each(async (name) => (await wrk(`${hosts.get(name)!.nginx.url}/`, connections, loadMs)) ?? Number.NaN),
    );
    const ms = (name: string) => told[name]!.map((one) => one.ms);
    const rows = names.map((name): Row => {
      const times = ratios(ms(name), ms("relua watch, sync()"));
      const throughput = ratios(load[name]!, load.HUP!);
      return {
        name,
        ratio: median(times),
        unit:
          `times relua watch with sync() (${spread(times, 1)}): ${spread(ms(name), 0)} ms; ` +
          `throughput ${spread(throughput)} of nginx without the library, ${spread(load[name]!, 0)} requests/s`,
      };
    });
    return { question, rows };
  } finally {
    for (const { agent, nginx } of hosts.values()) {
      await agent?.close();
      await nginx.end();
    }
    tree.remove();
  }
}

/** Resolves when every worker is known to run what is on the disk. */
async function beside(nginx: Nginx): Promise<Agent> {
  const agent = createAgent(
    {
      prefix: nginx.tree.root,
      luaPackagePath: "$prefix/lua/?.lua",
      watch: { settleMs },
      targets: [{ type: "nginx", url: `${nginx.url}/relua` }],
    },
    { hosting: false },
  );
  await agent.start();
  await agent.reload({ waitMs: 10_000 });
  return agent;
}

/** Below nginx's `lua/`. */
function fileOf(tree: Tree, module: number): string {
  return `${tree.name(module).replace(".", "/")}.lua`;
}

const workerOf = ({ headers }: IncomingMessage) => `${headers["x-worker"]}`;
