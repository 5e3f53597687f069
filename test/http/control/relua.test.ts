/** Contract §5: Relua's own calls. */

import { describe, expect, test } from "vitest";
import { ReluaError } from "../../../src/errors.ts";
import { gate, site } from "./calls.ts";
import { outcome, prefix, status } from "./fake-agent.ts";

const reloads = "/api/v1/reloads";

/** The contract's JSON of `outcome()`. */
const presented = {
  id: 12,
  outcome: "committed",
  generation: 7,
  trigger: "api",
  startedAt: "2026-01-02T03:04:05.678Z",
  durationMs: 14.2,
  stages: { scanMs: 1.3, planMs: 0, canaryMs: 10, commitMs: 0.5 },
  changes: [{ file: "apps/c.lua", kind: "changed", hash: "00ff", was: "ff00" }],
  evicted: [{ name: "a", because: ["c", "lib.b", "a"] }],
  kept: [{ name: "ffi_thing", why: "pinned" }],
  vms: [{ id: 1, appliedMs: 0.4 }],
  targets: [],
  errors: [],
  recycleRequired: [],
  diskDiffers: false,
};

describe("POST /api/v1/reloads", () => {
  test("answers with the outcome", async () => {
    const at = await site();
    const { status: code, json, headers } = await at.call("POST", reloads, { body: "{}" });
    expect(code).toBe(200);
    expect(headers["content-type"]).toBe("application/json");
    expect(json).toEqual(presented);
    expect(at.agent.reloads).toEqual([{ request: {}, trigger: "api" }]);
  });

  test("hands on what it was asked, files as absolute paths", async () => {
    const at = await site();
    const asked = { names: ["a"], all: false, force: true, dryRun: true, reason: "deploy" };
    await at.call("POST", reloads, {
      body: JSON.stringify({ ...asked, files: ["apps/x.lua", "/abs.lua", "./y"] }),
    });
    expect(at.agent.reloads[0]?.request).toEqual({
      ...asked,
      files: [`${prefix}/apps/x.lua`, "/abs.lua", `${prefix}/y`],
    });
  });

  test("no body means everything that differs", async () => {
    const at = await site();
    expect((await at.call("POST", reloads)).status).toBe(200);
    expect(at.agent.reloads[0]?.request).toEqual({});
  });

  test.each([
    ["committed", 200],
    ["recycle-required", 200],
    ["unchanged", 200],
    ["planned", 200],
    ["rejected", 422],
    ["held", 409],
  ] as const)("%s is %i, with the outcome as the body", async (kind, code) => {
    const at = await site();
    at.agent.next = async () => outcome({ outcome: kind });
    const reply = await at.call("POST", reloads, { body: "{}" });
    expect(reply.status).toBe(code);
    expect(reply.json).toEqual({ ...presented, outcome: kind });
  });

  test("a rejection names file, line, message and chain", async () => {
    const at = await site();
    const path = `${prefix}/apps/c.lua`;
    at.agent.next = async () =>
      outcome({
        outcome: "rejected",
        errors: [
          { path, line: 3, message: `${path}:3: unexpected symbol near '}'`, requiredBy: ["a", "lib.b"] },
          { path: undefined, line: undefined, message: "the canary did not start", requiredBy: [] },
        ],
      });
    expect((await at.call("POST", reloads, { body: "{}" })).json).toMatchObject({
      errors: [
        { file: "apps/c.lua", line: 3, message: "unexpected symbol near '}'", requiredBy: ["a", "lib.b"] },
        { file: null, line: null, message: "the canary did not start", requiredBy: [] },
      ],
    });
  });

  test.each([
    ['{"nmes":[]}', "input-invalid", /did you mean names/],
    ['{"names":"a"}', "input-invalid", /names: it takes a list of texts/],
    ['{"names":[1]}', "input-invalid", /names\.0: it takes texts/],
    ['{"files":["a\\u0000b"]}', "input-invalid", /without NUL/],
    ['{"force":"yes"}', "input-invalid", /force: it takes true or false/],
    ["[]", "input-invalid", /the body does not fit/],
    ["null", "input-invalid", /the body does not fit/],
    ["{", "body-invalid", /the body is no JSON/],
    ["\xff", "body-invalid", /no JSON/],
  ])("%s is refused", async (body, code, detail) => {
    const at = await site();
    const {
      status: got,
      json,
      headers,
    } = await at.call("POST", reloads, { body: Buffer.from(body, "latin1") });
    expect(got).toBe(400);
    expect(headers["content-type"]).toBe("application/problem+json");
    expect(json).toMatchObject({ status: 400, title: "Bad Request", type: "about:blank", code });
    expect((json as { detail: string }).detail).toMatch(detail);
    expect(at.agent.touched).toBe(0);
  });

  test("what the agent cannot do is a 503 with the error's code", async () => {
    const at = await site();
    at.agent.next = () => Promise.reject(new ReluaError("source-failed", "the source's thread died"));
    const { status: code, json } = await at.call("POST", reloads, { body: "{}" });
    expect(code).toBe(503);
    expect(json).toMatchObject({ code: "source-failed", detail: "the source's thread died" });
  });

  test("a bug is a 500 that says nothing of itself, and is logged", async () => {
    const at = await site();
    at.agent.next = () => Promise.reject(new Error("inner detail"));
    const { status: code, text } = await at.call("POST", reloads, { body: "{}" });
    expect(code).toBe(500);
    expect(text).not.toContain("inner detail");
    expect(at.logged.join()).toContain("inner detail");
  });
});

describe("Prefer: respond-async", () => {
  test("answers at once; the place it names tells the outcome when it is there", async () => {
    const at = await site();
    const finish = gate();
    at.agent.next = async () => {
      await finish.opened;
      return outcome();
    };
    const headers = { prefer: "wait=5, respond-async" };
    const accepted = await at.call("POST", reloads, { headers, body: "{}" });
    expect(accepted.status).toBe(202);
    expect(accepted.headers["preference-applied"]).toBe("respond-async");
    const place = String(accepted.headers.location);
    expect((await at.call("GET", place)).status).toBe(202);
    finish.open();
    expect((await at.call("GET", place)).json).toEqual(presented);
  });

  test("a failure is told to whoever asks", async () => {
    const at = await site();
    at.agent.next = () => Promise.reject(new ReluaError("source-failed", "gone"));
    const { headers } = await at.call("POST", reloads, { headers: { prefer: "respond-async" } });
    expect((await at.call("GET", String(headers.location))).json).toMatchObject({ code: "source-failed" });
  });
});

describe("history", () => {
  test("lists what happened, newest first, and each by its id", async () => {
    const at = await site();
    at.agent.history.add(outcome({ id: 1 }));
    at.agent.history.add(outcome({ id: 2, outcome: "rejected", reason: "deploy" }));
    const rejected = { ...presented, id: 2, outcome: "rejected", reason: "deploy" };
    expect((await at.call("GET", reloads)).json).toEqual([rejected, { ...presented, id: 1 }]);
    expect((await at.call("GET", `${reloads}/2`)).json).toEqual(rejected);
  });

  test("lists at most as many as asked for", async () => {
    const at = await site();
    for (const id of [1, 2, 3]) at.agent.history.add(outcome({ id }));
    const ids = async (query: string) =>
      ((await at.call("GET", reloads + query)).json as { id: number }[]).map(({ id }) => id);
    expect(await ids("?limit=2")).toEqual([3, 2]);
    expect(await ids("?limit=100")).toEqual([3, 2, 1]);
    for (const query of ["?limit=0", "?limit=-1", "?limit=x", "?limit=", "?limit=1&limit=2"])
      expect((await at.call("GET", reloads + query)).json).toMatchObject({
        code: "input-invalid",
        detail: expect.stringContaining("limit: it takes a number"),
      });
  });

  test("tells which names a change concerns", async () => {
    const at = await site();
    const changes = [{ path: `${prefix}/apps/c.lua`, kind: "changed" as const, roots: ["c"] }];
    at.agent.history.add(outcome({ id: 1, changes }));
    expect((await at.call("GET", `${reloads}/1`)).json).toMatchObject({
      changes: [{ file: "apps/c.lua", kind: "changed", roots: ["c"] }],
    });
  });

  test.each(["3", "x", "async-1", "1e0", "%31%00", "1/2", "-1", "99999999999999999999"])(
    "there is no %s",
    async (id) => {
      const at = await site();
      at.agent.history.add(outcome({ id: 1 }));
      const { status: code, json } = await at.call("GET", `${reloads}/${id}`);
      expect(code).toBe(404);
      expect(json).toMatchObject({ code: "not-found" });
    },
  );
});

describe("hold, release and rollback", () => {
  const post = async (target: string, body: object | undefined) => {
    const at = await site();
    const reply = await at.call("POST", target, { body: body && JSON.stringify(body) });
    return { at, reply };
  };

  test("hold answers who holds, why and for how long", async () => {
    const asked = { owner: "deploy", reason: "rsync", limitMs: 5000 };
    const { at, reply } = await post("/api/v1/hold", asked);
    expect(at.agent.turns).toEqual([{ call: "hold", ...asked }]);
    expect(reply.json).toEqual({
      owner: "deploy",
      reason: "rsync",
      since: "2026-01-01T00:00:00.000Z",
      endsInMs: 600_000,
    });
  });

  test("release and rollback answer with the outcome", async () => {
    const released = await post("/api/v1/release", undefined);
    expect(released.reply.json).toEqual({ ...presented, trigger: "release" });
    const back = await post("/api/v1/rollback", { generation: 3, reason: "oops" });
    expect(back.reply.json).toEqual({ ...presented, trigger: "rollback", rolledBackTo: 3 });
    expect(back.at.agent.turns).toEqual([{ call: "rollback", generation: 3, reason: "oops" }]);
  });

  test.each([
    ["/api/v1/release", {}, "rejected", 422],
    ["/api/v1/release", {}, "held", 409],
    ["/api/v1/release", {}, "unchanged", 200],
    ["/api/v1/rollback", { generation: 3 }, "rejected", 422],
    ["/api/v1/rollback", { generation: 3 }, "held", 409],
    ["/api/v1/rollback", { generation: 3 }, "unchanged", 200],
  ] as const)("%s %j that is %s answers with its outcome", async (target, body, kind, code) => {
    const at = await site();
    const hold = { owner: "ci", reason: "deploy", since: Date.UTC(2026, 0, 1), endsInMs: 5 };
    at.agent.next = async () => outcome({ outcome: kind, hold, diskDiffers: true });
    const { status: got, json } = await at.call("POST", target, { body: JSON.stringify(body) });
    expect(got).toBe(code);
    expect(json).toMatchObject({
      outcome: kind,
      diskDiffers: true,
      hold: { owner: "ci", reason: "deploy", since: "2026-01-01T00:00:00.000Z", endsInMs: 5 },
    });
  });

  test("hold without a word is in the API's name, with the agent's own limit", async () => {
    const { at, reply } = await post("/api/v1/hold", undefined);
    expect(reply.status).toBe(200);
    expect(at.agent.turns).toEqual([{ call: "hold", owner: "control API" }]);
  });

  test("a generation that is not kept is not found", async () => {
    const { reply } = await post("/api/v1/rollback", { generation: 8 });
    expect(reply.status).toBe(404);
    expect(reply.json).toMatchObject({ code: "generation-unknown" });
  });

  test.each([
    ["/api/v1/rollback", {}],
    ["/api/v1/rollback", { generation: "3" }],
    ["/api/v1/rollback", { generation: 1.5 }],
    ["/api/v1/hold", { limitMs: 0 }],
    ["/api/v1/hold", { limitMs: 86_400_001 }],
    ["/api/v1/hold", { for: "ever" }],
    ["/api/v1/release", { owner: "ci" }],
    ["/api/v1/release", { reason: 1 }],
  ])("%s %j is refused", async (target, body) => {
    const { at, reply } = await post(target, body);
    expect(reply.status).toBe(400);
    expect(at.agent.touched).toBe(0);
  });
});

describe("status", () => {
  test("shows what runs", async () => {
    const at = await site();
    expect((await at.call("GET", "/api/v1/status")).json).toEqual({
      generation: 7,
      pending: false,
      held: false,
      hold: null,
      diskDiffers: false,
      rolledBackTo: null,
      vms: [{ id: 1, state: "ready", generation: 7, inFlight: 2, modules: 3, heap: null, restarts: 0 }],
      targets: [],
      watch: {
        files: 4,
        folders: 2,
        mode: "events",
        live: true,
        roots: [
          { folder: "apps", realFolder: "/srv/releases/7/apps" },
          { folder: "lib", realFolder: null },
        ],
        missingRoots: ["lib"],
        skipped: [],
        ignored: ["node_modules", 'watch.ignore has "*.bak"'],
        sweep: { lastAt: "2026-01-02T00:00:00.000Z", costMs: 7, missed: 2 },
        reading: null,
      },
      waiting: 0,
      rejected: null,
      uptimeMs: 1234.6,
    });
  });

  test("shows who holds, and where a rollback went", async () => {
    const at = await site();
    const hold = { owner: "ci", reason: "deploy", since: Date.UTC(2026, 0, 1), endsInMs: 5 };
    at.agent.currentStatus = { ...status, held: true, hold, diskDiffers: true, rolledBackTo: 3 };
    expect((await at.call("GET", "/api/v1/status")).json).toMatchObject({
      held: true,
      hold: { owner: "ci", reason: "deploy", since: "2026-01-01T00:00:00.000Z", endsInMs: 5 },
      diskDiffers: true,
      rolledBackTo: 3,
    });
  });

  test("shows the standing rejection", async () => {
    const at = await site();
    at.agent.currentStatus = { ...status, rejected: outcome({ outcome: "rejected" }) };
    expect((await at.call("GET", "/api/v1/status")).json).toMatchObject({
      rejected: { ...presented, outcome: "rejected" },
    });
  });
});

describe("/healthz and /readyz", () => {
  const [vm] = status.vms;

  test("ready", async () => {
    const at = await site();
    expect((await at.call("GET", "/healthz")).json).toEqual({ status: "ok" });
    expect((await at.call("GET", "/readyz")).json).toEqual({ status: "ready", generation: 7 });
  });

  test.each([
    [
      "a VM boots for the first time",
      { vms: [vm!, { ...vm!, id: 2, state: "booting" as const }] },
      "VM 2 is booting",
    ],
    ["no VM serves", { vms: [{ ...vm!, state: "down" as const, restarts: 1 }] }, "no VM is ready"],
    ["the watcher is starting", { watch: { ...status.watch, live: false } }, "the watcher is not ready"],
  ])("not while %s", async (_, change, detail) => {
    const at = await site();
    at.agent.currentStatus = { ...status, ...change };
    const { status: code, json } = await at.call("GET", "/readyz");
    expect(code).toBe(503);
    expect(json).toMatchObject({ code: "not-ready", detail });
    expect((await at.call("GET", "/healthz")).status).toBe(200);
  });

  test("a VM that is being replaced is no reason, nor is a watcher that is off", async () => {
    const at = await site();
    at.agent.currentStatus = {
      ...status,
      vms: [vm!, { ...vm!, id: 2, state: "booting", restarts: 1 }],
      watch: { ...status.watch, mode: "manual", live: false },
    };
    expect((await at.call("GET", "/readyz")).status).toBe(200);
  });
});

describe("places and methods", () => {
  test.each([
    ["PUT", reloads, "POST, GET, HEAD"],
    ["DELETE", "/api/v1/reloads/1", "GET, HEAD"],
    ["POST", "/api/v1/status", "GET, HEAD"],
    ["PROPFIND", "/healthz", "GET, HEAD"],
  ])("%s %s is not allowed", async (method, target, allow) => {
    const at = await site();
    const { status: code, headers, json } = await at.call(method, target);
    expect([code, headers.allow]).toEqual([405, allow]);
    expect(json).toMatchObject({ code: "method-not-allowed" });
  });

  test.each(["/", "/api", "/api/v1", "/api/v2/status", "/api/v1/nope", "/%", "/api/v1/config%"])(
    "there is no %s",
    async (target) => {
      const at = await site();
      expect(await at.call("GET", target)).toMatchObject({ status: 404 });
    },
  );

  test("HEAD is GET without the body", async () => {
    const at = await site();
    for (const target of ["/api/v1/status", "/healthz", "/api/v1/events"]) {
      const { status: code, text } = await at.call("HEAD", target);
      expect([code, text]).toEqual([200, ""]);
    }
  });
});
