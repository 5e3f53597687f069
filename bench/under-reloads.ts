/** What do requests notice of a reload every 100 ms: at saturation, at half of that, and with nginx's HUP or no cache? */

import { ownFilesOnly } from "./built.ts";
import { Floor, Load, type LoadOrder, type LoadReport } from "./load.ts";
import { type Nginx, serversOf, startNginx, whyNoNginx } from "./nginx.ts";
import { type Answer, median, type Row, ratios, roundRobin, spread } from "./question.ts";
import { serve } from "./serve-process.ts";
import { digits, Tree } from "./tree.ts";

const modules = 1_000;
const workers = 2;
const connections = 32;
const rounds = 5;
const roundMs = 1_500;
const everyMs = 100;
/** Without a cache nginx answers some hundred a second: more connections would only wait. */
const uncachedConnections = 8;
const p99Times = 1.5;

/** Ratios: p99 with reloads beside without, in the same round. Throws when Relua failed, mixed or was stale. */
export async function run(): Promise<Answer> {
  const tree = new Tree(modules);
  // Two modules that are always saved together: an answer with two versions has mixed them.
  const names = [tree.name(0), tree.name(1)] as const;
  const handler = ([a, b]: readonly [string, string]) =>
    `ngx.print(require("${a}").version() .. " " .. require("${b}").version())`;
  const relua = await serve({
    kind: "agent",
    // The reload is asked for: the watcher's settle window is another question.
    config: {
      ...ownFilesOnly,
      prefix: tree.prefix,
      threads: workers,
      watch: false,
      servers: serversOf({ "/": handler(names) }),
    },
  });
  const noNginx = whyNoNginx();
  const nginx = (codeCache: boolean) =>
    startNginx({
      files: { "a.lua": tree.source(0, 0), "b.lua": tree.source(1, 0) },
      locations: { "/": handler(["a", "b"]) },
      codeCache,
      workers,
    });
  const nginxes = noNginx === undefined ? [await nginx(true), await nginx(false)] : [];
  const load = new Load();
  let version = 0;
  const commit = async (floor: Floor) => {
    version++;
    for (const module of [0, 1]) tree.write(module, version);
    const reported = version;
    await relua.reload({ files: [tree.path(0), tree.path(1)] });
    // Reported: whatever is sent from now on must be answered by this version (Invariant 2).
    floor.raise(reported);
  };
  const save = (nginx: Nginx) => {
    version++;
    nginx.write({ "a.lua": tree.source(0, version) });
    nginx.write({ "b.lua": tree.source(1, version) });
  };
  try {
    const floor = new Floor();
    const ask = (order: Partial<LoadOrder>) =>
      load.run({ port: relua.port, path: "/", connections, ms: roundMs, floor: floor.memory, ...order });
    await ask({});
    for (let warm = 0; warm < 20; warm++) await commit(floor);
    const { perSecond: capacity } = await ask({});
    const perSecond = Math.round(capacity / 2);
    const [cached, uncached] = nginxes;
    const nginxFloors = [new Floor(), new Floor()] as const;
    const reloads = () => () => commit(floor);
    const subjects: Record<string, () => Promise<LoadReport>> = {
      "saturated, without": () => ask({}),
      "saturated, with": () => during(ask({}), reloads()),
      "half, without": () => ask({ perSecond }),
      "half, with": () => during(ask({ perSecond }), reloads()),
      ...(cached && {
        "HUP, without": () => ask({ port: cached.port, perSecond, floor: nginxFloors[0].memory }),
        "HUP, with": () =>
          during(ask({ port: cached.port, perSecond, floor: nginxFloors[0].memory }), async () => {
            save(cached);
            process.kill(cached.pid, "SIGHUP");
            // All that nginx tells: that the signal was sent.
            nginxFloors[0].raise(version);
          }),
      }),
      ...(uncached && {
        "cache off, without": () =>
          ask({ port: uncached.port, connections: uncachedConnections, floor: nginxFloors[1].memory }),
        "cache off, with": () =>
          during(
            ask({ port: uncached.port, connections: uncachedConnections, floor: nginxFloors[1].memory }),
            async () => {
              save(uncached);
              nginxFloors[1].raise(version);
            },
          ),
      }),
    };
    const reports = await roundRobin<string, LoadReport>(rounds, subjects);
    const ours = ["saturated", "half"].flatMap((how) => [
      ...reports[`${how}, without`]!,
      ...reports[`${how}, with`]!,
    ]);
    const wrong = count(ours);
    if (wrong.failed + wrong.stale + wrong.mixed > 0) throw new Error(`Relua: ${shown(wrong)}`);
    if (ours.every(({ versions }) => versions < 3)) throw new Error("nothing was reloaded");
    const rate = `${perSecond} requests/s`;
    const rows = [
      besideWithout("Relua, saturated (closed loop)", reports, "saturated", p99Times),
      besideWithout(`Relua, ${rate} (half of saturation)`, reports, "half", p99Times),
      ...(cached ? [besideWithout(`nginx, HUP, ${rate}`, reports, "HUP")] : []),
      ...(uncached ? [besideWithout("nginx, cache off, saturated", reports, "cache off")] : []),
      wrongRow("Relua: failed, stale or mixed", ours, { atMost: 0 }),
      ...(cached ? [wrongRow("nginx, HUP: failed, stale or mixed", reports["HUP, with"]!)] : []),
      ...(uncached
        ? [wrongRow("nginx, cache off: failed, stale or mixed", reports["cache off, with"]!)]
        : []),
    ];
    if (noNginx !== undefined)
      rows.push({ name: "nginx", ratio: Number.NaN, unit: `not measured: ${noNginx}` });
    return {
      question: `What do requests notice when 2 of ${modules} files change every ${everyMs} ms, ${workers} workers, ${connections} connections (version ${digits(version)} at the end)?`,
      rows,
    };
  } finally {
    await load.close();
    await Promise.all([relua.close(), ...nginxes.map((each) => each.end())]);
    tree.remove();
  }
}

/** Reloads every `everyMs` until the load is over; one reload at a time. */
async function during(asking: Promise<LoadReport>, reload: () => Promise<void>): Promise<LoadReport> {
  let last = Promise.resolve();
  const every = setInterval(() => {
    last = last.then(reload);
    // Awaited below, when the load is over.
    last.catch(() => {});
  }, everyMs);
  const report = await asking;
  clearInterval(every);
  await last;
  return report;
}

function besideWithout(
  name: string,
  reports: Readonly<Record<string, readonly LoadReport[]>>,
  subject: string,
  atMost?: number,
): Row {
  const [withThem, without] = [reports[`${subject}, with`]!, reports[`${subject}, without`]!];
  const of = (reports: readonly LoadReport[], key: "p50Ms" | "p99Ms" | "maxMs" | "perSecond") =>
    reports.map((report) => report[key]);
  const each = ratios(of(withThem, "p99Ms"), of(without, "p99Ms"));
  const late = withThem.reduce((sum, report) => sum + report.unanswered, 0);
  const both = (key: "p50Ms" | "p99Ms" | "maxMs" | "perSecond", digits: number) =>
    `${spread(of(withThem, key), digits)}, without ${spread(of(without, key), digits)}`;
  return {
    name: `p99: ${name}`,
    ratio: median(each),
    unit: `of p99 without (${spread(each)}): ${both("p99Ms", 2)} ms; p50 ${both("p50Ms", 2)} ms; longest ${both("maxMs", 0)} ms; ${both("perSecond", 0)} requests/s${late > 0 ? `; ${late} still waited at the end` : ""}`,
    ...(atMost !== undefined && { aim: { atMost } }),
  };
}

type Wrong = Readonly<Record<"answers" | "failed" | "stale" | "mixed", number>>;

function count(reports: readonly LoadReport[]): Wrong {
  const sum = (key: keyof Wrong) => reports.reduce((total, report) => total + report[key], 0);
  return { answers: sum("answers"), failed: sum("failed"), stale: sum("stale"), mixed: sum("mixed") };
}

function shown({ answers, failed, stale, mixed }: Wrong): string {
  return `${failed} failed, ${stale} stale and ${mixed} mixed of ${answers} requests`;
}

function wrongRow(name: string, reports: readonly LoadReport[], aim?: { readonly atMost: number }): Row {
  const wrong = count(reports);
  const versions = reports.map((report) => report.versions);
  return {
    name,
    ratio: wrong.failed + wrong.stale + wrong.mixed,
    unit: `requests: ${shown(wrong)}; ${spread(versions, 0)} versions seen in a round`,
    ...(aim && { aim }),
  };
}
