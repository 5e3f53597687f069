/** Bad input of every kind: a clear error, and an agent that goes on. */

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { folderWith, relua } from "../cli/relua.ts";
import { ask, askEveryVm, everyBody, putJson, sendBytes } from "../support/http.ts";
import { type Served, serveFiles, serversWith } from "../support/served.ts";

const echo = {
  "/": "ngx.print('fine')",
  "/body": "ngx.req.read_body() ngx.print(#(ngx.req.get_body_data() or ''))",
  "/bad": "require 'bad'",
};
const withServers = (more = "") => `{ servers: ${serversWith(echo)}, ${more} }`;

/** The agent answers on both planes. */
async function expectFine(served: Served): Promise<void> {
  expect(await everyBody(`${served.url}/`, served.vms)).toEqual(
    Array.from({ length: served.vms }, () => "fine"),
  );
  expect((await ask(`${served.control}/readyz`)).status).toBe(200);
}

describe("a config file", () => {
  it("with five mistakes: five lines that name key, value and what is allowed; exit 2", async () => {
    const cwd = folderWith({
      "watch.config.ts": `export default { threads: 0, luaPackagePaht: "?.lua", watch: { settleMs: -5 },
        limits: { bodyBytes: "1 pound" },
        servers: [{ listens: ["nowhere:http"], serverNames: [""], locations: [] }] };`,
    });
    const { code, out, err } = await relua(["serve"], { cwd });
    expect({ code, out }).toEqual({ code: 2, out: "" });
    const lines = err.trimEnd().split("\n");
    expect(lines).toHaveLength(5);
    for (const pattern of [
      /^watch\.config\.ts: threads is 0; it takes .*1 to 256$/,
      /^watch\.config\.ts: luaPackagePaht .*luaPackagePath/,
      /^watch\.config\.ts: watch\.settleMs is -5; it takes 0 to 60000$/,
      /^watch\.config\.ts: limits\.bodyBytes is "1 pound"; it takes a size/,
      /^watch\.config\.ts: servers\[0\]\.listens\[0\] .*"nowhere:http"/,
    ])
      expect(lines).toContainEqual(expect.stringMatching(pattern));
  });
});

describe("a port in use", () => {
  it.each([
    ["of the data plane", (port: number) => ({ data: port, control: 0 }), "servers[].listens"],
    ["of the control plane", (port: number) => ({ data: 0, control: port }), "control.listen"],
  ])("%s is named, with the key to change; exit 1, and nothing is left running", async (_title, at, key) => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { readonly port: number };
    const { data, control } = at(port);
    const cwd = folderWith({
      "watch.config.ts": `export default { control: { listen: "127.0.0.1:${control}" },
        servers: [{ listens: ["127.0.0.1:${data}"], serverNames: [""], locations: [] }] };`,
    });
    const { code, out, err } = await relua(["serve"], { cwd });
    other.close();
    expect(err).toContain(`127.0.0.1:${port} is in use by another program`);
    expect(err).toContain(key);
    expect({ code, out }).toEqual({ code: 1, out: "" });
  });
});

describe("a root of the search path that does not exist", () => {
  it("is a warning; when the folder appears, its modules are found, and watched", async () => {
    const served = await serveFiles(
      {},
      `{ luaPackagePath: "$prefix/later/lua/?.lua", servers: ${serversWith({ "/": "ngx.print(pcall(require, 'late') and require('late').v)" })} }`,
    );
    await served.command.untilErr(/later\/lua does not exist; watched until it appears/);
    const bodies = () => everyBody(`${served.url}/`, served.vms);
    expect(await bodies()).toEqual(["false", "false"]);
    served.write("later/lua/late.lua", "return { v = 1 }");
    await served.command.untilOut(/generation 2\b/);
    expect(await bodies()).toEqual(["1", "1"]);
    served.edit("later/lua/late.lua", "1", "2");
    await served.command.untilOut(/generation 3\b/);
    expect(await bodies()).toEqual(["2", "2"]);
    await served.stop();
  });
});

describe("a Lua file that does not compile", () => {
  it("at start: 500 and the place in the log, where it is required; everything else is served; repaired on save", async () => {
    const served = await serveFiles({ "bad.lua": "return {\n  v = = 1 }" }, withServers());
    const { status, body } = await ask(`${served.url}/bad`);
    expect(status).toBe(500);
    expect(body).not.toContain("bad.lua");
    await served.command.untilErr(/bad\.lua:2: unexpected symbol near '='/);
    await expectFine(served);
    served.write("bad.lua", "return { v = 1 }");
    await served.command.untilOut(/generation 2\b/);
    for (const answer of (await askEveryVm(`${served.url}/bad`, served.vms)).values())
      expect(answer.status).toBe(200);
    await served.stop();
  });

  it("at start, required by initBy: the start fails with the place; exit 1", async () => {
    const cwd = folderWith({
      "bad.lua": "local = 1",
      "watch.config.ts": `export default { luaPackagePath: "$prefix/?.lua", initBy: "require 'bad'",
        control: { listen: "127.0.0.1:0" } };`,
    });
    const { code, out, err } = await relua(["serve"], { cwd });
    expect(err).toMatch(/init_by.*bad\.lua:1: /s);
    expect({ code, out }).toEqual({ code: 1, out: "" });
  });

  it("in a handler of the config: 500 for that location alone, with the place in the log", async () => {
    const served = await serveFiles(
      {},
      `{ servers: ${serversWith({ "/": "ngx.print('fine')", "/broken": "ngx.print('a'" })} }`,
    );
    expect((await ask(`${served.url}/broken`)).status).toBe(500);
    await served.command.untilErr(/content_by\(\/broken\):1: /);
    await expectFine(served);
    await served.stop();
  });

  it("later, not required by anything yet: rejected as a whole, with the place", async () => {
    const served = await serveFiles({ "good.lua": "return 1" }, withServers());
    served.write("bad.lua", "return (");
    await served.command.untilErr(/rejected.*still running generation 1\n +bad\.lua:1: /);
    await expectFine(served);
    served.write("bad.lua", "return {}");
    await served.command.untilOut(/generation 2\b/);
    await served.stop();
  });
});

describe("requests", () => {
  it("with a body over the limit are 413, declared or chunked; the limit itself passes", async () => {
    const served = await serveFiles({}, withServers("limits: { bodyBytes: '4k' }"));
    const post = (bytes: number) =>
      ask(`${served.url}/body`, { method: "POST", body: "x".repeat(bytes) }).then(
        ({ status, body }) => [status, body] as const,
      );
    expect(await post(4096)).toEqual([200, "4096"]);
    const [status, page] = await post(4097);
    expect(status).toBe(413);
    expect(page).toContain("413 Request Entity Too Large");
    const chunk = `1000\r\n${"x".repeat(4096)}\r\n`;
    const chunked = `POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}0\r\n\r\n`;
    expect(await sendBytes(served.url, chunked)).toMatch(/^HTTP\/1\.1 413 /);
    await expectFine(served);
    await served.stop();
  });

  it("that break off in their body reach no Lua, and cost nothing", async () => {
    const served = await serveFiles({}, withServers());
    const truncated = "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nonly this";
    expect(await sendBytes(served.url, truncated, { halfClose: true })).not.toContain("200 OK");
    const half = "GET / HT";
    expect(await sendBytes(served.url, half, { halfClose: true })).not.toContain("200 OK");
    const put =
      "PUT /api/v1/config/http_lua_package_clean HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n";
    expect(await sendBytes(served.control, `${put}["a"`, { halfClose: true })).not.toContain("success");
    const { body } = await ask(`${served.control}/api/v1/status`);
    const { vms } = JSON.parse(body) as { readonly vms: readonly { readonly inFlight: number }[] };
    expect(vms.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
    await expectFine(served);
    await served.stop();
  });

  it("that are pipelined are answered each in its turn, up to the first that is none", async () => {
    const served = await serveFiles({}, withServers());
    const post = (text: string) =>
      `POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
    const requests = `${post("a".repeat(7))}GET / HTTP/1.1\r\nHost: a\r\n\r\n${post("b".repeat(11))}nonsense\r\n\r\n`;
    const text = await sendBytes(served.url, requests);
    const answers = text.split(/(?=HTTP\/1\.1 )/);
    expect(answers.map((answer) => /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])).toEqual([
      "200",
      "200",
      "200",
      "400",
    ]);
    expect(
      answers.slice(0, 3).map((answer) => /(7|fine|11)\b/.exec(answer.split("\r\n\r\n")[1]!)?.[1]),
    ).toEqual(["7", "fine", "11"]);
    await expectFine(served);
    await served.stop();
  });

  it("that are garbage get 400 or nothing, on both ports", async () => {
    const served = await serveFiles({}, withServers());
    const garbage = [
      ...Array.from({ length: 5 }, () => randomBytes(2_000)),
      Buffer.from("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", "latin1"),
      Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(100_000)}\r\n\r\n`),
      Buffer.from("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      Buffer.alloc(10_000),
    ];
    for (const url of [served.url, served.control])
      for (const bytes of garbage)
        expect(await sendBytes(url, bytes, { halfClose: true })).toMatch(/^$|^HTTP\/1\.1 (4\d\d|505) /);
    await expectFine(served);
    await served.stop();
    expect(served.command.err).not.toContain("defect");
  });

  it("of the control plane that are no JSON, or too large, are refused in the words of the API", async () => {
    const served = await serveFiles({}, withServers());
    const clean = `${served.control}/api/v1/config/http_lua_package_clean`;
    const put = async (url: string, body: string) => {
      const answer = await ask(url, { method: "PUT", body });
      return [answer.status, JSON.parse(answer.body).msg] as const;
    };
    expect(await put(clean, "{oops")).toEqual([200, "Failed to parse JSON string array"]);
    expect(await put(clean, "{}")).toEqual([200, "JSON payload is not an array"]);
    expect(await put(clean, "x".repeat(6 * 1024 ** 2))).toEqual([
      400,
      "Request body should be a valid JSON object and less than 5MB",
    ]);
    const wrong = {
      servers: [
        {
          listens: ["127.0.0.1:0"],
          serverNames: [""],
          locations: [{ location: "/", lua: { content_by: "ngx.print(" } }],
        },
      ],
    };
    expect(await putJson(`${served.control}/api/v1/config/http_lua`, wrong)).toMatchObject({
      code: 4,
      msg: expect.stringContaining("content_by(/):1:"),
    });
    await expectFine(served);
    await served.stop();
  });
});
