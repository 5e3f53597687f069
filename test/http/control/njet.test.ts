/** Contract §4: NJet's part, byte for byte. */

import { describe, expect, test } from "vitest";
import { ReluaError } from "../../../src/errors.ts";
import { type Site, site } from "./calls.ts";
import { outcome, prefix } from "./fake-agent.ts";

const clean = "/api/v1/config/http_lua_package_clean";
const lua = "/api/v1/config/http_lua";
const badBody = '{"code":400,"msg":"Request body should be a valid JSON object and less than 5MB"}';
const notFound = '{"code":404,"msg":"not found error"}';

const put = (at: Site, target: string, body: unknown) =>
  at.call("PUT", target, { body: typeof body === "string" ? body : JSON.stringify(body) });

describe("PUT http_lua_package_clean", () => {
  test("evicts the named modules and says so behind NJet's keys", async () => {
    const at = await site();
    const { status, text, headers } = await put(at, clean, ["mylib", "a.b"]);
    expect(status).toBe(200);
    expect(text).toBe(
      '{"code":0,"msg":"success.","generation":7,"evicted":[{"name":"a","because":["c","lib.b","a"]}],' +
        '"vms":[{"id":1,"appliedMs":0.4}]}',
    );
    expect(headers["content-type"]).toBe("application/json");
    expect(at.agent.reloads).toEqual([
      { request: { names: ["mylib", "a.b"], force: true }, trigger: "clean" },
    ]);
  });

  test("an unchanged outcome is a success too", async () => {
    const at = await site();
    at.agent.next = async () => outcome({ outcome: "unchanged", evicted: [], vms: [] });
    expect((await put(at, clean, ["mylib"])).text).toBe(
      '{"code":0,"msg":"success.","generation":7,"evicted":[],"vms":[]}',
    );
  });

  test("an empty list evicts nothing", async () => {
    const at = await site();
    expect((await put(at, clean, "[]")).text).toMatch(/^\{"code":0,"msg":"success\."/);
    expect(at.agent.reloads).toEqual([]);
  });

  test("elements that are no strings are skipped and logged", async () => {
    const at = await site();
    expect((await put(at, clean, [1, "mylib", null, ["x"], {}])).text).toMatch(
      /^\{"code":0,"msg":"success\."/,
    );
    expect(at.agent.reloads[0]?.request.names).toEqual(["mylib"]);
    expect(at.logged).toEqual(["warn http_lua_package_clean: skipped 4 elements that are no strings"]);
  });

  test("built-in and pinned names are kept and named, the others evicted", async () => {
    const at = await site();
    const { text } = await put(at, clean, ["string", "mylib", "vendor.x"]);
    expect(text).toMatch(
      /^\{"data":\["string is built in and was kept","vendor\.x is pinned and was kept"\],"code":1,"msg":"partial success\."/,
    );
    expect(at.agent.reloads[0]?.request.names).toEqual(["mylib"]);
  });

  test("with none but built-in names nothing is reloaded", async () => {
    const at = await site();
    expect((await put(at, clean, ["_G", "ngx"])).json).toMatchObject({ code: 1, msg: "partial success." });
    expect(at.agent.reloads).toEqual([]);
  });

  test("new code that does not load is an error with file, line and why", async () => {
    const at = await site();
    const path = `${prefix}/apps/mylib.lua`;
    const message = `${path}:3: unexpected symbol near '}'`;
    at.agent.next = async () =>
      outcome({ outcome: "rejected", errors: [{ path, line: 3, message, requiredBy: [] }] });
    const { status, text } = await put(at, clean, ["mylib"]);
    expect(status).toBe(200);
    expect(text).toBe(`{"code":4,"msg":"apps/mylib.lua:3: unexpected symbol near '}'","generation":7}`);
  });

  test("an agent that cannot reload is an error, not a 500", async () => {
    const at = await site();
    at.agent.next = () => Promise.reject(new ReluaError("source-failed", "the source's thread died"));
    expect((await put(at, clean, ["mylib"])).text).toBe('{"code":4,"msg":"the source\'s thread died"}');
  });

  test("a bug is a 500 that says nothing of itself, and is logged", async () => {
    const at = await site();
    at.agent.next = () => Promise.reject(new Error("inner detail"));
    const { status, text } = await put(at, clean, ["mylib"]);
    expect(status).toBe(500);
    expect(text).not.toContain("inner detail");
    expect(at.logged.join()).toContain("inner detail");
  });

  test.each(["nope", '["a"', "['a']", '["a"],', "\ufeff[]", '["\u0001"]', '["\\x"]'])(
    "%j is not JSON",
    async (body) => {
      const at = await site();
      const { status, text } = await put(at, clean, body);
      expect([status, text]).toEqual([200, '{"code":4,"msg":"Failed to parse JSON string array"}']);
      expect(at.agent.touched).toBe(0);
    },
  );

  test.each(["{}", '"mylib"', "12", "null", "true"])("%s is JSON and no array", async (body) => {
    const at = await site();
    const { status, text } = await put(at, clean, body);
    expect([status, text]).toEqual([200, '{"code":4,"msg":"JSON payload is not an array"}']);
  });

  test.each([
    ["no body", undefined],
    ["an empty one", ""],
    ["one byte", "1"],
    ["a byte over 5 MiB", `["${"x".repeat(5_242_880 - 3)}"]`],
  ])("%s is refused as NJet does", async (_, body) => {
    const at = await site();
    const { status, text } = await at.call("PUT", clean, { body });
    expect([status, text]).toEqual([400, badBody]);
    expect(at.agent.touched).toBe(0);
  });

  test("a body of exactly 5 MiB is taken, also without its length said first", async () => {
    const at = await site();
    const body = `["${"x".repeat(5_242_880 - 4)}"]`;
    expect((await at.call("PUT", clean, { body })).json).toMatchObject({ code: 0 });
    const headers = { "transfer-encoding": "chunked" };
    expect((await at.call("PUT", clean, { body: `${body} `, headers })).text).toBe(badBody);
  });

  test("GET says what to do, with a newline", async () => {
    const at = await site();
    const { status, text } = await at.call("GET", clean);
    expect([status, text]).toEqual([200, "please use put to invoke this api\n"]);
  });
});

describe("the paths below /api/v1/config", () => {
  test("GET lists the modules", async () => {
    const at = await site();
    for (const target of ["/api/v1/config/", "/api/v1/config"]) {
      const { status, text } = await at.call("GET", target);
      expect([status, text]).toEqual([200, '["http_lua"]']);
    }
  });

  test("a module that is not there, read or written", async () => {
    const at = await site();
    const answer = [200, '{"code":-1, "msg":"no rpc handler registered"}'];
    const read = await at.call("GET", "/api/v1/config/nope");
    expect([read.status, read.text]).toEqual(answer);
    const written = await put(at, "/api/v1/config/nope", "[]");
    expect([written.status, written.text]).toEqual(answer);
    expect((await put(at, "/api/v1/config/nope", "")).text).toBe(badBody);
  });

  test.each([
    ["POST", clean],
    ["DELETE", lua],
    ["PATCH", clean],
    ["OPTIONS", clean],
    ["PROPFIND", "/api/v1/config/nope"],
    ["PUT", "/api/v1/config"],
    ["PUT", "/api/v1/config/http_lua/deeper"],
    ["GET", "/api/v1/config/http_lua/deeper"],
    ["GET", "/api/v1/config/nope/deeper"],
  ])("%s %s is not found", async (method, target) => {
    const at = await site();
    const { status, text } = await at.call(method, target, { body: method === "PUT" ? "[]" : undefined });
    expect([status, text]).toEqual([404, notFound]);
    expect(at.agent.touched).toBe(0);
  });

  test("HEAD is another method", async () => {
    const at = await site();
    expect((await at.call("HEAD", lua)).status).toBe(404);
  });

  test.each([
    "/api//v1/config/http%5flua/",
    "/x/../api/v1/./config/http_lua",
    "/api/v1/config/http_lua?x=/y/z",
  ])("%s means http_lua, as nginx reads it", async (target) => {
    const at = await site();
    expect((await at.call("GET", target)).json).toEqual(at.agent.servers);
  });
});

describe("PUT http_lua", () => {
  const document = (location: object, server: object = {}) => ({
    servers: [{ listens: ["0.0.0.0:80"], serverNames: [""], locations: [location], ...server }],
  });

  test("replaces the handlers of a location; GET returns the document without an envelope", async () => {
    const at = await site();
    const { status, text } = await put(
      at,
      lua,
      document({ location: "/luatest", lua: { content_by: "ngx.say(1)" } }),
    );
    expect([status, text]).toEqual([200, '{"code":0,"msg":"success."}']);
    const read = await at.call("GET", lua);
    expect(read.headers["content-type"]).toBe("application/json");
    expect(read.text).toBe(
      '{"servers":[{"listens":["0.0.0.0:80"],"serverNames":[""],"locations":[{"location":"/luatest","lua":{"content_by":"ngx.say(1)"}}]}]}',
    );
  });

  test("a location that is not configured", async () => {
    const at = await site();
    const { text } = await put(at, lua, document({ location: "/nope", lua: { content_by: "" } }));
    expect(text).toBe(
      '{"data":["servers[0.0.0.0:80,].locations[/nope] location not found"],"code":1,"msg":"partial success."}',
    );
  });

  test("a server that is not configured", async () => {
    const at = await site();
    const elsewhere = { listens: ["0.0.0.0:9999"], serverNames: ["x"] };
    const { status, text } = await put(at, lua, document({ location: "/luatest" }, elsewhere));
    expect([status, text]).toEqual([
      200,
      '{"data":["servers[0.0.0.0:9999,x]can not find server."],"code":4,"msg":"update dyn conf error."}',
    ]);
  });

  test("no server at all is nothing to do", async () => {
    const at = await site();
    expect((await put(at, lua, '{"servers":[]}')).text).toBe('{"code":0,"msg":"success."}');
  });

  test("Lua that does not compile changes nothing, not even what compiles", async () => {
    const at = await site();
    const before = at.agent.servers;
    const nested = { location: "/luatest/in", lua: { access_by: "a syntax error" } };
    const body = document({ location: "/luatest", lua: { content_by: "ngx.say(2)" }, locations: [nested] });
    expect((await put(at, lua, body)).text).toBe(
      `{"code":4,"msg":"access_by(/luatest/in):1: unexpected symbol near 'error'"}`,
    );
    expect(at.agent.servers).toBe(before);
    expect(at.agent.updates).toBe(0);
  });

  test.each([
    ["an unknown field", '{"servers":[],"x":1}', "pos: 14, Unknown field in 'document root': x"],
    [
      "an unknown field further in",
      '{"servers":[{"listens":["80"],"serverNames":[""],"locations":[{"location":"/","lua":{"contentby":""}}]}]}',
      "pos: 85, Unknown field in 'lua': contentby",
    ],
    [
      "a duplicate field",
      '{"servers":[],"servers":[]}',
      "pos: 14, Duplicate field definition in 'document root': servers",
    ],
    [
      "a duplicate field further in",
      '{"servers":[{"listens":["80"],"serverNames":[""],"locations":[{"location":"/","lua":{"content_by":"a","content_by":"b"}}]}]}',
      "pos: 102, Duplicate field definition in 'lua': content_by",
    ],
    ["a missing field", "{}", "pos: 0, Missing required field in 'document root': servers"],
    [
      "a missing field further in",
      '{"servers":[{"listens":["80"],"locations":[]}]}',
      "pos: 12, Missing required field in 'servers': serverNames",
    ],
    ["a wrong type", '{"servers":{}}', "pos: 11, Unexpected token in 'servers': OBJECT instead of ARRAY"],
    [
      "a wrong type at the top",
      "[1]",
      "pos: 0, Unexpected token in 'document root': ARRAY instead of OBJECT",
    ],
    [
      "a wrong type further in",
      '{"servers":[{"listens":[80],"serverNames":[""],"locations":[]}]}',
      "pos: 24, Unexpected token in 'listens': PRIMITIVE instead of STRING",
    ],
    [
      "an empty list of addresses",
      '{"servers":[{"listens":[],"serverNames":[""],"locations":[]}]}',
      "pos: 23, Invalid value in 'listens': it takes at least one address",
    ],
    ["no JSON", '{"servers":[}', "pos: 12, Invalid JSON: no value"],
    ["half of it", '{"servers":[', "pos: 12, Invalid JSON: the document ends too early"],
  ])("%s is code 3 and named", async (_, body, msg) => {
    const at = await site();
    const { status, json } = await put(at, lua, body);
    expect(status).toBe(200);
    expect(json).toEqual({ code: 3, msg });
    expect(at.agent.touched).toBe(0);
  });
});
