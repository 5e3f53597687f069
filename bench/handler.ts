/** What do threads, generations and the data plane cost, and two cores bring, for a handler as people write them? */

import { join } from "node:path";
import type { ConfigInput } from "./built.ts";
import { Load, type LoadReport } from "./load.ts";
import { type Answer, median, type Row, ratios, roundRobin, spread } from "./question.ts";
import { serve } from "./serve-process.ts";

const rounds = 5;
const roundMs = 2_000;
const warmMs = 1_500;
const connections = 32;

/** The application: an order in JSON comes in, a page goes out; 21 modules, pure Lua. */
const prefix = join(import.meta.dirname, "orders");
const lines = Array.from({ length: 20 }, (_, line) => ({
  sku: `A${(line % 10) + 1}`,
  quantity: line * 7 + 1,
}));
const order = JSON.stringify({ customer: "Ann <Example>", country: "DE", coupon: " spring ", lines });

/** Ratios: requests per second beside the same Lua in one bare Fengari state in node:http's own thread. */
export async function run(): Promise<Answer> {
  const servers = await Promise.all([
    serve({
      kind: "fengari",
      packagePath: `${prefix}/apps/?.lua;${prefix}/apps/?/init.lua`,
      module: "orders.app",
      fn: "handle",
    }),
    serve({ kind: "agent", config: config(1) }),
    serve({ kind: "agent", config: config(2) }),
  ]);
  const load = new Load();
  try {
    const pages = await Promise.all(
      servers.map(async ({ port }) =>
        (await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: order })).text(),
      ),
    );
    if (!pages[0]?.includes("<b>") || new Set(pages).size > 1)
      throw new Error("they do not answer the same page");
    const names = ["bare Fengari", "1 VM", "2 VMs"] as const;
    type Name = (typeof names)[number];
    const ask = (name: Name, ms: number) =>
      load.run({ port: servers[names.indexOf(name)]!.port, path: "/", body: order, connections, ms });
    const subjects = Object.fromEntries(names.map((name) => [name, () => ask(name, roundMs)])) as Record<
      Name,
      () => Promise<LoadReport>
    >;
    const reports = await roundRobin(rounds, subjects, (name) => ask(name, warmMs));
    if (names.some((name) => reports[name].some((report) => report.failed > 0)))
      throw new Error("there were answers other than 200");
    const perSecond = (name: Name) => reports[name].map((report) => report.perSecond);
    const aims: Readonly<Partial<Record<Name, number>>> = { "1 VM": 0.9, "2 VMs": 1.6 };
    const rows = names.map((name): Row => {
      const each = ratios(perSecond(name), perSecond("bare Fengari"));
      return {
        name,
        ratio: median(each),
        unit: `of bare Fengari (${spread(each)}): ${spread(perSecond(name), 0)} requests/s, p99 ${spread(
          reports[name].map((report) => report.p99Ms),
          1,
        )} ms`,
        ...(aims[name] !== undefined && { aim: { atLeast: aims[name] } }),
      };
    });
    return {
      question: "An order in JSON in, a page out, 21 modules: what is left, and what do VMs add?",
      rows,
    };
  } finally {
    await load.close();
    await Promise.all(servers.map((server) => server.close()));
  }
}

function config(threads: number): ConfigInput {
  const handler =
    "ngx.req.read_body() ngx.header.content_type = 'text/html' " +
    "ngx.print(require('orders.app').handle(ngx.req.get_body_data()))";
  return {
    prefix,
    luaPackagePath: "$prefix/apps/?.lua;$prefix/apps/?/init.lua",
    threads,
    servers: [
      {
        listens: ["127.0.0.1:0"],
        serverNames: [""],
        locations: [{ location: "/", lua: { content_by: handler } }],
      },
    ],
    control: { listen: "127.0.0.1:0" },
  };
}
