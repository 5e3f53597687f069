/** Checking a configuration: defaults, resolving, and every problem in one go. */

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${prefix} is the search path's own syntax

import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/index.ts";
import { ReluaError } from "../../src/errors.ts";

const origin = { file: "/srv/site/watch.config.ts", cwd: "/work" };

/** The lines without the file's name in front. */
function problems(input: unknown): readonly string[] {
  try {
    parseConfig(input, origin);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ReluaError);
    expect((error as ReluaError).code).toBe("config-invalid");
    return (error as ReluaError).details.map((line) => line.replace(/^watch\.config\.ts: /, ""));
  }
}

const location = (lua: object, pattern = "/x") => ({ location: pattern, lua });
const server = (locations: readonly object[], listen = "127.0.0.1:8080") => ({
  listens: [listen],
  locations,
});

describe("a configuration", () => {
  it("needs nothing", () => {
    const config = parseConfig({}, origin);
    expect(config).toMatchObject({
      file: "/srv/site/watch.config.ts",
      prefix: "/srv/site",
      cwd: "/work",
      luaCodeCache: true,
      threads: availableParallelism(),
      concurrency: 64,
      exposeGeneration: true,
      shutdownMs: 10_000,
      servers: [],
      control: { listen: { host: "127.0.0.1", port: 8081 }, token: undefined, allowedHosts: [] },
      watch: { settleMs: 20, maxWaitMs: 1000, polling: false, sweepMs: 5000 },
      scan: { ignore: [], maxFileBytes: 8 * 1024 ** 2 },
      reload: {
        preflight: "load",
        pinned: [],
        aliases: "warn",
        warm: true,
        history: 100,
        recycle: false,
        canaryMs: 10_000,
      },
      limits: { requestMs: 30_000, instructions: 0, bodyBytes: 1024 ** 2, heapMb: 256, queue: 1024 },
    });
    expect(config.searchPath.text).toMatch(
      /^\/srv\/site\/apps\/\?\.lua;\/srv\/site\/apps\/\?\/init\.lua;\.\/\?\.lua;/,
    );
  });

  it("keeps the other defaults of a section of which one key is given", () => {
    expect(parseConfig({ limits: { queue: 1 }, watch: { polling: true } }, origin)).toMatchObject({
      limits: { requestMs: 30_000, queue: 1 },
      watch: { settleMs: 20, polling: true },
    });
  });

  it("may come from JavaScript, without a file: relative to the working folder", () => {
    expect(parseConfig({ prefix: "lua" }, { cwd: "/work" })).toMatchObject({
      prefix: "/work/lua",
      file: undefined,
    });
    expect(() => parseConfig({ threads: 0 })).toThrow("config: 1 problem");
  });

  it("takes sizes as numbers and in nginx's form", () => {
    const sizes = { "plugin-limit": "10m", b: "64K", c: 8192, d: "8192", e: "1g" };
    expect(parseConfig({ sharedDicts: sizes }, origin).sharedDicts).toEqual({
      "plugin-limit": 10 * 1024 ** 2,
      b: 64 * 1024,
      c: 8192,
      d: 8192,
      e: 1024 ** 3,
    });
  });

  it("may be without a watcher, and still says which files count", () => {
    const config = parseConfig({ watch: false }, origin);
    expect(config.watch).toBe(false);
    expect(config.scan.maxFileBytes).toBe(8 * 1024 ** 2);
  });

  it("takes an empty token for none, as an unset variable in a shell gives it", () => {
    expect(parseConfig({ control: { token: "" } }, origin).control.token).toBeUndefined();
  });
});

describe("a problem is one line with the key, what was found and what is allowed:", () => {
  it.each<[object | number, string]>([
    [{ watch: { settleMs: -5 } }, "watch.settleMs is -5; it takes 0 to 60000"],
    [{ watch: { settleMs: 1.5 } }, "watch.settleMs is 1.5; it takes 0 to 60000"],
    [{ watch: { setleMs: 5 } }, "watch.setleMs is not known; did you mean settleMs?"],
    [{ watch: true }, "watch is true; it takes false or an object"],
    [{ Watch: false }, "Watch is not known; did you mean watch?"],
    [{ lua_package_path: "" }, "lua_package_path is not known; did you mean luaPackagePath?"],
    [{ control: { quux: 5 } }, "control.quux is not known; it takes listen, token, allowedHosts"],
    [{ threads: 0 }, 'threads is 0; it takes "auto" or 1 to 256'],
    [{ threads: "many" }, 'threads is "many"; it takes "auto" or 1 to 256'],
    [{ luaCodeCache: "off" }, 'luaCodeCache is "off"; it takes true or false'],
    [
      { limits: [] },
      "limits is a list; it takes an object of requestMs, instructions, bodyBytes, heapMb, queue",
    ],
    [
      { limits: { bodyBytes: "1x" } },
      'limits.bodyBytes is "1x"; it takes a size from "0" to "1g", in bytes or as "10m"',
    ],
    [
      { sharedDicts: { a: 1 } },
      'sharedDicts.a is 1; it takes a size from "8k" to "2g", in bytes or as "10m"',
    ],
    [{ sharedDicts: { "a b": "1m" } }, 'sharedDicts["a b"] is no name; it takes names without blanks'],
    [{ reload: { preflight: "run" } }, 'reload.preflight is "run"; it takes "load", "compile" or "off"'],
    [{ reload: { pinned: [""] } }, 'reload.pinned[0] is ""; it takes a list of module names or globs'],
    [
      { luaPackagePath: "$home/?.lua" },
      'luaPackagePath is wrong: search path "$home/?.lua" names $home; it knows $prefix and ${prefix}',
    ],
    [{ servers: [{}] }, "servers[0].listens is missing; it takes a list of addresses"],
    [
      { servers: [{ listens: ["here"] }] },
      'servers[0].listens[0] is "here"; it takes ADDRESS:PORT, PORT, *:PORT or [IPv6]:PORT, with a port from 0 to 65535',
    ],
    [
      { servers: [server([location({}, "x")])] },
      'servers[0].locations[0].location is "x"; it takes /prefix, = /exact, ^~ /prefix, ~ regex, ~* regex or @name',
    ],
    [4, "the configuration is not an object; export default { … }"],
  ])("%j", (input, line) => {
    expect(problems(input)).toEqual([line]);
  });

  it("all of them in one go, whichever section they are in", () => {
    const lines = problems({
      treads: 2,
      watch: { settleMs: -5, maxWaitMs: "1s" },
      servers: [
        server([location({ content_by: "x", content_by_file: "y", log_by: 3 })]),
        { listens: ["8080"], locations: 3 },
      ],
      control: { listen: "0.0.0.0:8081" },
      luaPackagePath: ";",
    });
    expect(lines.map((line) => line.split(/ is | without /)[0])).toEqual([
      "treads",
      "servers[0].locations[0].lua.log_by",
      "servers[0].locations[0].lua.content_by_file",
      "servers[1].locations",
      "watch.settleMs",
      "watch.maxWaitMs",
      "luaPackagePath",
      "control.listen",
    ]);
  });
});

describe("together impossible", () => {
  it("is a control address for everybody without a token", () => {
    for (const listen of ["0.0.0.0:8081", "8081", "[::]:8081", "example.com:8081"]) {
      expect(problems({ control: { listen } })).toEqual([
        `control.listen is "${listen}" without control.token; set a token (RELUA_TOKEN), or listen on 127.0.0.1`,
      ]);
      expect(problems({ control: { listen, token: "0123456789abcdef" } })).toEqual([]);
    }
    expect(problems({ control: { listen: "[::1]:8081" } })).toEqual([]);
  });

  it("is a token that no header carries, and the line does not show it", () => {
    const [line] = problems({ control: { token: "hunter 2" } });
    expect(line).toMatch(/^control\.token has blanks/);
    expect(line).not.toContain("hunter");
  });

  it("is a longest wait below the quiet time", () => {
    expect(problems({ watch: { settleMs: 100, maxWaitMs: 50 } })).toEqual([
      "watch.maxWaitMs is 50; it takes at least watch.settleMs, 100",
    ]);
    expect(parseConfig({ watch: { settleMs: 2000 } }, origin).watch).toMatchObject({ maxWaitMs: 2000 });
  });

  it("are two servers with one address and one name, however it is written", () => {
    const one = { listens: ["8080", "127.0.0.1:81"], serverNames: ["a", "b"] };
    expect(problems({ servers: [one, { listens: ["*:8080"], serverNames: ["c", "B"] }] })).toEqual([
      'servers[1].listens[0] is "*:8080" with the name "B", like servers[0].listens[0]; one server takes them',
    ]);
    expect(problems({ servers: [one, { listens: ["*:8080"], serverNames: ["c"] }] })).toEqual([]);
    expect(problems({ servers: [server([], "127.0.0.1:0"), server([], "127.0.0.1:0")] })).toEqual([]);
  });

  it("is a data plane on the control plane's address", () => {
    expect(problems({ servers: [server([], "127.0.0.1:8081")] })).toEqual([
      'servers[0].listens[0] is "127.0.0.1:8081", the address of control.listen; it takes another one',
    ]);
  });

  it("are two locations with one pattern in one server", () => {
    expect(problems({ servers: [server([location({}, "= /x"), location({}, "=  /x")])] })).toEqual([
      'servers[0].locations[1].location is "=  /x", like servers[0].locations[0]; write one',
    ]);
  });

  it.each([
    ["../x.lua", false],
    ["a/../../x.lua", false],
    ["$arg_x/../../../x.lua", false],
    ["/etc/$1.lua", false],
    [".", false],
    ["a/../x.lua", true],
    ["x/$1.lua", true],
    ["/srv/site/$1.lua", true],
    ["/opt/lua/x.lua", true],
  ])("a file outside of the prefix: %s, allowed %s", (path, allowed) => {
    const lines = problems({
      servers: [server([{ location: "/", locations: [location({ content_by_file: path })] }])],
    });
    const line = `servers[0].locations[0].locations[0].lua.content_by_file is "${path}"; it takes a path inside the prefix /srv/site`;
    expect(lines).toEqual(allowed ? [] : [line]);
  });
});
