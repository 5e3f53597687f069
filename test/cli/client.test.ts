/** The commands that talk to a running agent: how they find it, what they ask, what they make of the answer. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { debianProgram, itWithDebian } from "../debian.ts";
import { builtMain, folderWith, freePort, relua } from "./relua.ts";
import { result, standInAgent } from "./stand-in-agent.ts";

const at = (url: string, env: Readonly<Record<string, string>> = {}) => ({
  cwd: folderWith(),
  env: { RELUA_URL: url, ...env },
});

describe("finding the agent", () => {
  const status = {
    generation: 3,
    pending: false,
    held: false,
    vms: [],
    watch: { files: 1, folders: 1, mode: "events" },
  };
  const configFor = (listen: string, token = "") =>
    `export default { control: { listen: ${JSON.stringify(listen)}, token: ${JSON.stringify(token)} } };`;

  it("takes --url, else RELUA_URL, else control.listen of the config file", async () => {
    const [byOption, byEnv, byFile] = await Promise.all(
      [1, 2, 3].map((generation) => standInAgent({ body: { ...status, generation } })),
    );
    const cwd = folderWith({ "watch.config.ts": configFor(byFile!.host) });
    const env = { RELUA_URL: byEnv!.url };
    expect((await relua(["status", "--url", byOption!.host], { cwd, env })).out).toMatch(/^generation 1\n/);
    expect((await relua(["status"], { cwd, env })).out).toMatch(/^generation 2\n/);
    expect((await relua(["status"], { cwd })).out).toMatch(/^generation 3\n/);
  });

  it("takes the file that -c names", async () => {
    const { host } = await standInAgent({ body: status });
    const cwd = folderWith({ "deploy/relua.ts": configFor(host) });
    expect((await relua(["status", "-c", "deploy/relua.ts"], { cwd })).code).toBe(0);
  });

  it("keeps a path in the address", async () => {
    const { url, asked } = await standInAgent({ body: status });
    await relua(["status"], at(`${url}/agents/1`));
    expect(asked[0]?.url).toBe("/agents/1/api/v1/status");
  });

  it("sends RELUA_TOKEN, and the file's own token to the file's own address only", async () => {
    const { url, host, asked } = await standInAgent({ body: status });
    const cwd = folderWith({ "watch.config.ts": configFor(host, "from-file") });
    await relua(["status"], { cwd, env: { RELUA_TOKEN: "from-env" } });
    await relua(["status"], { cwd });
    await relua(["status"], { cwd, env: { RELUA_URL: url } });
    expect(asked.map(({ authorization }) => authorization)).toEqual([
      "Bearer from-env",
      "Bearer from-file",
      undefined,
    ]);
  });

  it.each<[string, string, RegExp]>([
    ["no file", "", /^watch.config.ts: there is no such file .*relua init/],
    ["a wrong file", "export default { threads: 0 };", /^watch.config.ts: threads is 0; it takes/],
    ["a port that the system chose", configFor("127.0.0.1:0"), /leaves the port to the system.*--url/],
  ])("exits 2 with %s", async (_title, text, message) => {
    const { code, err } = await relua(["status"], {
      cwd: folderWith(text === "" ? {} : { "watch.config.ts": text }),
    });
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });
});

describe("an agent that does not answer", () => {
  it("is named, with who named it and what to do", async () => {
    const port = await freePort();
    const cwd = folderWith({
      "watch.config.ts": `export default { control: { listen: "127.0.0.1:${port}" } };`,
    });
    for (const command of [["status"], ["reload"], ["clean", "a"]]) {
      const { code, out, err } = await relua(command, { cwd });
      expect(err).toBe(
        `relua: no agent answers at http://127.0.0.1:${port} (control.listen of watch.config.ts): ` +
          "nothing listens there\n    start one with relua serve, or name another address with --url\n",
      );
      expect({ code, out }).toEqual({ code: 1, out: "" });
    }
  });

  it("is told from another program that does", async () => {
    const { url } = await standInAgent({ status: 404, type: "text/html", body: "<h1>nginx</h1>" });
    const { code, err } = await relua(["status"], at(url));
    expect(err).toMatch(/^relua: what answers at .*\/api\/v1\/status \(RELUA_URL\) is no agent: status 404/);
    expect(code).toBe(1);
  });

  it("is told from one that answers something else", async () => {
    const { url } = await standInAgent({ body: { hello: 1 } });
    const { code, err } = await relua(["status"], at(url));
    expect(err).toBe('relua: the answer is not a status: {"hello":1}\n');
    expect(code).toBe(1);
  });
});

describe("a refusal", () => {
  it("is told with the agent's reason, its code, and what to do about a token", async () => {
    const { url } = await standInAgent({
      status: 401,
      type: "application/problem+json",
      body: { type: "about:blank", title: "Unauthorized", code: "token-required", detail: "no token" },
    });
    const { code, err } = await relua(["reload"], at(url));
    expect(err).toBe(
      "relua: the agent refused (token-required): no token\n    set RELUA_TOKEN to the agent's control.token\n",
    );
    expect(code).toBe(1);
  });
});

describe("reload", () => {
  it.each<[readonly string[], unknown]>([
    [["reload"], {}],
    [["reload", "a", "b.c"], { names: ["a", "b.c"] }],
    [["reload", "007"], { names: ["007"] }],
    [["reload", "--all", "--reason", "deploy 42"], { all: true, reason: "deploy 42" }],
    [["reload", "a", "--force", "--dry-run"], { names: ["a"], force: true, dryRun: true }],
  ])("%j asks for %j", async (args, body) => {
    const { url, asked } = await standInAgent({ body: result({}) });
    expect((await relua(args, at(url))).code).toBe(0);
    expect(asked).toEqual([{ method: "POST", url: "/api/v1/reloads", authorization: undefined, body }]);
  });

  it("prints the report of a commit", async () => {
    const { url } = await standInAgent({ body: result({}) });
    expect(await relua(["reload"], at(url))).toEqual({
      code: 0,
      out: "2026-01-02T14:03:12.000Z #7 generation 4 (api): apps/c.lua changed → 1 module evicted (c), 2 VMs in 12 ms\n",
      err: "",
    });
  });

  it("exits 1 when the change set was rejected, with the reasons on stderr", async () => {
    const { url } = await standInAgent({
      status: 422,
      body: result({
        outcome: "rejected",
        generation: 3,
        errors: [
          { path: "/srv/apps/c.lua", line: 3, message: "/srv/apps/c.lua:3: boom", requiredBy: ["a"] },
          { path: undefined, line: undefined, message: "no place", requiredBy: [] },
        ],
      }),
    });
    expect(await relua(["reload"], at(url))).toEqual({
      code: 1,
      out: "",
      err:
        "2026-01-02T14:03:12.000Z #7 rejected (api): apps/c.lua changed; still running generation 3\n" +
        "    apps/c.lua:3: boom\n        required by a → apps/c.lua\n    no place\n",
    });
  });

  it("exits 1 while changes are held", async () => {
    const { url } = await standInAgent({ status: 409, body: result({ outcome: "held" }) });
    expect(await relua(["reload"], at(url))).toMatchObject({ code: 1, err: expect.stringContaining("held") });
  });

  it("prints the answer as it came with --json, and exits the same", async () => {
    const rejected = result({ outcome: "rejected" });
    const { url } = await standInAgent({ status: 422, body: rejected });
    const { code, out } = await relua(["reload", "--json"], at(url));
    expect(JSON.parse(out)).toEqual(rejected);
    expect(code).toBe(1);
  });

  itWithDebian(
    "colours on a terminal, but not under NO_COLOR",
    [debianProgram("script", "bsdutils")],
    async (script) => {
      const { url } = await standInAgent({ body: result({}) });
      const command = [process.execPath, builtMain, "reload", "--url", url].join(" ");
      const onTerminal = async (env: Readonly<Record<string, string>>) => {
        const { FORCE_COLOR, NO_COLOR, ...clean } = process.env;
        const options = { env: { ...clean, TERM: "xterm", ...env } };
        return (await promisify(execFile)(script!, ["-qec", command, "/dev/null"], options)).stdout;
      };
      expect(await onTerminal({})).toMatch(/^\S+\d\d:\d\d:\d\d #7\S+ \S+32mgeneration 4/);
      expect(await onTerminal({ NO_COLOR: "1" })).toMatch(/^\d\d:\d\d:\d\d #7 generation 4 \(api\): apps/);
    },
  );

  it("colours where it is asked to", async () => {
    const { url } = await standInAgent({ body: result({}) });
    expect((await relua(["reload"], at(url, { FORCE_COLOR: "1" }))).out).toContain("\u001b[32mgeneration 4");
    expect((await relua(["reload"], at(url))).out).not.toContain("\u001b");
  });
});

describe("clean", () => {
  it("makes NJet's call", async () => {
    const { url, asked } = await standInAgent({
      body: { code: 0, msg: "success.", generation: 5, evicted: [{ name: "a", because: ["a"] }], vms: [] },
    });
    expect(await relua(["clean", "a", "b.c"], at(url))).toEqual({
      code: 0,
      out: "success. 1 module evicted, generation 5\n",
      err: "",
    });
    expect(asked).toEqual([
      {
        method: "PUT",
        url: "/api/v1/config/http_lua_package_clean",
        authorization: undefined,
        body: ["a", "b.c"],
      },
    ]);
  });

  it("exits 1 for anything but success, and says why", async () => {
    const partial = await standInAgent({
      body: { data: ["string is built in and was kept"], code: 1, msg: "partial success." },
    });
    expect(await relua(["clean", "string"], at(partial.url))).toEqual({
      code: 1,
      out: "",
      err: "relua: partial success.\n    string is built in and was kept\n",
    });
    const failed = await standInAgent({ body: { code: 4, msg: "apps/c.lua:3: boom\napps/d.lua:4: boom" } });
    expect(await relua(["clean", "c"], at(failed.url))).toMatchObject({
      code: 1,
      err: "relua: apps/c.lua:3: boom\n    apps/d.lua:4: boom\n",
    });
  });
});

describe("status", () => {
  const status = {
    generation: 4,
    pending: true,
    held: true,
    hold: { owner: "ci", reason: "deploy 42", since: "2026-01-02T14:03:12.000Z", endsInMs: 599_000 },
    diskDiffers: true,
    vms: [
      { id: 1, state: "ready", generation: 4, inFlight: 0, modules: 12, heap: 21_000_000, restarts: 0 },
      { id: 2, state: "draining", generation: 3, inFlight: 10, modules: 1, heap: null, restarts: 1 },
    ],
    watch: {
      files: 1200,
      folders: 3,
      mode: "sweep",
      missingRoots: ["apps2"],
      skipped: [{ file: "x", reason: "FIFO" }],
    },
    rejected: result({
      outcome: "rejected",
      errors: [{ path: "/srv/c.lua", line: 3, message: "boom", requiredBy: [] }],
    }),
    uptimeMs: 7_500_000,
  };

  it("shows what runs", async () => {
    const { url } = await standInAgent({ body: status });
    expect(await relua(["status"], at(url))).toEqual({
      code: 0,
      out: [
        "generation 4, a change is on its way, up 2 h 5 min",
        "the disk differs from what runs (rejected, held)",
        "changes are held by ci: deploy 42, since 2026-01-02T14:03:12.000Z, for another 9 min",
        "  VM 1  ready     generation 4  0 in flight   12 modules  20.0 MB",
        "  VM 2  draining  generation 3  10 in flight  1 module             1 restart",
        "1,200 files watched in 3 folders by frequent sweeps",
        "  apps2 does not exist; watched until it appears",
        "  x is skipped: FIFO",
        "what is on disk does not load:",
        "2026-01-02T14:03:12.000Z #7 rejected (api): apps/c.lua changed; still running generation 4",
        "    c.lua:3: boom",
        "",
      ].join("\n"),
      err: "",
    });
  });

  it("says how many requests wait for a VM", async () => {
    const { url } = await standInAgent({ body: { ...status, waiting: 3 } });
    expect((await relua(["status"], at(url))).out).toContain(
      "\n  3 requests waiting: every VM has all it takes\n",
    );
  });

  describe("of the watching", () => {
    const watching = {
      ...status.watch,
      mode: "events",
      live: true,
      missingRoots: ["apps2"],
      skipped: [],
      roots: [
        { folder: "apps", realFolder: "apps" },
        { folder: "current/lib", realFolder: "releases/7/lib" },
        { folder: "apps2", realFolder: null },
      ],
      ignored: ["names that start with a dot", "node_modules", "a", "b", "c"],
      sweep: { lastAt: "2026-01-02T14:03:12.000Z", costMs: 7.04, missed: 0 },
    };
    const linesOf = async (watch: object) => {
      const { url } = await standInAgent({ body: { ...status, rejected: null, watch } });
      const { out } = await relua(["status"], at(url));
      const lines = out.trimEnd().split("\n");
      return lines.slice(lines.findIndex((line) => line.startsWith("1,200 files")));
    };

    it("shows where, how the last sweep went, and what is ignored", async () => {
      expect(await linesOf(watching)).toEqual([
        "1,200 files watched in 3 folders",
        "  apps, current/lib → releases/7/lib",
        "  apps2 does not exist; watched until it appears",
        "  last sweep 2026-01-02T14:03:12.000Z, 7.0 ms; events have told of every change so far",
        "  ignored: names that start with a dot, node_modules, a … and 2 more",
      ]);
    });

    it("says how far a long pass over the disk has come", async () => {
      const lines = await linesOf({ ...watching, reading: { filesDone: 40_000, filesTotal: 100_000 } });
      expect(lines).toContain("  reading 40,000 of 100,000 files");
    });

    it("says when it is not ready, and when it has missed changes", async () => {
      const lines = await linesOf({ ...watching, live: false, sweep: { ...watching.sweep, missed: 3 } });
      expect(lines).toContain("  the watcher is starting: changes may go unnoticed until it is ready");
      expect(lines).toContain(
        "  last sweep 2026-01-02T14:03:12.000Z, 7.0 ms; sweeps have found 3 changes that no event told of",
      );
    });

    it("says nothing of a watcher where there is none", async () => {
      const lines = await linesOf({
        ...watching,
        mode: "manual",
        live: false,
        missingRoots: [],
        sweep: { lastAt: null, costMs: 0, missed: 0 },
      });
      expect(lines).toEqual([
        "1,200 files in 3 folders, not watched",
        "  apps, current/lib → releases/7/lib",
        "  ignored: names that start with a dot, node_modules, a … and 2 more",
      ]);
    });
  });

  it("shows the hosts beside the agent, and which of their workers are behind", async () => {
    const worker = (name: string, generation: number | null) => ({
      id: 3,
      worker: name,
      pid: 1,
      generation,
      modules: 1,
      errors: [],
    });
    const targets = [
      {
        name: "nginx",
        type: "nginx",
        state: "behind",
        generation: 3,
        acknowledges: true,
        workers: [worker("0", 4), worker("1", 3), worker("2", null)],
        error: null,
      },
      {
        name: "edge",
        type: "njet",
        state: "current",
        generation: 4,
        acknowledges: false,
        workers: [],
        error: null,
      },
      {
        name: "a command",
        type: "command",
        state: "down",
        generation: null,
        acknowledges: true,
        workers: [],
        error: "exit 1",
      },
    ];
    const { url } = await standInAgent({ body: { ...status, vms: [], targets } });
    const { out } = await relua(["status"], at(url));
    expect(out.split("\n").slice(3, 7)).toEqual([
      "  nginx      nginx    behind   generation 3   3 workers                   behind: 1, 2",
      "  edge       njet     current  generation 4   workers do not acknowledge",
      "  a command  command  down     no generation  0 workers",
      "    exit 1",
    ]);
  });

  it.each<[string, object, string | undefined]>([
    ["after a rollback", { rolledBackTo: 2 }, "the disk differs from what runs (rollback to generation 2)"],
    ["for no known reason", { rolledBackTo: null }, "the disk differs from what runs"],
    ["after a rollback to what is on disk", { rolledBackTo: 2, diskDiffers: false }, undefined],
  ])("says why the disk differs: %s", async (_title, change, line) => {
    const quiet = { ...status, held: false, hold: null, rejected: null };
    const { url } = await standInAgent({ body: { ...quiet, ...change } });
    const { out } = await relua(["status"], at(url));
    expect(out.split("\n").find((each) => each.includes("disk"))).toBe(line);
  });

  it("prints the answer as it came with --json", async () => {
    const { url } = await standInAgent({ body: { ...status, fromANewerAgent: 1 } });
    expect(JSON.parse((await relua(["status", "--json"], at(url))).out)).toEqual({
      ...status,
      fromANewerAgent: 1,
    });
  });
});
