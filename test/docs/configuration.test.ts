/** docs/configuration.md against the schema: the same keys, the same defaults, the same ranges. */

import { describe, expect, it } from "vitest";
import { z } from "zod";
import { loadConfig } from "../../src/config/index.ts";
import { configSchema } from "../../src/config/schema.ts";
import { phases } from "../../src/core/exchange.ts";
import { configServerSchema, locationSchema } from "../../src/core/servers.ts";
import { folderWith } from "../cli/relua.ts";
import { blocksOf, codeSpans, readDocument, rowsBelow } from "./markdown.ts";
import { walkThrough } from "./walk-through.ts";

const file = "docs/configuration.md";
const guide = readDocument(file);
const sections = [
  "Where the code is",
  "VMs",
  "What is served",
  "The control API",
  "Watching",
  "Reloading",
  "Checking",
  "Limits",
  "Targets",
];

interface Row {
  readonly key: string;
  /** The cell. */
  readonly takes: string;
  /** As JavaScript sees what stands there first; undefined for a word. */
  readonly standard: unknown;
}

const inServers = new Set(["listens", "serverNames", "locations", "location", "lua"]);
const rows = sections.flatMap((section) =>
  rowsBelow(guide, section).map(([key, takes, standard]): Row => {
    const [span] = codeSpans(standard!);
    return { key: codeSpans(key!)[0]!, takes: takes!, standard: span && JSON.parse(span) };
  }),
);
const keys = rows.filter(({ key }) => !inServers.has(key));

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly anyOf?: readonly JsonSchema[];
}

/** Every key that the file may have, in dots; `servers` is a document of its own. */
function keysOf(schema: JsonSchema, path = ""): readonly string[] {
  const object = [schema, ...(schema.anyOf ?? [])].find(({ properties }) => properties !== undefined);
  if (object?.properties === undefined || path === "servers") return [path];
  return Object.entries(object.properties).flatMap(([key, inner]) =>
    keysOf(inner, path === "" ? key : `${path}.${key}`),
  );
}

/** A configuration of this one key. */
function only(key: string, value: unknown): Readonly<Record<string, unknown>> {
  return key.split(".").reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as never;
}

const accepts = (key: string, value: unknown) => configSchema.safeParse(only(key, value)).success;
const defaults = { ...configSchema.parse({}), prefix: "." };

describe("the keys", () => {
  it("are those of the schema, each once", () => {
    const known = keysOf(z.toJSONSchema(configSchema, { io: "input", unrepresentable: "any" }) as JsonSchema);
    expect(keys.map(({ key }) => key).toSorted()).toEqual(known.toSorted());
  });

  it.each(keys.filter(({ standard }) => standard !== undefined))("$key has this default", (row) => {
    expect({ ...defaults, ...configSchema.parse(only(row.key, row.standard)) }).toEqual(defaults);
  });

  it("control: another default is noticed", () => {
    for (const { key, value } of [
      { key: "concurrency", value: 63 },
      { key: "watch.maxFileBytes", value: "9m" },
    ])
      expect({ ...defaults, ...configSchema.parse(only(key, value)) }).not.toEqual(defaults);
  });

  it("without a default may be left out", () => {
    const without = keys.filter(({ standard }) => standard === undefined).map(({ key }) => key);
    expect(without).toEqual(["control.token"]);
  });

  const ranges = keys.flatMap(({ key, takes }) => {
    const [, from, to] = /`("?[\w]+"?)` to `("?\w+"?)`/.exec(takes) ?? [];
    return from === undefined || to === undefined ? [] : [{ key, from, to }];
  });

  it.each(ranges.filter(({ key }) => key !== "sharedDicts"))(
    "$key takes $from to $to",
    ({ key, from, to }) => {
      const [least, most] = [from, to].map((text) => bytes(JSON.parse(text) as string | number));
      expect([least! - 1, least!, most!, most! + 1].map((value) => accepts(key, value))).toEqual([
        false,
        true,
        true,
        false,
      ]);
    },
  );

  it("sharedDicts takes sizes in its range", () => {
    const sizes = ["8191", "8k", "2g", "3g"].map((size) => accepts("sharedDicts", { sessions: size }));
    expect(sizes).toEqual([false, true, true, false]);
  });

  const choices = keys.flatMap(({ key, takes }) => {
    const values = codeSpans(takes).filter(
      (span) => /^(".*"|true|false)$/.test(span) && !/ to `/.test(takes),
    );
    return values.length === 0 ? [] : [{ key, values }];
  });

  it.each(choices)("$key takes $values and nothing else", ({ key, values }) => {
    for (const value of values) expect(accepts(key, JSON.parse(value)), value).toBe(true);
    expect(accepts(key, "something else")).toBe(false);
  });
});

describe("servers", () => {
  const documented = rows.filter(({ key }) => inServers.has(key)).map(({ key }) => key);

  it("and locations have these keys", () => {
    const server = keysOf(z.toJSONSchema(configServerSchema, { io: "input" }) as JsonSchema);
    expect(documented.slice(0, 3)).toEqual(server);
    expect(documented.slice(3)).toEqual(["location", "lua", "locations"]);
    for (const key of documented.slice(3)) expect(unknownIn(locationSchema, key), key).toBe(false);
    expect(unknownIn(locationSchema, "lau")).toBe(true);
  });

  it("have a handler for each phase, as text or as file", () => {
    const spans = new Set(codeSpans(guide));
    for (const phase of phases)
      for (const key of [`${phase}_by`, `${phase}_by_file`]) expect(spans, key).toContain(key);
  });
});

describe("the examples", () => {
  it("are configurations", async () => {
    const configs = blocksOf(guide, file).filter(({ language }) => language === "ts");
    expect(configs.length).toBeGreaterThan(1);
    for (const { text } of configs) {
      const config = await loadConfig("watch.config.ts", folderWith({ "watch.config.ts": text }));
      expect(config.servers).toHaveLength(1);
    }
  });

  it("of the command line print what is shown", async () => {
    await walkThrough(blocksOf(guide, file).filter(({ language }) => language === "console"));
  });
});

function unknownIn(schema: z.ZodType, key: string): boolean {
  const { error } = schema.safeParse({ [key]: undefined });
  return error?.issues.some((issue) => issue.code === "unrecognized_keys") ?? false;
}

function bytes(size: string | number): number {
  if (typeof size === "number") return size;
  const [, digits, unit] = /^(\d+)([kmg]?)$/.exec(size) ?? [];
  return Number(digits) * 1024 ** ["", "k", "m", "g"].indexOf(unit ?? "");
}
