/** `relua serve` from the ready line to the last signal, as a process of its own, in a pipe. */

import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folderWith, Relua, type RunOptions, relua, write } from "./relua.ts";

const locations = {
  "/": "ngx.say(require('a').value)",
  "/late": "ngx.say(require('late').value)",
  "/slow": "ngx.log(ngx.NOTICE, 'begun'); ngx.sleep(0.3); ngx.say('whole')",
  "/endless": "ngx.log(ngx.NOTICE, 'begun'); ngx.sleep(60)",
  "/log": "ngx.log(ngx.ERR, 'grün\\n[emerg] forged \\27[2J'); ngx.log(ngx.DEBUG, 'detail')",
};

/** A config file; two VMs, the system's choice of ports. */
function config(changes: Readonly<Record<string, unknown>> = {}): string {
  return `export default ${JSON.stringify({
    luaPackagePath: "$prefix/apps/?.lua",
    threads: 2,
    servers: [
      {
        listens: ["127.0.0.1:0"],
        serverNames: [""],
        locations: Object.entries(locations).map(([location, code]) => ({
          location: location === "/" ? "/" : `= ${location}`,
          lua: { content_by: code },
        })),
      },
    ],
    control: { listen: "127.0.0.1:0" },
    ...changes,
  })};`;
}

const modules = {
  "apps/a.lua": "return { value = require('lib.b').value }",
  "apps/lib/b.lua": "return { value = 1 }",
};

const project = (changes: Readonly<Record<string, unknown>> = {}) =>
  folderWith({ "watch.config.ts": config(changes), ...modules });

interface Serving {
  readonly agent: Relua;
  readonly cwd: string;
  readonly control: string;
  readonly readyLine: string;
  get(path: string): Promise<string>;
}

async function serve(cwd: string, args: readonly string[] = [], env?: RunOptions["env"]): Promise<Serving> {
  const agent = new Relua(["serve", ...args], { cwd, ...(env && { env }) });
  const [readyLine, data, control] = await agent.untilOut(
    /^relua \S+ ready in .*?: (http:\S+), control (http:[^\s,]+),.*$/m,
  );
  return {
    agent,
    cwd,
    control: control!,
    readyLine,
    get: async (path) => (await fetch(new URL(path, data))).text(),
  };
}

describe("the start", () => {
  it("ends in one line: addresses, VMs, files", async () => {
    const { readyLine, agent, get } = await serve(project());
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(readyLine).toMatch(
      /^relua [\d.]+ ready in [\d.]+ m?s: http:\/\/127\.0\.0\.1:\d+, control http:\/\/127/,
    );
    expect(readyLine).toContain(`relua ${version} ready`);
    expect(readyLine).toMatch(/:\d+, 2 VMs, 2 files watched in 2 folders$/);
    expect(agent.out).toBe(`${readyLine}\n`);
    expect(agent.err).toBe("");
    expect(await get("/")).toBe("1\n");
  });

  it("warns of what may surprise", async () => {
    const { agent, cwd } = await serve(
      project({ luaCodeCache: false, luaPackagePath: "$prefix/apps/?.lua;$prefix/nowhere/?.lua;;" }),
    );
    expect(agent.err.replace(/^\S+ /gm, "")).toBe(
      "[warn] luaCodeCache is false: every request gets a fresh VM; for development only\n" +
        `[warn] search path root ${cwd}/nowhere does not exist; watched until it appears\n`,
    );
  });

  it("names every mistake in the config file, one line each, and exits 2", async () => {
    const cwd = folderWith({
      "watch.config.ts": config({
        threads: 0,
        concurrency: "many",
        wach: {},
        luaPackagePath: "$home/?.lua",
        control: { listen: "0.0.0.0:8081" },
      }),
    });
    const { code, out, err } = await relua(["serve"], { cwd });
    expect(err.trimEnd().split("\n").sort()).toEqual([
      expect.stringMatching(/^watch\.config\.ts: concurrency is "many"; it takes/),
      expect.stringMatching(/^watch\.config\.ts: control\.listen is .* set a token/),
      expect.stringMatching(/^watch\.config\.ts: luaPackagePath is wrong: .*\$home/),
      expect.stringMatching(/^watch\.config\.ts: threads is 0; it takes/),
      expect.stringMatching(/^watch\.config\.ts: wach is not known; did you mean watch/),
    ]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
  });

  it("fails on a port in use, and says which", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const listens = [`127.0.0.1:${port}`];
    const servers = [{ listens, serverNames: [""], locations: [{ location: "/", lua: {} }] }];
    const byServer = await relua(["serve"], { cwd: project({ servers }) });
    const byControl = await relua(["serve"], { cwd: project({ control: { listen: listens[0] } }) });
    other.close();
    for (const { code, out, err } of [byServer, byControl]) {
      expect(err).toMatch(new RegExp(`^relua: .*127\\.0\\.0\\.1:${port} is in use`));
      expect({ code, out }).toEqual({ code: 1, out: "" });
    }
  });

  it("fails where initBy does, with Lua's message and nothing twice", async () => {
    const { code, out, err } = await relua(["serve"], { cwd: project({ initBy: "error('no database')" }) });
    expect(err).toMatch(/^relua: .*no database\n {4}stack traceback:/);
    expect(err.match(/no database/g)).toHaveLength(1);
    expect({ code, out }).toEqual({ code: 1, out: "" });
  });
});

describe("a reload", () => {
  it("is told in one line when a file is saved", async () => {
    const { agent, cwd, get } = await serve(project());
    expect(await get("/")).toBe("1\n");
    write(cwd, "apps/lib/b.lua", "return { value = 2 }");
    const [line] = await agent.untilOut(/^.*generation 2.*$/m);
    // On a busy machine a VM's report may come after the line.
    expect(line.replace(/(?:2|\d of 2) VMs in [\d.]+ ms.*$/, "2 VMs")).toMatch(
      /^\d{4}-\d\d-\d\dT\S+Z #1 generation 2: apps\/lib\/b\.lua changed → 2 modules evicted \(lib\.b → a\), 2 VMs$/,
    );
    expect(await get("/")).toBe("2\n");
    expect(agent.err).toBe("");
  });

  it("that is rejected is told once, with file, line and chain, and what runs on", async () => {
    const { agent, cwd, get } = await serve(project());
    expect(await get("/")).toBe("1\n");
    write(cwd, "apps/lib/b.lua", "return {\n  value = = 2\n}");
    await agent.untilErr(/rejected: apps\/lib\/b\.lua changed; still running generation 1\n {4}.*\n/);
    expect(agent.err).toMatch(/\n {4}apps\/lib\/b\.lua:2: unexpected symbol near '='\n/);
    expect(await get("/")).toBe("1\n");
    write(cwd, "apps/lib/b.lua", "error('not today')");
    await agent.untilErr(/\n {4}apps\/lib\/b\.lua:1: not today\n {8}required by a → apps\/lib\/b\.lua\n/);
    write(cwd, "apps/lib/b.lua", "return { value = 3 }");
    await agent.untilOut(/generation 2: apps\/lib\/b\.lua changed/);
    expect(await get("/")).toBe("3\n");
    expect(agent.err.match(/rejected/g)).toHaveLength(2);
  });

  it("takes up a search path root that appears", async () => {
    const { agent, cwd, get } = await serve(
      project({ luaPackagePath: "$prefix/apps/?.lua;$prefix/extra/?.lua" }),
    );
    await agent.untilErr(/extra does not exist/);
    expect(await get("/late")).toMatch(/500/);
    mkdirSync(join(cwd, "extra"));
    write(cwd, "extra/late.lua", "return { value = 'there' }");
    await agent.untilOut(/generation 2: extra\/late\.lua added/);
    expect(await get("/late")).toBe("there\n");
  });

  it("by hand goes through the commands", async () => {
    const { cwd, control, get } = await serve(project({ watch: false }));
    const at = { cwd, env: { RELUA_URL: control } };
    expect(await get("/")).toBe("1\n");
    write(cwd, "apps/lib/b.lua", "return { value = 2 }");
    expect((await relua(["reload", "--dry-run"], at)).out).toMatch(
      /2 modules to evict; nothing was done\n {4}apps\/lib\/b\.lua changed → lib\.b → a \(load, apps\/a\.lua:1\)\n/,
    );
    expect(await get("/")).toBe("1\n");
    expect(await relua(["reload"], at)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/ generation 2 \(api\): apps/),
    });
    expect(await get("/")).toBe("2\n");
    expect((await relua(["reload"], at)).out).toMatch(/unchanged \(api\): nothing differs from generation 2/);
    write(cwd, "apps/lib/b.lua", "return = 3");
    expect(await relua(["reload"], at)).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringMatching(/rejected.*\n {4}apps\/lib\/b\.lua:1: /),
    });
    const status = (await relua(["status"], at)).out;
    expect(status).toMatch(
      /^generation 2, up \d+ s\nthe disk differs from what runs \(rejected\)\n {2}VM 1 +ready +generation 2/,
    );
    expect(status).toMatch(
      /\n2 files in 2 folders, not watched\n(?: {2}.*\n)+what is on disk does not load:\n.*rejected/,
    );
    write(cwd, "apps/lib/b.lua", "return { value = 4 }");
    expect(await relua(["clean", "lib.b"], at)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^success\. 2 modules evicted, generation 3\n$/),
    });
    expect(await get("/")).toBe("4\n");
    expect(await relua(["clean", "string"], at)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/string is/),
    });
  });
});

describe("the log", () => {
  it("carries ngx.log with its level and VM, unforgeable, down to the level that was asked for", async () => {
    const { agent, get } = await serve(project());
    await get("/log");
    await agent.untilErr(/forged.*\n/);
    expect(agent.err).toMatch(
      /^\d{4}-\S+Z \[error\] VM [12]: \[lua\] .*grün\n {4}\[emerg\] forged \\x1b\[2J\n$/,
    );

    const detailed = await serve(project(), ["--log-level", "debug"]);
    await detailed.get("/log");
    await detailed.agent.untilErr(/\[debug\] VM [12]: .*detail\n/);
  });
});

describe("signals", () => {
  it("SIGTERM lets requests in flight finish, and exits 0", async () => {
    const { agent, get } = await serve(project());
    const answer = get("/slow");
    await agent.untilErr(/begun/);
    agent.signal("SIGTERM");
    expect(await answer).toBe("whole\n");
    expect(await agent.exit).toBe(0);
    expect(agent.err).toMatch(/\[notice\] SIGTERM: finishing what is in flight/);
  });

  it("takes no new connections then", async () => {
    const { agent, get } = await serve(project());
    const answer = get("/endless").catch(() => "broken");
    await agent.untilErr(/begun/);
    agent.signal("SIGINT");
    await agent.untilErr(/finishing/);
    await expect(get("/")).rejects.toThrow("fetch failed");
    agent.signal("SIGTERM");
    expect(await agent.exit).toBe(143);
    expect(await answer).toBe("broken");
  });

  it("a second one ends at once, however long a request may take", async () => {
    const { agent, get } = await serve(project());
    const answer = get("/endless").catch(() => "broken");
    await agent.untilErr(/begun/);
    agent.signal("SIGINT");
    await agent.untilErr(/finishing/);
    // One Ctrl-C comes as several signals in no time, two take longer.
    const impatience = setInterval(() => agent.signal("SIGINT"), 100);
    expect(await agent.exit).toBe(130);
    clearInterval(impatience);
    expect(await answer).toBe("broken");
  });

  it("gives up on requests after shutdownMs", async () => {
    const { agent, get } = await serve(project({ shutdownMs: 50 }));
    const answer = get("/endless").catch(() => "broken");
    await agent.untilErr(/begun/);
    agent.signal("SIGTERM");
    expect(await agent.exit).toBe(0);
    expect(await answer).not.toBe("whole\n");
  });

  it("can come while the agent starts", async () => {
    const agent = new Relua(["serve"], {
      cwd: project({ initBy: "local t = os.clock(); while os.clock() - t < 1 do end" }),
    });
    const impatience = setInterval(() => agent.signal("SIGTERM"), 400);
    const code = await agent.exit;
    clearInterval(impatience);
    // Before the command has loaded, after it, or twice: in no case a failure.
    expect([0, 143, "SIGTERM"]).toContain(code);
    expect(agent.err).not.toMatch(/relua:|alert/);
  });

  it("SIGHUP looks at the config file again and reloads", async () => {
    const { agent, cwd, get } = await serve(project({ watch: false }));
    expect(await get("/")).toBe("1\n");
    write(cwd, "apps/lib/b.lua", "return { value = 2 }");
    write(cwd, "watch.config.ts", "export default { threads: 0, wach: 1 };");
    agent.signal("SIGHUP");
    await agent.untilErr(
      /\[error\] SIGHUP: nothing is reloaded.*\n {4}watch\.config\.ts: wach is not known.*\n {4}watch\.config\.ts: threads is 0/,
    );
    expect(await get("/")).toBe("1\n");
    write(cwd, "watch.config.ts", config({ watch: false, threads: 1, initBy: "local x" }));
    agent.signal("SIGHUP");
    await agent.untilErr(/\[warn\] SIGHUP: changes of initBy, threads take effect at the next start/);
    await agent.untilOut(/generation 2 \(signal\): apps\/lib\/b\.lua changed/);
    expect(await get("/")).toBe("2\n");
  });
});

describe("what nobody foresaw", () => {
  it("is logged, what is in flight finishes, and the process exits 1", async () => {
    const defect = `process.on("SIGUSR2", () => { void Promise.reject(new Error("unforeseen")); });\n`;
    const cwd = folderWith({ "watch.config.ts": defect + config(), ...modules });
    const { agent, get } = await serve(cwd);
    const answer = get("/slow");
    await agent.untilErr(/begun/);
    agent.signal("SIGUSR2");
    expect(await answer).toBe("whole\n");
    expect(await agent.exit).toBe(1);
    expect(agent.err).toMatch(/\[alert\] this is a defect of Relua, it ends: Error: unforeseen\n {4}/);
  });

  it("a reader of stdout that goes away ends nothing", async () => {
    const { agent, cwd, control, get } = await serve(project({ watch: false }));
    expect(await get("/")).toBe("1\n");
    agent.closeStdout();
    write(cwd, "apps/a.lua", "return { value = 'told to nobody' }");
    expect((await relua(["reload", "--url", control])).code).toBe(0);
    write(cwd, "apps/a.lua", "return = 2");
    expect((await relua(["reload", "--url", control])).code).toBe(1);
    await agent.untilErr(/rejected/);
    expect(await get("/")).toBe("told to nobody\n");
  });
});

describe("colours", () => {
  it.each<[RunOptions["env"] & object, boolean]>([
    [{}, false],
    [{ FORCE_COLOR: "1" }, true],
    [{ FORCE_COLOR: "0", NO_COLOR: "" }, false],
  ])("in a pipe with %j: %j", async (env, coloured) => {
    const { agent, cwd, get } = await serve(project(), [], env);
    await get("/");
    write(cwd, "apps/a.lua", "return { value = 2 }");
    await agent.untilOut(/generation 2.*ms\n/);
    write(cwd, "apps/a.lua", "return = 2");
    await agent.untilErr(/rejected.*\n.*a\.lua:1.*\n/);
    expect(agent.out.includes("\u001b[32m")).toBe(coloured);
    expect(agent.err.includes("\u001b[31m")).toBe(coloured);
  });
});
