/** How much of node:http's own throughput is left behind the data plane, with a dispatcher that answers at once? */

import { Load } from "./load.ts";
import { type Answer, median, ratios, roundRobin, spread } from "./question.ts";
import { serve } from "./serve-process.ts";

const rounds = 6;
const roundMs = 1_000;
const connections = 64;
const body = "hello\n";
const contentType = ["Content-Type", "text/plain"];

/** Ratio: requests per second beside node:http that sends the same bytes, in the same round. */
export async function run(): Promise<Answer> {
  const signed = [...["Server", "relua"], ...contentType, "x-relua-generation", "1", "x-relua-vm", "1"];
  const servers = await Promise.all([
    serve({ kind: "bare", headers: signed, body }),
    serve({ kind: "plane", headers: contentType, body }),
  ]);
  const load = new Load();
  try {
    const [bare, plane] = servers.map((server) => async () => {
      const report = await load.run({
        port: server.port,
        path: "/hello?name=value",
        connections,
        ms: roundMs,
      });
      if (report.failed > 0) throw new Error("there were answers other than 200");
      return report.perSecond;
    }) as [() => Promise<number>, () => Promise<number>];
    const subjects = { bare, plane };
    const perSecond = await roundRobin(rounds, subjects, (name) => subjects[name]());
    const each = ratios(perSecond.plane, perSecond.bare);
    return {
      question: `What is left of node:http's throughput behind the data plane, ${connections} connections?`,
      rows: [
        {
          name: "data plane",
          ratio: median(each),
          unit: `of node:http (${spread(each)}): ${spread(perSecond.plane, 0)} requests/s, node:http ${spread(perSecond.bare, 0)}`,
        },
      ],
    };
  } finally {
    await load.close();
    await Promise.all(servers.map((server) => server.close()));
  }
}
