/** The commands of those who deploy: history, rollback, hold, release and the dry run; what they ask, what they print. */

import { hostname, userInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { folderWith, relua } from "./relua.ts";
import { result, standInAgent } from "./stand-in-agent.ts";

const at = (url: string) => ({ cwd: folderWith(), env: { RELUA_URL: url } });
const hold = { owner: "ci", reason: "deploy 42", since: Date.UTC(2026, 0, 2, 14, 0), endsInMs: 599_000 };
const presentedHold = { ...hold, since: "2026-01-02T14:00:00.000Z" };
const rejection = {
  outcome: "rejected" as const,
  generation: 3,
  errors: [{ path: "/srv/apps/c.lua", line: 3, message: "/srv/apps/c.lua:3: boom", requiredBy: ["a"] }],
};

describe("history", () => {
  it("prints one line for each outcome, in the order of the answer", async () => {
    const { url, asked } = await standInAgent({
      body: [
        result({ id: 9, trigger: "rollback", rolledBackTo: 2, generation: 5, diskDiffers: true }),
        result({ ...rejection, id: 8 }),
        result({ trigger: "watch" }),
      ],
    });
    expect(await relua(["history"], at(url))).toEqual({
      code: 0,
      out: [
        "2026-01-02T14:03:12.000Z #9 generation 5 (rollback to generation 2): apps/c.lua changed → 1 module evicted (c), 2 VMs in 12 ms",
        "2026-01-02T14:03:12.000Z #8 rejected (api): apps/c.lua changed; still running generation 3",
        "2026-01-02T14:03:12.000Z #7 generation 4: apps/c.lua changed → 1 module evicted (c), 2 VMs in 12 ms",
        "",
      ].join("\n"),
      err: "",
    });
    expect(asked).toMatchObject([{ method: "GET", url: "/api/v1/reloads?limit=20" }]);
  });

  it("asks for as many as -n says", async () => {
    const { url, asked } = await standInAgent({ body: [] });
    expect((await relua(["history", "-n", "3"], at(url))).out).toBe(
      "nothing was committed or rejected since the start\n",
    );
    expect(asked[0]?.url).toBe("/api/v1/reloads?limit=3");
  });

  it("tells everything about one", async () => {
    const { url, asked } = await standInAgent({
      body: result({
        changes: [{ path: "/srv/apps/c.lua", kind: "changed", hash: "b", was: "a", roots: ["c"] }],
        evicted: [
          { name: "a", because: ["c", "a"] },
          { name: "c", because: ["c"] },
        ],
        kept: [{ name: "ffi", why: "pinned; stale holder of c" }],
      }),
    });
    const { code, out } = await relua(["history", "7"], at(url));
    expect(out.split("\n")).toEqual([
      expect.stringMatching(/^2026-01-02T14:03:12.000Z #7 generation 4/),
      "changes:",
      "    apps/c.lua changed, of c",
      "evicted 2 modules:",
      "    apps/c.lua changed → c → a",
      "kept:",
      "    ffi: pinned; stale holder of c",
      "VMs:",
      "    VM 1 in 1.0 ms",
      "    VM 2 in 1.0 ms",
      "stages:",
      "    scan 1.0 ms, plan 1.0 ms, canary 1.0 ms, commit 1.0 ms; 12 ms from end to end",
      "",
    ]);
    expect(code).toBe(0);
    expect(asked[0]?.url).toBe("/api/v1/reloads/7");
    expect((await relua(["history", "#7"], at(url))).out).toBe(out);
  });

  it("exits 1 for one that is not there", async () => {
    const { url } = await standInAgent({
      status: 404,
      type: "application/problem+json",
      body: { code: "not-found", detail: "the history has no reload 8" },
    });
    expect(await relua(["history", "8"], at(url))).toMatchObject({
      code: 1,
      err: "relua: the agent refused (not-found): the history has no reload 8\n",
    });
  });

  it("prints the answer as it came with --json, list or single", async () => {
    const one = result({});
    const list = await standInAgent({ body: [one] });
    expect(JSON.parse((await relua(["history", "--json"], at(list.url))).out)).toEqual([one]);
    const single = await standInAgent({ body: one });
    expect(JSON.parse((await relua(["history", "7", "--json"], at(single.url))).out)).toEqual(one);
  });
});

describe("rollback", () => {
  const back = { trigger: "rollback" as const, rolledBackTo: 2, generation: 5 };

  it("asks for the generation, and says how long it stands", async () => {
    const { url, asked } = await standInAgent({
      body: result({ ...back, reason: "oops", diskDiffers: true }),
    });
    expect(await relua(["rollback", "2", "--reason", "oops"], at(url))).toEqual({
      code: 0,
      out:
        "2026-01-02T14:03:12.000Z #7 generation 5 (rollback to generation 2: oops): apps/c.lua changed → " +
        "1 module evicted (c), 2 VMs in 12 ms\n" +
        "    it stands until the disk changes; the disk differs from it\n",
      err: "",
    });
    expect(asked).toEqual([
      {
        method: "POST",
        url: "/api/v1/rollback",
        authorization: undefined,
        body: { generation: 2, reason: "oops" },
      },
    ]);
  });

  it("says so when the disk is the same", async () => {
    const { url } = await standInAgent({ body: result(back) });
    expect((await relua(["rollback", "2"], at(url))).out).toContain(
      "until the disk changes; the disk is the same",
    );
  });

  it("exits 0 when that is what runs already", async () => {
    const { url } = await standInAgent({ body: result({ ...back, outcome: "unchanged" }) });
    const { code, out } = await relua(["rollback", "5"], at(url));
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining("unchanged") });
    expect(out).not.toContain("stands");
  });

  it("exits 1 when it is rejected, held, or unknown", async () => {
    const rejected = await standInAgent({ status: 422, body: result({ ...back, ...rejection }) });
    expect(await relua(["rollback", "2"], at(rejected.url))).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringMatching(/rejected \(rollback to generation 2\).*\n {4}apps\/c.lua:3: boom/),
    });
    const held = await standInAgent({ status: 409, body: result({ ...back, outcome: "held", hold }) });
    expect(await relua(["rollback", "2"], at(held.url))).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        "held (rollback to generation 2) by ci: deploy 42; nothing is reloaded until the release",
      ),
    });
    const unknown = await standInAgent({
      status: 404,
      type: "application/problem+json",
      body: { code: "generation-unknown", detail: "generation 9 is not kept; there are 1 to 5" },
    });
    expect(await relua(["rollback", "9"], at(unknown.url))).toMatchObject({
      code: 1,
      err: "relua: the agent refused (generation-unknown): generation 9 is not kept; there are 1 to 5\n",
    });
  });
});

describe("hold", () => {
  it("asks in the name of user@host, and says until when", async () => {
    const { url, asked } = await standInAgent({ body: presentedHold });
    expect(await relua(["hold"], at(url))).toEqual({
      code: 0,
      out: "changes are held by ci: deploy 42, until relua release, for 9 min at most\n",
      err: "",
    });
    expect(asked).toEqual([
      {
        method: "POST",
        url: "/api/v1/hold",
        authorization: undefined,
        body: { owner: `${userInfo().username}@${hostname()}` },
      },
    ]);
  });

  it.each<[string, number]>([
    ["90s", 90_000],
    ["250", 250],
  ])("takes an owner, a reason and a limit of %s", async (limit, limitMs) => {
    const { url, asked } = await standInAgent({ body: presentedHold });
    await relua(["hold", "--owner", "ci", "--reason", "deploy 42", "--limit", limit], at(url));
    expect(asked[0]?.body).toEqual({ owner: "ci", reason: "deploy 42", limitMs });
  });

  it("prints the answer as it came with --json", async () => {
    const { url } = await standInAgent({ body: presentedHold });
    expect(JSON.parse((await relua(["hold", "--json"], at(url))).out)).toEqual(presentedHold);
  });
});

describe("release", () => {
  it("prints the outcome, and whose hold is over", async () => {
    const { url, asked } = await standInAgent({
      body: result({ trigger: "release", reason: "copied", hold }),
    });
    expect(await relua(["release", "--reason", "copied"], at(url))).toEqual({
      code: 0,
      out:
        "2026-01-02T14:03:12.000Z #7 generation 4 (release: copied): apps/c.lua changed → 1 module evicted (c), 2 VMs in 12 ms\n" +
        "    the hold of ci: deploy 42 is over\n",
      err: "",
    });
    expect(asked).toMatchObject([{ url: "/api/v1/release", body: { reason: "copied" } }]);
  });

  it("says when nobody held", async () => {
    const { url, asked } = await standInAgent({
      body: result({ trigger: "release", outcome: "unchanged", changes: [], evicted: [] }),
    });
    const { code, out } = await relua(["release"], at(url));
    expect(out.split("\n").slice(0, 2)).toEqual([
      expect.stringContaining("unchanged (release): nothing differs from generation 4"),
      "    nobody held",
    ]);
    expect(code).toBe(0);
    expect(asked[0]?.body).toEqual({});
  });

  it("exits 1 when what was held does not load", async () => {
    const { url } = await standInAgent({
      status: 422,
      body: result({ ...rejection, trigger: "release", hold, diskDiffers: true }),
    });
    expect(await relua(["release"], at(url))).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringMatching(
        /rejected.*\n {4}apps\/c.lua:3: boom\n.*\n {4}the hold of ci: deploy 42 is over\n/,
      ),
    });
  });
});

describe("reload --dry-run", () => {
  const planned = result({
    outcome: "planned",
    changes: [
      { path: "/srv/apps/c.lua", kind: "changed", hash: "b", was: "a", roots: ["c"] },
      { path: "/srv/apps/new.lua", kind: "added", hash: "n", roots: [] },
    ],
    evicted: [
      { name: "a", because: ["c", "lib.b", "a"] },
      { name: "lib.b", because: ["c", "lib.b"] },
      { name: "c", because: ["c"] },
    ],
    kept: [
      { name: "ffi_thing", why: "pinned; stale holder of c" },
      { name: "new", why: "not loaded" },
    ],
  });

  it("prints the plan: the file that each chain begins with, and why the others are kept", async () => {
    const { url } = await standInAgent({ body: planned });
    expect(await relua(["reload", "--dry-run"], at(url))).toEqual({
      code: 0,
      out: [
        "plan: 2 files differ from generation 4, 3 modules to evict; nothing was done",
        "    apps/c.lua changed → c → lib.b → a",
        "    apps/new.lua added: no loaded module concerned",
        "kept:",
        "    ffi_thing: pinned; stale holder of c",
        "    new: not loaded",
        "",
      ].join("\n"),
      err: "",
    });
  });

  it("prints the answer as it came with --json", async () => {
    const { url } = await standInAgent({ body: planned });
    expect(JSON.parse((await relua(["reload", "--dry-run", "--json"], at(url))).out)).toEqual(planned);
  });
});
