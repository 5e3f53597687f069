/** Applies a `PUT http_lua` to the servers document, by NJet's declarative rules. */

import { phases } from "../core/exchange.ts";
import {
  formatListen,
  type LocationDocument,
  type LocationLua,
  luaKeys,
  parseListen,
  parseLocationPattern,
  type ServerDocument,
  type ServersDocument,
} from "../core/servers.ts";

/** What became of a document that was put. */
export interface ServersUpdateReport {
  /** One line for each server or location that is not configured, in NJet's words; empty when all were found. */
  readonly problems: readonly string[];
  /** Servers of the PUT that were found. With none, NJet answers code 4; with some and problems, code 1. */
  readonly applied: number;
}

/** The same, with the document that is served from now on. */
export interface ServersUpdate extends ServersUpdateReport {
  readonly next: ServersDocument;
}

/**
 * The document after `put`. A server is found by `listens[0]` and `serverNames[0]`, a location by its pattern; both must
 * be there already. A location's `lua` replaces its inline handlers and those of the same phases; without `lua` it
 * stays as it is. Both documents must have passed `serversDocumentSchema`.
 */
export function updateServers(current: ServersDocument, put: ServersDocument): ServersUpdate {
  const servers = [...current.servers];
  const problems: string[] = [];
  let applied = 0;
  for (const wanted of put.servers) {
    const listen = spell(wanted.listens[0] ?? "");
    const name = wanted.serverNames[0] ?? "";
    const place = `servers[${listen},${name}]`;
    const index = servers.findIndex((server) => answersTo(server, listen, name));
    const server = servers[index];
    if (server === undefined) {
      problems.push(`${place}can not find server.`);
      continue;
    }
    applied += 1;
    servers[index] = {
      ...server,
      locations: updateLocations(server.locations, wanted.locations, place, problems),
    };
  }
  return { next: { servers }, problems, applied };
}

function answersTo(server: ServerDocument, listen: string, name: string): boolean {
  const lowered = name.toLowerCase();
  return (
    server.listens.some((text) => spell(text) === listen) &&
    server.serverNames.some((own) => own.toLowerCase() === lowered)
  );
}

function spell(listen: string): string {
  return formatListen(parseListen(listen));
}

function updateLocations(
  current: readonly LocationDocument[],
  put: readonly LocationDocument[],
  place: string,
  problems: string[],
): readonly LocationDocument[] {
  const locations = [...current];
  for (const wanted of put) {
    const here = `${place}.locations[${wanted.location}]`;
    const pattern = spellPattern(wanted.location);
    const index = locations.findIndex(({ location }) => spellPattern(location) === pattern);
    const found = locations[index];
    if (found === undefined) {
      problems.push(`${here} location not found`);
      continue;
    }
    const lua = wanted.lua === undefined ? found.lua : replaceHandlers(found.lua ?? {}, wanted.lua);
    const inner =
      wanted.locations && updateLocations(found.locations ?? [], wanted.locations, here, problems);
    locations[index] = {
      ...found,
      ...(lua === undefined ? {} : { lua }),
      ...(inner === undefined || (inner.length === 0 && found.locations === undefined)
        ? {}
        : { locations: inner }),
    };
  }
  return locations;
}

/** One spelling for `=/x` and `= /x`. */
function spellPattern(location: string): string {
  const pattern = parseLocationPattern(location);
  switch (pattern.kind) {
    case "exact":
      return `= ${pattern.path}`;
    case "prefix":
      return pattern.final ? `^~ ${pattern.path}` : pattern.path;
    case "regex":
      return `${pattern.regex.flags === "i" ? "~*" : "~"} ${pattern.regex.source}`;
    case "named":
      return pattern.name;
  }
}

/** Inline handlers that are not listed go (so `content_by` alone clears `access_by`), files stay unless replaced. */
function replaceHandlers(current: LocationLua, put: LocationLua): LocationLua {
  const next: { -readonly [key in keyof LocationLua]: LocationLua[key] } = {};
  for (const phase of phases) {
    const { inline, file } = luaKeys(phase);
    if (put[inline] !== undefined) next[inline] = put[inline];
    else if (put[file] !== undefined) next[file] = put[file];
    else if (current[file] !== undefined) next[file] = current[file];
  }
  return next;
}
