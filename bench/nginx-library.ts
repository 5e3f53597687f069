/** What does lualib/resty/relua.lua cost nginx: in throughput, with and without `sync()`, and for a `require` of what is loaded? */

import { readFileSync } from "node:fs";
import { ask } from "../test/support/http.ts";
import { Nginx, whyNoNginx } from "./nginx.ts";
import { type Answer, median, type Row, ratios, roundRobin, spread } from "./question.ts";
import { wrk } from "./wrk.ts";

const rounds = 9;
const roundMs = 2_000;
const warmMs = 1_000;
const connections = 64;
const hits = 3_000_000;

const files = { "mylib.lua": "local M = {} function M.run() ngx.say('hello') end return M" };
const library = `
  lua_shared_dict relua 1m;
  init_worker_by_lua_block { require("resty.relua").init_worker{ every = 0.1 } }`;

/** `hits` times `require` of a loaded module, compiled by LuaJIT or not: nanoseconds each. */
const server = `
  location = /hello { content_by_lua_block { require("mylib").run() } }
  location = /hits { content_by_lua_block {
    require "mylib"
    if ngx.var.arg_jit == "off" then jit.off() jit.flush() end
    local from, found = os.clock(), 0
    for i = 1, ${hits} do if require("mylib") then found = found + 1 end end
    local seconds = os.clock() - from
    jit.on()
    ngx.print(found == ${hits} and seconds / ${hits} * 1e9 or "lost")
  } }`;
const emptyPhase = "nginx alone, an empty rewrite_by_lua_block";
const withSync = "library, sync() in rewrite_by_lua_block";
const phase = (code: string) => `rewrite_by_lua_block { ${code} }`;

/** Ratios beside plain nginx in the same round. */
export async function run(): Promise<Answer> {
  const question = `What is left of nginx's throughput with the library, 1 worker, ${connections} connections; and of a require?`;
  const skipped = whyNoNginx();
  if (skipped !== undefined) return { question, rows: [], skipped };
  const settings = {
    "nginx alone": { http: "", server },
    "library, no sync()": { http: library, server },
    [emptyPhase]: { http: "", server: phase("") + server },
    [withSync]: {
      http: library,
      server: phase('require("resty.relua").sync()') + server,
    },
  } as const;
  type Name = keyof typeof settings;
  const names = Object.keys(settings) as Name[];
  const hosts = new Map<Name, Nginx>();
  try {
    for (const name of names) hosts.set(name, await start(settings[name]));
    const host = (name: Name) => hosts.get(name) as Nginx;
    const load = (name: Name, ms: number) => underLoad(host(name), ms);
    const figures = await roundRobin(
      rounds,
      each(names, (name) => load(name, roundMs)),
      (name) => load(name, warmMs),
    );
    const rows: Row[] = [];
    const compare = (title: string, name: Name, beside: Name) => {
      const of = (key: keyof Figures, subject: Name) => figures[subject].map((figure) => figure[key]);
      const shares = ratios(of("perSecond", name), of("perSecond", beside));
      const cpu = ratios(of("cpuMicros", name), of("cpuMicros", beside));
      rows.push({
        name: title,
        ratio: median(shares),
        unit:
          `of ${beside} (${spread(shares)}): ${spread(of("perSecond", name), 0)} requests/s; ` +
          `the worker's CPU time for one ${spread(of("cpuMicros", name), 1)} µs, ${spread(cpu)} times as much`,
      });
    };
    for (const name of names) compare(name, name, "nginx alone");
    compare("sync() by itself", withSync, emptyPhase);
    for (const jit of ["on", "off"])
      rows.push(await requireHits(host("nginx alone"), host("library, no sync()"), jit));
    return { question, rows };
  } finally {
    for (const nginx of hosts.values()) await nginx.end();
  }
}

function start({ http, server }: { readonly http: string; readonly server: string }): Promise<Nginx> {
  return Nginx.start({ http: `keepalive_requests 1000000000; ${http}`, server, files, workers: 1 });
}

/** How many times as long a hit takes by the library's `require` as by the one of lua-resty-core. */
async function requireHits(plain: Nginx, wrapped: Nginx, jit: string): Promise<Row> {
  const nanoseconds = async (nginx: Nginx) => Number((await ask(`${nginx.url}/hits?jit=${jit}`)).body);
  const subjects = { plain: () => nanoseconds(plain), wrapped: () => nanoseconds(wrapped) };
  const figures = await roundRobin(rounds, subjects, (name) => subjects[name]());
  const each = ratios(figures.wrapped, figures.plain);
  return {
    name: `require of a loaded module, ${jit === "on" ? "compiled by LuaJIT" : "interpreted"}`,
    ratio: median(each),
    unit: `times lua-resty-core's (${spread(each)}): ${spread(figures.wrapped, 1)} ns, lua-resty-core's ${spread(figures.plain, 1)}`,
  };
}

function each<Name extends string, Figure>(
  names: readonly Name[],
  measure: (name: Name) => Promise<Figure>,
): Readonly<Record<Name, () => Promise<Figure>>> {
  return Object.fromEntries(names.map((name) => [name, () => measure(name)])) as Record<
    Name,
    () => Promise<Figure>
  >;
}

interface Figures {
  readonly perSecond: number;
  /** CPU time of the worker for one request: what else runs on the machine changes it little. */
  readonly cpuMicros: number;
}

async function underLoad(nginx: Nginx, ms: number): Promise<Figures> {
  const [worker = 0] = nginx.workers;
  const [cpuBefore, before] = [cpuMicrosOf(worker), performance.now()];
  const perSecond = await wrk(`${nginx.url}/hello`, connections, ms);
  if (perSecond === undefined) throw new Error("wrk is not installed: apt-get install wrk");
  const requests = (perSecond * (performance.now() - before)) / 1_000;
  return { perSecond, cpuMicros: (cpuMicrosOf(worker) - cpuBefore) / requests };
}

/** User and system time of a process; Linux counts them in hundredths of a second. */
function cpuMicrosOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}
