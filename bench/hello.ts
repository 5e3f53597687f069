/** How much of node:http's throughput is left when an agent's VMs answer hello, and what do nginx's workers make of it? */

import { type ConfigInput, ownFilesOnly } from "./built.ts";
import { Load, type LoadReport } from "./load.ts";
import { serversOf, startNginx, whyNoNginx } from "./nginx.ts";
import { type Answer, median, type Row, ratios, roundRobin, spread } from "./question.ts";
import { serve } from "./serve-process.ts";
import { Tree } from "./tree.ts";
import { wrk } from "./wrk.ts";

const rounds = 3;
const roundMs = 1_000;
const warmMs = 700;
const connections = 64;

/** What the agent sends, so that the bare server sends the same bytes. */
const helloHeaders = [
  ...["Server", "relua", "Content-Type", "text/plain"],
  ...["x-relua-generation", "1", "x-relua-vm", "1"],
];
const files = { "mylib.lua": "local M = {}\nfunction M.run() ngx.say('hello') end\nreturn M\n" };
const locations = { "/inline": "ngx.say('hello')", "/module": "require('mylib').run()" };

const nodeHttp = "node:http alone";
const cacheOff = "nginx + lua, cache off, 2 workers, require";
/** Those that wrk asks as well. */
const checked = [nodeHttp, "require('mylib').run(), 2 VMs", "nginx + lua, 2 workers, require"] as const;

/** Ratios: requests per second beside node:http alone in the same round. */
export async function run(): Promise<Answer> {
  const tree = new Tree(0);
  tree.add(files);
  const noNginx = whyNoNginx();
  const nginx = (codeCache: boolean) => startNginx({ files, locations, codeCache, workers: 2 });
  const servers = await Promise.all([
    serve({ kind: "bare", headers: helloHeaders, body: "hello\n" }),
    serve({ kind: "agent", config: helloConfig(tree, 1) }),
    serve({ kind: "agent", config: helloConfig(tree, 2) }),
  ]);
  const nginxes = noNginx === undefined ? [await nginx(true), await nginx(false)] : [];
  const load = new Load();
  try {
    const [bare, one, two] = servers.map(({ port }) => port) as [number, number, number];
    const [cached, uncached] = nginxes.map(({ port }) => port);
    const places: Record<string, readonly [port: number, path: string]> = {
      [nodeHttp]: [bare, "/inline"],
      "content_by ngx.say, 1 VM": [one, "/inline"],
      "content_by ngx.say, 2 VMs": [two, "/inline"],
      "require('mylib').run(), 1 VM": [one, "/module"],
      "require('mylib').run(), 2 VMs": [two, "/module"],
      ...(cached && { "nginx + lua, 2 workers, require": [cached, "/module"] }),
      ...(uncached && { [cacheOff]: [uncached, "/module"] }),
    };
    const names = Object.keys(places);
    const ask = (name: string, ms: number) => {
      const [port, path] = places[name]!;
      return load.run({ port, path, connections, ms });
    };
    const subjects = Object.fromEntries(names.map((name) => [name, () => ask(name, roundMs)]));
    const reports = await roundRobin<string, LoadReport>(rounds, subjects, (name) => ask(name, warmMs));
    if (names.some((name) => reports[name]!.some((report) => report.failed > 0)))
      throw new Error("there were answers other than 200");
    const perSecond = (name: string) => reports[name]!.map((report) => report.perSecond);
    const rows = names.map((name): Row => {
      const each = ratios(perSecond(name), perSecond(nodeHttp));
      return {
        name,
        ratio: median(each),
        unit: `of node:http (${spread(each)}): ${spread(perSecond(name), 0)} requests/s, p99 ${spread(
          reports[name]!.map((report) => report.p99Ms),
          1,
        )} ms`,
        ...(name.includes("VM") && { aim: { atLeast: 0.6 } }),
      };
    });
    if (uncached) {
      const each = ratios(perSecond("require('mylib').run(), 2 VMs"), perSecond(cacheOff));
      const unit = `times nginx with the cache off (${spread(each, 0)})`;
      rows.push({
        name: "require, 2 VMs, beside cache off",
        ratio: median(each),
        unit,
        aim: { atLeast: 50 },
      });
    } else rows.push({ name: "nginx + lua", ratio: Number.NaN, unit: `not measured: ${noNginx}` });
    const askedByWrk = checked.filter((name) => name in places);
    rows.push(...(await crossCheck(askedByWrk.map((name) => [name, ...places[name]!] as const))));
    return { question: `What is left of node:http's throughput, ${connections} connections?`, rows };
  } finally {
    await load.close();
    await Promise.all([...servers.map((server) => server.close()), ...nginxes.map((each) => each.end())]);
    tree.remove();
  }
}

/** The same by wrk, in a process of its own that takes less of the machine than ours. */
async function crossCheck(
  places: readonly (readonly [name: string, port: number, path: string])[],
): Promise<readonly Row[]> {
  const subjects = Object.fromEntries(
    places.map(([name, port, path]) => [
      name,
      () => wrk(`http://127.0.0.1:${port}${path}`, connections, roundMs),
    ]),
  );
  const perSecond = await roundRobin(rounds, subjects);
  return places.flatMap(([name]): Row[] => {
    const figures = perSecond[name]!.filter((figure) => figure !== undefined);
    if (figures.length === 0) return [];
    const each = ratios(figures, perSecond[nodeHttp] as readonly number[]);
    return [
      {
        name: `wrk: ${name}`,
        ratio: median(each),
        unit: `of node:http (${spread(each)}): ${spread(figures, 0)} requests/s`,
      },
    ];
  });
}

function helloConfig(tree: Tree, threads: number): ConfigInput {
  return { ...ownFilesOnly, prefix: tree.prefix, threads, servers: serversOf(locations) };
}
