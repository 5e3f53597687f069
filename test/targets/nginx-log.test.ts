/** The agent's side of the log in nginx: gaps, outages, silence, and answers that are none. A stand-in keeps to the protocol. */

import { afterEach, describe, expect, it } from "vitest";
import type { HostTarget } from "../../src/reload/target.ts";
import { createTargets } from "../../src/targets/targets.ts";
import { until } from "../support/nginx.ts";
import { AgentSide, deliveryOf } from "./agent-side.ts";
import { HttpStandIn, type StandInRequest } from "./http-stand-in.ts";
import { NginxStandIn } from "./nginx-stand-in.ts";

const endings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

interface Posted {
  readonly agent: string;
  readonly since: number;
  readonly entries: readonly {
    readonly generation: number;
    readonly evict: readonly string[];
    readonly reasons?: object;
  }[];
}

interface Beside {
  readonly nginx: NginxStandIn;
  readonly http: HttpStandIn;
  readonly side: AgentSide;
  readonly target: HostTarget;
  readonly posts: () => readonly Posted[];
  /** Writes and commits. */
  readonly deploy: (name: string, text: string) => void;
}

async function beside(timeoutMs = 2_000, token?: string): Promise<Beside> {
  const files = new Map([
    ["a", "v1 b"],
    ["b", "v1 c"],
    ["c", "v1"],
    ["d", "v1"],
  ]);
  const nginx = new NginxStandIn("/srv", files, 2);
  const http = await HttpStandIn.start(nginx.answer);
  endings.push(() => http.close());
  const side = new AgentSide(
    Object.fromEntries([...files].map(([name, text]) => [`/srv/${name}.lua`, text])),
  );
  const [target] = createTargets(
    [{ type: "nginx", name: "nginx", url: `${http.url}/relua`, timeoutMs, ...(token && { token }) }],
    side.context,
  );
  if (!target) throw new Error("no target");
  endings.push(() => target.close());
  const isPost = ({ method }: StandInRequest) => method === "POST";
  return {
    nginx,
    http,
    side,
    target,
    posts: () => http.requests.filter(isPost).map(({ body }) => JSON.parse(body) as Posted),
    deploy: (name, text) => {
      files.set(name, text);
      side.commit({ [`/srv/${name}.lua`]: text }, [target]);
    },
  };
}

/** Waiting makes the target look now instead of at the next second. */
async function looks(target: HostTarget, condition: () => boolean): Promise<void> {
  await until(async () => {
    await target.applied(Number.MAX_SAFE_INTEGER, 10);
    return condition();
  });
}

describe("the log of nginx", () => {
  it("gets nothing where everything is as it should be", async () => {
    const { nginx, side, target, posts, http } = await beside();
    nginx.request(0, "a");
    target.start();
    expect(target.status().state).toBe("new");
    expect(await target.applied(1, 5_000)).toEqual({
      target: "nginx",
      applied: [
        { id: 1, appliedMs: 0.1 },
        { id: 2, appliedMs: 0.1 },
      ],
      missing: [],
    });
    expect(posts()).toEqual([]);
    expect(http.requests[0]?.url).toBe("/relua?reports=0");
    expect(target.status()).toMatchObject({ state: "current", generation: 1 });
    expect(side.logged).toEqual([]);
  });

  it("gets each generation with names, reasons, files and what it follows", async () => {
    const { nginx, target, posts, deploy } = await beside(2_000, "secret");
    nginx.request(0, "a");
    target.start();
    await target.applied(1, 5_000);
    deploy("c", "v2");
    expect((await target.applied(2, 5_000)).missing).toEqual([]);
    deploy("d", "v2");
    expect((await target.applied(3, 5_000)).missing).toEqual([]);
    expect(posts()).toEqual([
      {
        agent: "agent-1-1",
        since: 0,
        entries: [
          {
            generation: 2,
            evict: ["a", "b", "c"],
            reasons: { a: ["c", "b", "a"], b: ["c", "b"], c: ["c"] },
            files: [{ path: "/srv/c.lua", kind: "changed", hash: expect.stringMatching(/^[0-9a-f]{16}$/) }],
            recycle: [],
            pinned: [],
          },
        ],
      },
      { agent: "agent-1-1", since: 2, entries: [expect.objectContaining({ generation: 3, evict: ["d"] })] },
    ]);
  });

  it("carries the token", async () => {
    const { target, http } = await beside(2_000, "secret");
    target.start();
    await target.applied(1, 5_000);
    expect(http.requests.map(({ headers }) => headers.authorization)).toEqual(
      http.requests.map(() => "Bearer secret"),
    );
  });

  it("that has a gap is begun anew, and what was not proved is in the first entry", async () => {
    const { nginx, side, target, posts, deploy } = await beside();
    target.start();
    deploy("c", "v2");
    await target.applied(2, 5_000);
    for (const worker of [0, 1]) nginx.request(worker, "a");
    // The dict is emptied, and before anybody looks there is the next generation.
    nginx.loseLog();
    side.commit({}, [target], ["d"]);
    expect((await target.applied(3, 5_000)).missing).toEqual([]);
    const last = posts().at(-1);
    expect(last).toMatchObject({ agent: "agent-1-2", since: 0, entries: [{ generation: 3, evict: ["d"] }] });
    expect(nginx.wrong).toEqual([]);
    expect(target.status().state).toBe("current");
  });

  it("that has a gap though its log is as long as before is begun anew", async () => {
    const { nginx, side, target, posts, deploy } = await beside();
    target.start();
    deploy("c", "v2");
    await target.applied(2, 5_000);
    for (const worker of [0, 1]) nginx.request(worker, "d");
    const before = nginx.instances("d");
    nginx.loseLog();
    const entries = [1, 2, 3].map((generation) => ({ generation, evict: [] }));
    const body = JSON.stringify({ agent: "another", since: 0, entries });
    nginx.answer({ method: "POST", url: "/relua", headers: {}, body });
    side.commit({}, [target], ["d"]);
    expect((await target.applied(3, 5_000)).missing).toEqual([]);
    expect(posts().at(-1)).toMatchObject({ agent: "agent-1-2", since: 0, entries: [{ generation: 3 }] });
    expect(nginx.instances("d").some((instance) => before.includes(instance))).toBe(false);
  });

  it("that is another one than before is begun anew at rest", async () => {
    const { nginx, target, deploy } = await beside();
    target.start();
    deploy("c", "v2");
    await target.applied(2, 5_000);
    nginx.restart();
    const pids = () => target.status().workers.map(({ pid, generation }) => [pid, generation]);
    await looks(target, () => pids().every(([, generation]) => generation === 2) && pids()[0]?.[0] === 103);
    expect(pids()).toEqual([
      [103, 2],
      [104, 2],
    ]);
    deploy("c", "v3");
    expect((await target.applied(3, 5_000)).missing).toEqual([]);
  });

  it("gets dependents that workers loaded and told of after the plan was made", async () => {
    const { nginx, side, target, posts } = await beside();
    target.start();
    await target.applied(1, 5_000);
    nginx.files.set("c", "v2");
    side.onDisk({ "/srv/c.lua": "v2" });
    const plan = side.deliveryOf([{ path: "/srv/c.lua", kind: "changed", hash: "now", was: "before" }]);
    expect(plan.evict).toEqual([]);
    nginx.files.set("c", "v1");
    nginx.request(0, "a");
    nginx.files.set("c", "v2");
    // It has heard of them, and has said so.
    await looks(target, () => side.graph.module("a")?.vms.size === 1);
    await target.applied(Number.MAX_SAFE_INTEGER, 50);
    side.activate(plan, [target]);
    expect((await target.applied(2, 5_000)).missing).toEqual([]);
    expect(posts()[0]?.entries[0]?.evict).toEqual(["a", "b", "c"]);
    expect(nginx.wrong).toEqual([]);
  });

  it("that cannot be reached is tried again by itself, told of once, and gets all of it in order when it is back", async () => {
    const { nginx, http, side, target, posts, deploy } = await beside();
    nginx.request(0, "a");
    target.start();
    await target.applied(1, 5_000);
    await http.close();
    for (let version = 2; version <= 6; version++) deploy("c", `v${version}`);
    expect(await target.applied(6, 100)).toMatchObject({
      applied: [],
      missing: ["worker 0 (pid 101)", "worker 1 (pid 102)"],
      error: expect.stringContaining("ECONNREFUSED"),
    });
    expect(target.status()).toMatchObject({ state: "down", generation: 1 });
    await http.open();
    await until(() => target.status().state === "current");
    expect(posts()).toEqual([
      expect.objectContaining({
        since: 0,
        entries: [2, 3, 4, 5, 6].map((generation) => expect.objectContaining({ generation })),
      }),
    ]);
    expect(nginx.wrong).toEqual([]);
    expect(side.logged).toEqual([
      expect.stringMatching(/^warn: target nginx: .*ECONNREFUSED/),
      expect.stringMatching(/^notice: target nginx: works again after \d+ failures? in [\d.]+ s$/),
    ]);
  });

  it("that was never reached is missing by its own name", async () => {
    const { http, target } = await beside();
    await http.close();
    target.start();
    expect(await target.applied(1, 100)).toMatchObject({ applied: [], missing: ["nginx"] });
  });

  it.each([
    ["never", /no answer within 200 ms/],
    ["reset", /ECONNRESET|hang up/],
    ["half", /aborted|breaks off|hang up/],
    ["garbage", /Parse Error/],
    [{ status: 500, body: "oops" }, /^HTTP 500$/],
    [{ status: 404, body: "<html>" }, /no location of nginx answers/],
    [
      { status: 413, body: '{"code":"too-large","message":"an entry is too large for the lua_shared_dict"}' },
      /HTTP 413: an entry is too large/,
    ],
    [{ status: 413, body: "<html>" }, /client_max_body_size/],
    [
      { status: 503, body: '{"code":"not-started","message":"init_worker() has not run"}' },
      /init_worker\(\) has not run/,
    ],
    [{ status: 200, body: "{}" }, /not an answer of resty\.relua \(version/],
    [{ status: 200, body: '{"version":2,"sequence":1,"workers":[],"reportSequence":0}' }, /version/],
    [{ status: 200, body: "" }, /not an answer/],
  ] as const)("that answers %j is down until it answers well", async (fault, error) => {
    const { nginx, http, target, deploy } = await beside(200);
    nginx.request(0, "a");
    target.start();
    await target.applied(1, 5_000);
    http.fault = fault;
    deploy("c", "v2");
    await until(() => target.status().state === "down");
    expect(target.status().error).toMatch(error);
    http.fault = undefined;
    expect((await target.applied(2, 10_000)).missing).toEqual([]);
    expect(nginx.wrong).toEqual([]);
  });

  it("may have empty lists as {}, as Lua writes them", async () => {
    const { nginx, http, target } = await beside();
    http.fault = (request) => {
      const { body } = nginx.answer(request);
      return { status: 200, body: body.replaceAll("[]", "{}") };
    };
    target.start();
    expect((await target.applied(1, 5_000)).missing).toEqual([]);
  });

  it("does not wait for a worker that gives no sign of life beside others that do", async () => {
    const { nginx, http, side, target, deploy } = await beside();
    nginx.request(1, "a");
    target.start();
    await target.applied(1, 5_000);
    await looks(target, () => side.graph.module("a")?.vms.has(2) === true);
    http.fault = (request) => {
      const answer = nginx.answer(request);
      const status = JSON.parse(answer.body);
      status.workers[0].seenAt = 10_002;
      return { status: 200, body: JSON.stringify(status) };
    };
    deploy("c", "v2");
    expect(await target.applied(2, 5_000)).toEqual({
      target: "nginx",
      applied: [{ id: 1, appliedMs: 0.1 }],
      missing: [],
    });
    expect(side.graph.module("a")?.vms.size ?? 0).toBe(0);
  });

  it("gets bodies that it can take: large batches go entry by entry, without the reasons", async () => {
    const { http, target, posts } = await beside();
    target.start();
    await target.applied(1, 5_000);
    await http.close();
    for (let generation = 2; generation <= 4; generation++) {
      const names = Array.from({ length: 10_000 }, (_, n) => `${"long.".repeat(20)}m${generation}.${n}`);
      target.commit(deliveryOf(generation, { evicted: names.map((name) => ({ name, because: [name] })) }));
    }
    await http.open();
    expect((await target.applied(4, 10_000)).missing).toEqual([]);
    expect(posts().map(({ since, entries }) => [since, entries.map(({ generation }) => generation)])).toEqual(
      [
        [0, [2]],
        [2, [3]],
        [3, [4]],
      ],
    );
    expect(posts().every(({ entries }) => entries.every(({ reasons }) => reasons === undefined))).toBe(true);
  });

  it("is left alone after close, whatever was under way; waiting ends with what is known", async () => {
    const { http, target, deploy } = await beside(60_000);
    target.start();
    await target.applied(1, 5_000);
    http.fault = "never";
    deploy("c", "v2");
    const before = http.requests.length;
    await until(() => http.requests.length > before);
    const report = target.applied(2, 60_000);
    await target.close();
    expect(await report).toMatchObject({
      applied: [],
      missing: ["worker 0 (pid 101)", "worker 1 (pid 102)"],
    });
    const { length } = http.requests;
    deploy("c", "v3");
    expect(await target.applied(3, 60_000)).toMatchObject({ applied: [] });
    expect(http.requests).toHaveLength(length);
  });

  it("may be closed before it was started", async () => {
    const { target, deploy, http } = await beside();
    deploy("c", "v2");
    await target.close();
    expect(http.requests).toEqual([]);
  });
});
