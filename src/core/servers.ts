/** The servers document: the `servers` of the config file and the body of NJet's http_lua API. */

import { z } from "zod";
import { closedObject } from "./closed-object.ts";
import { type Phase, phases } from "./exchange.ts";
import { parseListen } from "./listen.ts";
import { locationPatternProblem } from "./location-pattern.ts";

export { formatListen, isLoopback, type ListenAddress, parseListen } from "./listen.ts";
export { parseLocationPattern } from "./location-pattern.ts";

/** Key of a phase's source text in `lua`: `content_by`, …. */
export type InlineKey = `${Phase}_by`;
/** Key of a phase's file in `lua`: `content_by_file`, …. */
export type FileKey = `${Phase}_by_file`;
/** `lua` of a location: at most one of text and file for each phase. */
export type LocationLua = { readonly [key in InlineKey | FileKey]?: string | undefined };

export interface LocationDocument {
  /** In nginx's forms: `/prefix`, `= /exact`, `^~ /prefix`, `~ regex`, `~* regex`, `@name`. */
  readonly location: string;
  /** Absent: untouched (API), no handlers (config). */
  readonly lua?: LocationLua | undefined;
  readonly locations?: readonly LocationDocument[] | undefined;
}

export interface ServerDocument {
  readonly listens: readonly string[];
  readonly serverNames: readonly string[];
  readonly locations: readonly LocationDocument[];
}

/** The whole document, as `PUT /api/v1/config/http_lua` takes and `GET` returns it. */
export interface ServersDocument {
  readonly servers: readonly ServerDocument[];
}

/** Names of the two keys of a phase. */
export function luaKeys(phase: Phase): { readonly inline: InlineKey; readonly file: FileKey } {
  return { inline: `${phase}_by`, file: `${phase}_by_file` };
}

const text = (takes: string) => z.string({ error: `it takes ${takes}` });
const list = <T extends z.ZodType>(item: T, takes: string) => z.array(item, { error: `it takes ${takes}` });

const inlineKeys = phases.map((phase) => luaKeys(phase).inline);
const fileKeys = phases.map((phase) => luaKeys(phase).file);

/** Refinements run even where another field is wrong, so that every problem is named in one go. */
const always = () => true;
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

const luaShape = Object.fromEntries([
  ...inlineKeys.map((key) => [key, text("Lua source text").optional()] as const),
  ...fileKeys.map((key) => {
    const file = text("the path of a Lua file");
    return [key, file.min(1, { error: "it takes the path of a Lua file" }).optional()] as const;
  }),
]) as Record<InlineKey | FileKey, z.ZodOptional<z.ZodString>>;

const luaSchema = phases.reduce((schema, phase) => {
  const { inline, file } = luaKeys(phase);
  return schema.refine(
    (lua: unknown) => !isRecord(lua) || lua[inline] === undefined || lua[file] === undefined,
    { error: `it takes ${inline} or ${file}, not both`, path: [file], when: always },
  );
}, closedObject(luaShape));

const locationPattern = text("a location such as /prefix or = /exact").check((context) => {
  const problem = locationPatternProblem(context.value);
  if (problem !== undefined) {
    context.issues.push({ code: "custom", message: problem, input: context.value });
  }
});

const listen = text("ADDRESS:PORT").check((context) => {
  try {
    parseListen(context.value);
  } catch {
    const message = "it takes ADDRESS:PORT, PORT, *:PORT or [IPv6]:PORT, with a port from 0 to 65535";
    context.issues.push({ code: "custom", message, input: context.value });
  }
});

/** Checks one location and those in it. */
export const locationSchema: z.ZodType<LocationDocument> = closedObject({
  location: locationPattern,
  lua: luaSchema.optional(),
  get locations() {
    return list(locationSchema, "a list of locations").optional();
  },
});

const listens = list(listen, "a list of addresses").min(1, { error: "it takes at least one address" });
const serverNames = list(text("a server name"), "a list of names").min(1, {
  error: "it takes at least one name",
});
const locations = list(locationSchema, "a list of locations");

/** Checks one server of the API's document, where nothing is left out. */
const serverSchema: z.ZodType<ServerDocument> = closedObject({ listens, serverNames, locations });

/** Checks one server of the config file: `serverNames` is `[""]` and `locations` empty when left out. */
export const configServerSchema = closedObject({
  listens,
  serverNames: serverNames.default(() => [""]),
  locations: locations.default(() => []),
});

/** Checks the document of the http_lua API. Unknown keys, wrong types and missing keys are issues with their path. */
export const serversDocumentSchema: z.ZodType<ServersDocument> = closedObject({
  servers: list(serverSchema, "a list of servers"),
});
