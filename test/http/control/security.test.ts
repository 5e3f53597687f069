/** Contract §5, "Security": who may call. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { createControlPlane } from "../../../src/http/control/server.ts";
import { call, gate, raw, site } from "./calls.ts";
import { FakeAgent } from "./fake-agent.ts";

const reloads = "/api/v1/reloads";
const clean = "/api/v1/config/http_lua_package_clean";
const lua = "/api/v1/config/http_lua";
const json = "application/json";

describe("Host", () => {
  test.each([
    "127.0.0.1",
    "127.0.0.1:1",
    "localhost:8081",
    "LOCALHOST",
    "localhost.",
    "[::1]:8081",
    "127.9.9.9",
  ])("%s is this machine", async (host) => {
    const at = await site();
    expect((await at.call("GET", "/healthz", { headers: { host } })).status).toBe(200);
  });

  test.each([
    "evil.example",
    "evil.example:8081",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.example@127.0.0.1",
    "10.0.0.1",
    "[::2]",
    "127.0.0.1/x",
  ])("%j is somebody else", async (host) => {
    const at = await site();
    for (const target of ["/healthz", "/api/v1/status", lua]) {
      const { status, json: body, headers } = await at.call("GET", target, { headers: { host } });
      expect(status).toBe(421);
      expect(headers["content-type"]).toBe("application/problem+json");
      expect(body).toMatchObject({ status: 421, code: "host-not-allowed", title: "Misdirected Request" });
    }
    expect((await at.call("PUT", clean, { headers: { host }, body: "[]" })).status).toBe(421);
    expect(at.agent.touched).toBe(0);
  });

  test("names of control.allowedHosts are let in, with their port where one is listed", async () => {
    const at = await site({ allowedHosts: ["Relua.internal", "proxy:9000"] });
    const status = async (host: string) => (await at.call("GET", "/healthz", { headers: { host } })).status;
    expect(await status("relua.internal:1234")).toBe(200);
    expect(await status("proxy:9000")).toBe(200);
    expect(await status("proxy:9001")).toBe(421);
  });

  test("an empty Host is nobody", async () => {
    const at = await site();
    const empty = "GET /healthz HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n";
    expect(await raw(at.port, empty)).toMatch(/^HTTP\/1\.1 421 /);
    expect(await raw(at.port, "GET /healthz HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 421 /);
  });

  test("two Host headers, or a target with a host of its own, are refused", async () => {
    const at = await site();
    const two = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    expect(await raw(at.port, two)).toMatch(/^HTTP\/1\.1 4(?:00|21) /);
    const absolute =
      "GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    expect(await raw(at.port, absolute)).toMatch(/^HTTP\/1\.1 400 .*"code":"target-invalid"/s);
  });
});

describe("token", () => {
  const token = "s3cret-ü";
  const bearer = (text: string) => ({
    authorization: Buffer.from(`Bearer ${text}`, "utf8").toString("latin1"),
  });

  const calls = [
    ["GET", "/api/v1/status"],
    ["GET", reloads],
    ["POST", reloads],
    ["GET", "/api/v1/events"],
    ["GET", "/openapi.json"],
    ["GET", "/nowhere"],
    ["GET", "/healthz/"],
    ["GET", "/api/v1/config/"],
    ["GET", lua],
    ["PUT", lua],
    ["PUT", clean],
  ] as const;

  test.each(calls)("%s %s needs it", async (method, target) => {
    const at = await site({ token });
    const wrong: Readonly<Record<string, string>>[] = [
      {},
      bearer("wrong"),
      bearer(`${token}x`),
      { authorization: "s3cret" },
      bearer(""),
    ];
    for (const each of wrong) {
      const {
        status,
        headers: got,
        json: body,
      } = await at.call(method, target, {
        headers: each,
        ...(method === "GET" ? {} : { body: "[]" }),
      });
      expect(status).toBe(401);
      expect(got["www-authenticate"]).toMatch(/^Bearer realm="relua"/);
      expect(body).toMatchObject({ code: "token-required" });
    }
    expect(at.agent.touched).toBe(0);
  });

  test("with it calls pass, the scheme in any case", async () => {
    const at = await site({ token });
    expect((await at.call("GET", "/api/v1/status", { headers: bearer(token) })).status).toBe(200);
    expect((await at.call("PUT", clean, { headers: bearer(token), body: "[]" })).status).toBe(200);
    const authorization = Buffer.from(`bearer ${token}`, "utf8").toString("latin1");
    expect((await at.call("GET", reloads, { headers: { authorization } })).status).toBe(200);
  });

  test("/healthz and /readyz need none", async () => {
    const at = await site({ token });
    expect((await at.call("GET", "/healthz")).status).toBe(200);
    expect((await at.call("GET", "/readyz?full")).status).toBe(200);
  });
});

describe("browsers", () => {
  const origin = "http://evil.example";

  test.each([
    ["a foreign page", { origin }],
    ["a foreign page that says JSON", { origin, "content-type": json }],
    ["a sandboxed page", { origin: "null", "content-type": json }],
    ["a page of another port", { origin: "http://127.0.0.1:1", "content-type": json }],
    ["a form of a foreign site", { "sec-fetch-site": "cross-site" }],
    ["a form of a sibling site", { "sec-fetch-site": "same-site", "content-type": json }],
  ])("%s writes nothing", async (_, headers) => {
    const at = await site();
    for (const [method, target] of [
      ["POST", reloads],
      ["PUT", clean],
      ["PUT", lua],
    ] as const) {
      const { status, json: body } = await at.call(method, target, { headers, body: "[]" });
      expect(status).toBe(403);
      expect(body).toMatchObject({ code: "origin-not-allowed" });
    }
    expect(at.agent.touched).toBe(0);
  });

  test("a page of the control plane itself writes with a JSON content type, and not NJet's calls", async () => {
    const at = await site();
    const own = { origin: `http://127.0.0.1:${at.port}`, "sec-fetch-site": "same-origin" };
    const status = async (method: string, target: string, type: string) =>
      (await at.call(method, target, { headers: { ...own, "content-type": type }, body: "{}" })).status;
    expect(await status("POST", reloads, "application/json; charset=utf-8")).toBe(200);
    expect(await status("POST", reloads, "text/plain")).toBe(403);
    expect(await status("POST", reloads, "text/plain; application/json")).toBe(403);
    expect(await status("PUT", lua, json)).toBe(403);
  });

  test("other clients may say any content type", async () => {
    const at = await site();
    for (const type of ["application/x-www-form-urlencoded", "text/plain", json]) {
      const headers = { "content-type": type };
      expect((await at.call("PUT", clean, { headers, body: '["mylib"]' })).json).toMatchObject({ code: 0 });
      expect((await at.call("POST", reloads, { headers, body: "{}" })).status).toBe(200);
    }
  });

  test("no answer lets a page of another origin read it, preflight included", async () => {
    const at = await site();
    const headers = { origin, "access-control-request-method": "POST" };
    for (const [method, target] of [
      ["OPTIONS", reloads],
      ["OPTIONS", clean],
      ["GET", "/api/v1/status"],
    ] as const)
      expect(Object.keys((await at.call(method, target, { headers })).headers).join()).not.toMatch(
        /access-control/,
      );
  });
});

describe("bounds", () => {
  test("a body over 1 MiB is refused, with its length said or not", async () => {
    const at = await site();
    const body = JSON.stringify({ reason: "x".repeat(1024 ** 2) });
    for (const headers of [{}, { "transfer-encoding": "chunked" }]) {
      const { status, json: said } = await at.call("POST", reloads, { headers, body });
      expect(status).toBe(413);
      expect(said).toMatchObject({ code: "body-too-large" });
    }
    expect(at.agent.touched).toBe(0);
  });

  test("headers over 16 KiB are refused", async () => {
    const at = await site();
    expect((await at.call("GET", "/healthz", { headers: { x: "y".repeat(17_000) } })).status).toBe(431);
  });

  test("a body that never ends does not keep the others waiting", async () => {
    const at = await site();
    const half = raw(
      at.port,
      "PUT /api/v1/config/http_lua HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n[",
    );
    expect((await at.call("GET", "/healthz")).status).toBe(200);
    await half;
    expect(at.agent.touched).toBe(0);
    expect(at.logged).toEqual([]);
  });

  test("answers are neither sniffed nor kept", async () => {
    const at = await site();
    for (const target of ["/healthz", lua, "/nowhere"]) {
      const { headers } = await at.call("GET", target);
      expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "cache-control": "no-store" });
    }
  });
});

describe("the address", () => {
  test("a port in use says what to do", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    try {
      await expect(site({ listen: { host: "127.0.0.1", port } })).rejects.toMatchObject({
        code: "address-in-use",
        message: `127.0.0.1:${port} is in use by another program; stop that, or write another address in control.listen`,
      });
    } finally {
      other.close();
    }
  });

  test("an address of another machine cannot be listened on", async () => {
    await expect(site({ listen: { host: "192.0.2.1", port: 0 } })).rejects.toMatchObject({
      code: "listen-failed",
    });
  });

  test("closing ends idle connections and waits for calls under way", async () => {
    const agent = new FakeAgent();
    const plane = createControlPlane({
      agent,
      listen: { host: "127.0.0.1", port: 0 },
      token: undefined,
      allowedHosts: [],
      log: () => undefined,
    });
    const port = Number((await plane.listen()).split(":")[1]);
    const began = gate();
    const finish = gate();
    const answer = agent.next;
    agent.next = async () => {
      began.open();
      await finish.opened;
      return answer();
    };
    const reply = call(port, "POST", reloads, { body: "{}" });
    await began.opened;
    const closed = plane.close(10_000);
    finish.open();
    expect((await reply).status).toBe(200);
    await closed;
    await expect(call(port, "GET", "/healthz")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
