/** Whatever is sent: an answer, never a 500, and the agent is asked for nothing that was not meant. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plainValueOf, readJson } from "../../../src/http/control/json-reader.ts";
import { configPath } from "../../../src/http/control/njet/path.ts";
import { reloadRequestSchema } from "../../../src/http/control/relua/reloads.ts";
import { type Site, site } from "./calls.ts";

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");

/** Bodies that are nearly right: JSON, JSON with a few bytes changed, and anything at all. */
const document = fc.oneof(
  fc.json(),
  fc.constant('{"names":["mylib"],"files":["apps/a.lua"],"force":true}'),
  fc.constant('["mylib","string",1]'),
  fc.constant(
    '{"servers":[{"listens":["0.0.0.0:80"],"serverNames":[""],"locations":[{"location":"/luatest","lua":{"content_by":""}}]}]}',
  ),
);
const spoilt = fc
  .tuple(document, fc.nat(), fc.integer({ min: 0, max: 4 }), fc.uint8Array({ maxLength: 4 }))
  .map(([whole, at, length, put]) => {
    const bytes = Buffer.from(whole);
    const from = at % (bytes.length + 1);
    return Uint8Array.from([...bytes.subarray(0, from), ...put, ...bytes.subarray(from + length)]);
  });
const body = fc.oneof(
  spoilt,
  document.map((whole) => Uint8Array.from(Buffer.from(whole))),
  fc.uint8Array({ maxLength: 200 }),
);

const segment = fc.oneof(
  fc.constantFrom(
    "api",
    "v1",
    "config",
    "reloads",
    "http_lua",
    "http_lua_package_clean",
    "modules",
    "%2F",
    "%",
    "..",
    "",
  ),
  fc.constantFrom("hold", "release", "rollback", "plan?changed=x", "graph?format=dot", "status", "healthz"),
  fc.stringMatching(/^[\w.~%?&=:@;,+-]{0,12}$/),
);
const target = fc.array(segment, { maxLength: 6 }).map((segments) => `/${segments.join("/")}`);
const method = fc.constantFrom("GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "PROPFIND");

describe("any request", () => {
  const calls = [
    ["PUT", "/api/v1/config/http_lua"],
    ["PUT", "/api/v1/config/http_lua_package_clean"],
    ["POST", "/api/v1/reloads"],
    ["POST", "/api/v1/hold"],
    ["POST", "/api/v1/release"],
    ["POST", "/api/v1/rollback"],
  ] as const;

  /** Throws when an answer is none that the call may give, or when the agent is asked for what nobody sent. */
  const answersAnything = (at: Site, endOnFailure = false) =>
    fc.assert(
      fc.asyncProperty(fc.constantFrom(...calls), body, async ([verb, place], bytes) => {
        const before = at.agent.reloads.length;
        const { status, json } = await at.call(verb, place, { body: bytes });
        expect([200, 400, 404]).toContain(status);
        expect(json).toBeTypeOf("object");
        for (const { request, trigger } of at.agent.reloads.slice(before)) {
          // What reaches the agent is what the bytes say when read by JSON.parse.
          const meant: unknown = bytes.length === 0 ? {} : JSON.parse(text(bytes));
          if (trigger === "api") expect(reloadRequestSchema.safeParse(meant).success).toBe(true);
          else for (const name of request.names ?? []) expect(meant).toContain(name);
        }
      }),
      { numRuns: 400, endOnFailure },
    );

  test("any body for any call is answered with what the call may answer", async () => {
    const at = await site();
    await answersAnything(at);
    expect(at.logged.filter((line) => line.startsWith("error"))).toEqual([]);
    expect(at.agent.touched).toBeGreaterThan(0);
  });

  test("control: the same property sees a call that fails, and one that asks for more than was sent", async () => {
    const failing = await site();
    failing.agent.next = () => Promise.reject(new Error("a bug"));
    await expect(answersAnything(failing, true)).rejects.toThrow();

    const meddling = await site();
    const reload = meddling.agent.reload.bind(meddling.agent);
    meddling.agent.reload = (request, trigger) =>
      reload({ ...request, names: [...(request.names ?? []), "not asked for"] }, trigger);
    await expect(answersAnything(meddling, true)).rejects.toThrow();
  });

  test("any target by any method is answered, and none of them is a 500", async () => {
    const at = await site();
    await fc.assert(
      fc.asyncProperty(method, target, async (verb, place) => {
        fc.pre(!place.includes("events"));
        const { status } = await at.call(verb, place);
        expect(status).toBeLessThan(500);
        expect(status).toBeGreaterThanOrEqual(200);
      }),
      { numRuns: 400 },
    );
    expect(at.logged.filter((line) => line.startsWith("error"))).toEqual([]);
  });

  test("with a token and without saying it, nothing but health answers", async () => {
    const at = await site({ token: "s3cret" });
    await fc.assert(
      fc.asyncProperty(method, target, async (verb, place) => {
        const { status } = await at.call(verb, place, { body: verb === "PUT" ? "[]" : undefined });
        const health = /^\/(?:healthz|readyz)(?:\?|$)/.test(place);
        if (!health) expect(status).toBe(401);
      }),
      { numRuns: 300 },
    );
    expect(at.agent.touched).toBe(0);
  });
});

describe("the JSON reader", () => {
  /** Reads as JSON.parse reads, where the names of each object are different. */
  const agrees = (read: (bytes: Uint8Array) => unknown, bytes: Uint8Array) => {
    let expected: unknown;
    try {
      expected = {
        value: JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)),
      };
    } catch {
      expected = "refused";
    }
    expect(read(bytes)).toEqual(expected);
  };
  const ours = (bytes: Uint8Array) => {
    const result = readJson(bytes);
    return result.ok ? { value: plainValueOf(result.root) } : "refused";
  };

  test("takes and refuses what JSON.parse does, and reads the same", () => {
    fc.assert(
      fc.property(body, (bytes) => agrees(ours, bytes)),
      { numRuns: 3000 },
    );
  });

  test("control: the comparison sees a reader that takes more than JSON", () => {
    const loose = (bytes: Uint8Array) =>
      ours(Uint8Array.from(Buffer.from(text(bytes).replace(/,\s*([\]}])/g, "$1"))));
    const trailing = fc.constant(Uint8Array.from(Buffer.from('["a",]')));
    expect(() => fc.assert(fc.property(trailing, (bytes) => agrees(loose, bytes)))).toThrow();
  });

  test("deep nesting is refused, not a crash", () => {
    for (const open of ["[", '{"a":']) {
      const deep = Buffer.from(open.repeat(100_000));
      expect(readJson(deep)).toMatchObject({ ok: false, message: "nested more than 100 deep" });
    }
  });

  test("long texts are read without a crash", () => {
    const long = JSON.stringify("\\é".repeat(1_500_000));
    expect(ours(Buffer.from(long))).toEqual({ value: JSON.parse(long) });
  });
});

describe("NJet's paths", () => {
  test("slashes, dots and encoding change nothing", () => {
    const noise = fc.constantFrom("/", "//", "/./", "/x/../", "///");
    fc.assert(
      fc.property(fc.array(noise, { minLength: 4, maxLength: 4 }), fc.boolean(), ([a, b, c, d], encoded) => {
        const name = encoded ? "%68ttp_lua" : "http_lua";
        expect(configPath(`${a}api${b}v1${c}config${d}${name}`)).toEqual(["http_lua"]);
      }),
    );
  });
});
