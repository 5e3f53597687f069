/** Checks the body of `PUT http_lua`, with NJet's messages for what does not fit (js2c_njet_builtins.h). */

import type { z } from "zod";
import { type ServersDocument, serversDocumentSchema } from "../../../core/servers.ts";
import { type JsonNode, plainValueOf, readJson } from "../json-reader.ts";

export type DocumentRead =
  | { readonly ok: true; readonly document: ServersDocument }
  | { readonly ok: false; readonly message: string };

/** One thing that is wrong, and where. */
interface Fault {
  readonly at: number;
  readonly message: string;
}

/** Of several faults the first in the text is told, as NJet does. */
export function readServersDocument(body: Uint8Array): DocumentRead {
  const read = readJson(body);
  if (!read.ok) return refuse({ at: read.at, message: `Invalid JSON: ${read.message}` });
  const checked = serversDocumentSchema.safeParse(plainValueOf(read.root));
  const faults = [
    ...duplicates(read.root, "document root"),
    ...(checked.success ? [] : checked.error.issues.flatMap((issue) => faultsOf(issue, read.root))),
  ];
  const first = faults.reduce<Fault | undefined>((a, b) => (a && a.at <= b.at ? a : b), undefined);
  if (first) return refuse(first);
  return { ok: true, document: checked.data as ServersDocument };
}

function refuse({ at, message }: Fault): DocumentRead {
  return { ok: false, message: `pos: ${at}, ${message}` };
}

/** @param within name of the field that the node is the value of */
function duplicates(node: JsonNode, within: string): readonly Fault[] {
  if (node.kind === "array") return node.items.flatMap((item) => duplicates(item, within));
  if (node.kind !== "object") return [];
  const seen = new Set<string>();
  return node.fields.flatMap(({ name, at, value }) => {
    const known = seen.has(name);
    seen.add(name);
    const own = known ? [{ at, message: `Duplicate field definition in '${within}': ${name}` }] : [];
    return [...own, ...duplicates(value, name)];
  });
}

function faultsOf(issue: z.core.$ZodIssue, root: JsonNode): readonly Fault[] {
  const node = nodeAt(root, issue.path);
  const field = lastName(issue.path);
  if (node === undefined) {
    const parent = nodeAt(root, issue.path.slice(0, -1));
    const within = lastName(issue.path.slice(0, -1));
    return [{ at: parent?.at ?? 0, message: `Missing required field in '${within}': ${field}` }];
  }
  if (issue.code === "unrecognized_keys" && node.kind === "object")
    return node.fields
      .filter(({ name }) => issue.keys.includes(name))
      .map(({ name, at }) => ({ at, message: `Unknown field in '${field}': ${name}` }));
  if (issue.code === "invalid_type" && issue.expected.toUpperCase() in tokenNames)
    return [
      {
        at: node.at,
        message: `Unexpected token in '${field}': ${node.kind.toUpperCase()} instead of ${issue.expected.toUpperCase()}`,
      },
    ];
  return [{ at: node.at, message: `Invalid value in '${field}': ${issue.message}` }];
}

/** Types that NJet's parser tells apart and our schema asks for. */
const tokenNames = { OBJECT: 1, ARRAY: 1, STRING: 1 } as const;

function nodeAt(root: JsonNode, path: readonly PropertyKey[]): JsonNode | undefined {
  return path.reduce<JsonNode | undefined>((node, key) => {
    if (node?.kind === "array") return node.items[Number(key)];
    if (node?.kind === "object") return node.fields.findLast(({ name }) => name === key)?.value;
    return undefined;
  }, root);
}

/** The nearest field name on the way: elements of a list go by the list's. */
function lastName(path: readonly PropertyKey[]): string {
  return String(path.findLast((key) => typeof key === "string") ?? "document root");
}
