/** How much of node:http's own throughput is left when a real agent's VMs answer hello, and at which p99? */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ConfigInput, ownFilesOnly } from "./built.ts";
import { Load, type LoadReport } from "./load.ts";
import { type Answer, median, type Row, ratios, roundRobin, spread } from "./question.ts";
import { serve } from "./serve-process.ts";
import { Tree } from "./tree.ts";

const rounds = 3;
const roundMs = 1_000;
const warmMs = 700;
const connections = 64;

/** What the agent sends, so that the bare server sends the same bytes. */
const helloHeaders = [
  ...["Server", "relua", "Content-Type", "text/plain"],
  ...["x-relua-generation", "1", "x-relua-vm", "1"],
];

/** Ratios: requests per second beside node:http alone in the same round. */
export async function run(): Promise<Answer> {
  const tree = new Tree(0);
  mkdirSync(join(tree.prefix, "apps"), { recursive: true });
  writeFileSync(
    join(tree.prefix, "apps", "mylib.lua"),
    "local M = {}\nfunction M.run() ngx.say('hello') end\nreturn M\n",
  );
  const servers = await Promise.all([
    serve({ kind: "bare", headers: helloHeaders, body: "hello\n" }),
    serve({ kind: "agent", config: helloConfig(tree, 1) }),
    serve({ kind: "agent", config: helloConfig(tree, 2) }),
  ]);
  const load = new Load();
  try {
    const [bare, one, two] = servers.map((server) => server.port) as [number, number, number];
    const subjects = {
      bare: [bare, "/inline"],
      "content_by ngx.say, 1 VM": [one, "/inline"],
      "content_by ngx.say, 2 VMs": [two, "/inline"],
      "require('mylib').run(), 1 VM": [one, "/module"],
      "require('mylib').run(), 2 VMs": [two, "/module"],
    } as const;
    type Name = keyof typeof subjects;
    const names = Object.keys(subjects) as Name[];
    const ask = (name: Name, ms: number) => {
      const [port, path] = subjects[name];
      return load.run({ port, path, connections, ms });
    };
    const measured = Object.fromEntries(names.map((name) => [name, () => ask(name, roundMs)])) as Record<
      Name,
      () => Promise<LoadReport>
    >;
    const reports = await roundRobin(rounds, measured, (name) => ask(name, warmMs));
    const perSecond = (name: Name) => reports[name].map((report) => report.perSecond);
    const p99 = (name: Name) => reports[name].map((report) => report.p99Ms);
    if (names.some((name) => reports[name].some((report) => report.failed > 0)))
      throw new Error("there were answers other than 200");
    const rows = names.map((name): Row => {
      const each = ratios(perSecond(name), perSecond("bare"));
      return {
        name: name === "bare" ? "node:http alone" : name,
        ratio: median(each),
        unit: `of node:http (${spread(each)}): ${spread(perSecond(name), 0)} requests/s, p99 ${spread(p99(name), 1)} ms`,
      };
    });
    return { question: `What is left of node:http's throughput, ${connections} connections?`, rows };
  } finally {
    await load.close();
    await Promise.all(servers.map((server) => server.close()));
    tree.remove();
  }
}

function helloConfig(tree: Tree, threads: number): ConfigInput {
  const locations = [
    { location: "/inline", lua: { content_by: "ngx.say('hello')" } },
    { location: "/module", lua: { content_by: "require('mylib').run()" } },
  ];
  return {
    ...ownFilesOnly,
    prefix: tree.prefix,
    threads,
    servers: [{ listens: ["127.0.0.1:0"], serverNames: [""], locations }],
  };
}
