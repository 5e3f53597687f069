/** `/openapi.json`: the operations as an OpenAPI 3.1 document, from the schemas that check them. */

import { z } from "zod";
import { locationSchema, serversDocumentSchema } from "../../../core/servers.ts";
import { problemType } from "../problem.ts";
import {
  changeSchema,
  edgeSchema,
  evictedSchema,
  fileExplanationSchema,
  graphSchema,
  holdSchema,
  keptSchema,
  loadErrorSchema,
  moduleExplanationSchema,
  moduleSchema,
  outcomeSchema,
  plannedFilesSchema,
  planSchema,
  problemSchema,
  reasonSchema,
  resolutionSchema,
  statusSchema,
  vmSchema,
} from "../schemas.ts";
import { nothing } from "./fields.ts";
import { holdRequestSchema } from "./holds.ts";
import { type Operation, operation } from "./operation.ts";
import { reloadRequestSchema } from "./reloads.ts";

type Json = Readonly<Record<string, unknown>>;

/** Schemas that go by a name. */
const named = {
  Change: changeSchema,
  Evicted: evictedSchema,
  Hold: holdSchema,
  Kept: keptSchema,
  LoadError: loadErrorSchema,
  Outcome: outcomeSchema,
  Vm: vmSchema,
  Status: statusSchema,
  Plan: planSchema,
  PlannedFiles: plannedFilesSchema,
  Module: moduleSchema,
  ModuleExplanation: moduleExplanationSchema,
  FileExplanation: fileExplanationSchema,
  Resolution: resolutionSchema,
  Reason: reasonSchema,
  Edge: edgeSchema,
  Graph: graphSchema,
  Problem: problemSchema,
  ReloadRequest: reloadRequestSchema,
  HoldRequest: holdRequestSchema,
  Location: locationSchema,
  ServersDocument: serversDocumentSchema,
} as const;

export function openApiOperation(operations: readonly Operation[]): Operation {
  let document: Json | undefined;
  const self: Operation = operation({
    method: "GET",
    place: "/openapi.json",
    summary: "This document",
    path: nothing,
    query: nothing,
    body: undefined,
    answers: { 200: { description: "OpenAPI 3.1" } },
    answer: () => {
      document ??= openApi([...operations, self]);
      return Response.json(document);
    },
  });
  return self;
}

export function openApi(operations: readonly Operation[]): Json {
  const schemas = new Schemas();
  const paths: Record<string, Record<string, Json>> = {};
  for (const each of operations) {
    paths[each.place] = { ...paths[each.place], [each.method.toLowerCase()]: describe(each, schemas) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "Relua control plane", version: "1" },
    paths: { ...paths, ...njetPaths(schemas) },
    components: {
      schemas: schemas.all(),
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
    security: [{ token: [] }, {}],
  };
}

function describe(each: Operation, schemas: Schemas): Json {
  const { summary, answers, body } = each;
  const answersByStatus = Object.entries(answers).map(([status, { description, schema, contentType }]) => {
    const type = contentType ?? "application/json";
    const content = schema ? { schema: schemas.of(schema, "output") } : {};
    return [status, { description, ...(schema || contentType ? { content: { [type]: content } } : {}) }];
  });
  return {
    summary,
    parameters: [...parameters(each.path, "path"), ...parameters(each.query, "query")],
    ...(body
      ? { requestBody: { content: { "application/json": { schema: schemas.of(body, "input") } } } }
      : {}),
    responses: { ...Object.fromEntries(answersByStatus), default: problemAnswer(schemas) },
  };
}

function problemAnswer(schemas: Schemas): Json {
  return {
    description: "A problem",
    content: { [problemType]: { schema: schemas.of(problemSchema, "output") } },
  };
}

function parameters(schema: z.ZodType, place: "path" | "query"): readonly Json[] {
  const object = z.toJSONSchema(schema, { io: "input" });
  return Object.entries(object.properties ?? {}).map(([name, property]) => ({
    name,
    in: place,
    required: object.required?.includes(name) ?? false,
    schema: property,
  }));
}

/** NJet's part, whose bodies are written elsewhere: its answers have their own envelope. */
function njetPaths(schemas: Schemas): Json {
  const result = z.looseObject({
    code: z.int(),
    msg: z.string(),
    data: z.array(z.string()).optional(),
  });
  const answers = (schema: z.ZodType) => ({
    200: {
      description: "Done, or why not",
      content: { "application/json": { schema: schemas.of(schema, "output") } },
    },
  });
  const takes = (schema: z.ZodType) => ({
    requestBody: { required: true, content: { "application/json": { schema: schemas.of(schema, "input") } } },
  });
  return {
    "/api/v1/config/http_lua": {
      get: { summary: "The servers and their handlers", responses: answers(serversDocumentSchema) },
      put: {
        summary: "Replaces the handlers of listed locations",
        ...takes(serversDocumentSchema),
        responses: answers(result),
      },
    },
    "/api/v1/config/http_lua_package_clean": {
      put: {
        summary: "Evicts modules and their dependents in every VM",
        ...takes(z.array(z.string())),
        responses: answers(result),
      },
    },
  };
}

/** JSON schemas of zod's: named ones stand in `components`, and are referred to. */
class Schemas {
  readonly #all: Readonly<Record<string, Json>>;

  constructor() {
    const registry = z.registry<{ id: string }>();
    for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
    const made = z.toJSONSchema(registry, { uri: reference, io: "input" });
    this.#all = Object.fromEntries(
      Object.entries(made.schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]),
    );
  }

  all(): Json {
    return this.#all;
  }

  of(schema: z.ZodType, io: "input" | "output"): Json {
    const id = Object.entries(named).find(([, known]) => known === schema)?.[0];
    if (id !== undefined) return { $ref: reference(id) };
    if (schema instanceof z.ZodArray)
      return { type: "array", items: this.of(schema.element as z.ZodType, io) };
    const { $schema, ...json } = z.toJSONSchema(schema, { io });
    return json;
  }
}

function reference(id: string): string {
  return `#/components/schemas/${id}`;
}
