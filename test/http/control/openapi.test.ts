/** `/openapi.json`: what it says of the answers is what they are. */

import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Site, site } from "./calls.ts";
import { outcome, prefix } from "./fake-agent.ts";

type Json = Readonly<Record<string, unknown>>;
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Json>> };
}
interface Described {
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
}
type Content = Readonly<Record<string, { readonly schema?: Json }>>;

async function documentOf(at: Site): Promise<Document> {
  return (await at.call("GET", "/openapi.json")).json as Document;
}

/** A validator made of the document alone. */
function validator(document: Document, schema: Json): z.ZodType {
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
  return z.fromJSONSchema(JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/")));
}

function answerSchema(document: Document, place: string, method: string, status: number): Json {
  const content = document.paths[place]?.[method]?.responses[status]?.content ?? {};
  const schema = content["application/json"]?.schema;
  if (!schema) throw new Error(`the document says nothing of ${status} at ${method} ${place}`);
  return schema;
}

async function siteWithHistory(): Promise<Site> {
  const at = await site();
  const path = `${prefix}/apps/c.lua`;
  const errors = [{ path, line: 3, message: "no", requiredBy: ["a"] }];
  at.agent.history.add(outcome({ id: 1, reason: "deploy" }));
  at.agent.history.add(outcome({ id: 2, outcome: "rejected", errors }));
  at.agent.graph.observe(1, {
    name: "c",
    path,
    file: path,
    hash: "0c",
    probes: [],
    held: true,
    generation: 1,
  });
  at.agent.graph.connect({ from: "a", to: "c", kind: "load", at: "a.lua:1" });
  return at;
}

describe("the document", () => {
  test("is OpenAPI 3.1, and every reference leads somewhere", async () => {
    const document = await documentOf(await site());
    expect(document.openapi).toBe("3.1.0");
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name ?? "",
    );
    expect(references.length).toBeGreaterThan(10);
    for (const name of references) expect(document.components.schemas).toHaveProperty(name);
    expect(text).not.toContain("$schema");
    expect(text.match(/"\$ref":"(?!#\/components\/schemas\/\w+")/)).toBeNull();
  });

  test("lists what there is", async () => {
    const { paths } = await documentOf(await site());
    const operations = Object.entries(paths).flatMap(([place, methods]) =>
      Object.keys(methods).map((method) => `${method} ${place}`),
    );
    expect(operations.sort()).toEqual([
      "get /api/v1/config/http_lua",
      "get /api/v1/events",
      "get /api/v1/files/{file}",
      "get /api/v1/graph",
      "get /api/v1/modules",
      "get /api/v1/modules/{name}",
      "get /api/v1/plan",
      "get /api/v1/reloads",
      "get /api/v1/reloads/{id}",
      "get /api/v1/resolve",
      "get /api/v1/status",
      "get /healthz",
      "get /metrics",
      "get /openapi.json",
      "get /readyz",
      "post /api/v1/hold",
      "post /api/v1/release",
      "post /api/v1/reloads",
      "post /api/v1/rollback",
      "put /api/v1/config/http_lua",
      "put /api/v1/config/http_lua_package_clean",
    ]);
  });

  test.each([
    ["/api/v1/status", "/api/v1/status"],
    ["/api/v1/reloads", "/api/v1/reloads"],
    ["/api/v1/reloads/{id}", "/api/v1/reloads/2"],
    ["/api/v1/modules", "/api/v1/modules"],
    ["/api/v1/modules/{name}", "/api/v1/modules/c"],
    ["/api/v1/graph", "/api/v1/graph"],
    ["/api/v1/plan", "/api/v1/plan?changed=x.lua"],
    ["/healthz", "/healthz"],
    ["/readyz", "/readyz"],
    ["/api/v1/config/http_lua", "/api/v1/config/http_lua"],
  ])("says of %s what it answers", async (place, target) => {
    const at = await siteWithHistory();
    const document = await documentOf(at);
    const reply = await at.call("GET", target);
    expect(reply.status).toBe(200);
    expect(
      validator(document, answerSchema(document, place, "get", 200)).safeParse(reply.json).error,
    ).toBeUndefined();
  });

  test.each([
    ["committed", 200],
    ["rejected", 422],
    ["held", 409],
  ] as const)("says of a %s reload what it answers", async (kind, code) => {
    const at = await site();
    at.agent.next = async () => outcome({ outcome: kind });
    const document = await documentOf(at);
    const { json } = await at.call("POST", "/api/v1/reloads", { body: "{}" });
    const schema = validator(document, answerSchema(document, "/api/v1/reloads", "post", code));
    expect(schema.safeParse(json).error).toBeUndefined();
    // The control: the same check sees one key too many and one too few.
    expect(schema.safeParse({ ...(json as Json), extra: 1 }).success).toBe(false);
    expect(schema.safeParse({ ...(json as Json), evicted: undefined }).success).toBe(false);
  });

  test("says of a problem what it is", async () => {
    const at = await site();
    const document = await documentOf(at);
    const schema = validator(document, document.components.schemas.Problem ?? {});
    for (const target of ["/nowhere", "/api/v1/plan", "/api/v1/reloads/9"])
      expect(schema.safeParse((await at.call("GET", target)).json).error).toBeUndefined();
  });

  test("says of a reload request what is taken", async () => {
    const at = await site();
    const document = await documentOf(at);
    const body = document.paths["/api/v1/reloads"]?.post?.requestBody?.content["application/json"]?.schema;
    const schema = validator(document, body ?? {});
    for (const request of [{}, { names: ["a"], force: true }, { nmes: [] }, { names: [1] }, { all: 1 }]) {
      const { status } = await at.call("POST", "/api/v1/reloads", { body: JSON.stringify(request) });
      expect(schema.safeParse(request).success, JSON.stringify(request)).toBe(status === 200);
    }
  });
});
