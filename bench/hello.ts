/** How much of node:http's own throughput is left when a real agent's VMs answer hello, and at which p99? */

import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Agent, createAgent, dataPort } from "./built.ts";
import { Load, type LoadReport } from "./load.ts";
import { type Answer, median, ratios, type Row, roundRobin, spread } from "./question.ts";
import { Tree } from "./tree.ts";

const rounds = 3;
const roundMs = 1_000;
const warmMs = 500;
const connections = 64;

/** Ratios: requests per second beside node:http alone in the same round, which sends the same bytes. */
export async function run(): Promise<Answer> {
  const tree = new Tree(0);
  mkdirSync(join(tree.prefix, "apps"), { recursive: true });
  writeFileSync(
    join(tree.prefix, "apps", "mylib.lua"),
    "local M = {}\nfunction M.run() ngx.say('hello') end\nreturn M\n",
  );
  const bare = await bareServer();
  const agents = [helloAgent(tree, 1), helloAgent(tree, 2)] as const;
  const load = new Load();
  try {
    for (const agent of agents) await agent.start();
    const [one, two] = agents.map(dataPort) as [number, number];
    const subject = (port: number, path: string) => (ms: number) => load.run({ port, path, connections, ms });
    const subjects = {
      bare: subject((bare.address() as AddressInfo).port, "/inline"),
      "content_by ngx.say, 1 VM": subject(one, "/inline"),
      "content_by ngx.say, 2 VMs": subject(two, "/inline"),
      "require('mylib').run(), 1 VM": subject(one, "/module"),
      "require('mylib').run(), 2 VMs": subject(two, "/module"),
    };
    type Name = keyof typeof subjects;
    const names = Object.keys(subjects) as Name[];
    const once = Object.fromEntries(names.map((name) => [name, () => subjects[name](roundMs)])) as Record<
      Name,
      () => Promise<LoadReport>
    >;
    const reports = await roundRobin(rounds, once, (name) => subjects[name](warmMs));
    const perSecond = (name: Name) => reports[name].map((report) => report.perSecond);
    const p99 = (name: Name) => reports[name].map((report) => report.p99Ms);
    const failed = names.flatMap((name) => reports[name]).filter((report) => report.failed > 0).length;
    if (failed > 0) throw new Error(`${failed} rounds had answers other than 200`);
    const rows = names.map((name): Row => {
      const each = ratios(perSecond(name), perSecond("bare"));
      return {
        name: name === "bare" ? "node:http alone" : name,
        ratio: median(each),
        unit: `of node:http, ${spread(each)}; ${spread(perSecond(name), 0)} requests/s, p99 ${spread(p99(name), 1)} ms`,
      };
    });
    return { question: `What is left of node:http's throughput, ${connections} connections?`, rows };
  } finally {
    await load.close();
    bare.closeAllConnections();
    bare.close();
    for (const agent of agents) await agent.close();
    tree.remove();
  }
}

function helloAgent(tree: Tree, threads: number): Agent {
  return createAgent({
    prefix: tree.prefix,
    threads,
    servers: [
      {
        listens: ["127.0.0.1:0"],
        serverNames: [""],
        locations: [
          { location: "/inline", lua: { content_by: "ngx.say('hello')" } },
          { location: "/module", lua: { content_by: "require('mylib').run()" } },
        ],
      },
    ],
  });
}

/** Sends what the agent sends, headers included. */
async function bareServer(): Promise<Server> {
  const server = createServer((_req, res) => {
    res.writeHead(200, "OK", [
      "Server",
      "relua",
      "Content-Type",
      "text/plain",
      "x-relua-generation",
      "1",
      "x-relua-vm",
      "1",
      "Content-Length",
      "6",
    ]);
    res.end("hello\n", "latin1");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
