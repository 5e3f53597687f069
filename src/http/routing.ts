/** The table of servers and locations: which location takes a request that came in on an address. */

import { type HandlerSource, type LocationHandlers, type Phase, phases } from "../core/exchange.ts";
import {
  formatListen,
  type ListenAddress,
  type LocationDocument,
  luaKeys,
  parseListen,
  parseLocationPattern,
  type ServerDocument,
} from "../core/servers.ts";
import { LocationChoice, type LocationMatch, type LocationNode } from "./location-choice.ts";
import { type NamedServer, ServerChoice } from "./server-choice.ts";

/** A server with its locations. */
export interface RoutedServer {
  /** The first of its names (`$server_name`). */
  readonly name: string;
  readonly locations: LocationChoice;
  /** `@name` locations, for internal redirects. */
  readonly named: ReadonlyMap<string, LocationHandlers>;
}

/** One address to listen on, and the servers on it. */
export interface RoutedListen {
  /** Its spelling, `0.0.0.0:80`; a second `…:0` is another address, `…:0#2`. Stays the same from table to table. */
  readonly key: string;
  readonly address: ListenAddress;
  readonly servers: ServerChoice<RoutedServer>;
}

export interface Route {
  readonly server: RoutedServer;
  /** Undefined: 404. */
  readonly location: LocationHandlers | undefined;
  readonly captures: readonly string[];
}

/** An immutable table; built anew when the servers document changes. */
export interface Routes {
  readonly listens: ReadonlyMap<string, RoutedListen>;
  /** Every location, for the VMs. */
  readonly locations: readonly LocationHandlers[];
  /** The first number that this table did not give to a location: `firstId` of the next one. */
  readonly nextId: number;
  /**
   * `listen` is a key of `listens`, `host` without port and in lower case (empty: none given), `uri` decoded and
   * normalised, or `@name`. Undefined when nothing listens there.
   */
  route(listen: string, host: string, uri: string): Route | undefined;
}

/**
 * Builds the table. Locations are numbered from `firstId`.
 * @throws ReluaError `config-invalid` for an address, a pattern or a server name that is none.
 */
export function createRoutes(servers: readonly ServerDocument[], firstId = 1): Routes {
  const numbering = new Numbering(firstId);
  const routed = servers.map((document) => ({ document, server: routeServer(document, numbering) }));
  const listens = groupByListen(routed);
  return {
    listens,
    locations: numbering.locations,
    nextId: firstId + numbering.locations.length,
    route(listen, host, uri) {
      const server = listens.get(listen)?.servers.choose(host);
      if (server === undefined) return undefined;
      const match = matchLocation(server, uri);
      return { server, location: match?.handlers, captures: match?.captures ?? [] };
    },
  };
}

/** The location of a path, or the named one of an `@name`. */
export function matchLocation(server: RoutedServer, uri: string): LocationMatch | undefined {
  if (!uri.startsWith("@")) return server.locations.choose(uri);
  const handlers = server.named.get(uri);
  return handlers && { handlers, captures: [] };
}

type Handlers = LocationHandlers["handlers"];

/** Gives each location a number that is never used again: requests on their way hold on to theirs. */
class Numbering {
  readonly locations: LocationHandlers[] = [];
  readonly #firstId: number;

  constructor(firstId: number) {
    this.#firstId = firstId;
  }

  add(pattern: string, handlers: Handlers): LocationHandlers {
    const location = { id: this.#firstId + this.locations.length, pattern, handlers };
    this.locations.push(location);
    return location;
  }
}

function routeServer(document: ServerDocument, numbering: Numbering): RoutedServer {
  const named = new Map<string, LocationHandlers>();
  const nodes = routeLocations(document.locations, {}, numbering, named);
  return { name: document.serverNames[0] ?? "", locations: new LocationChoice(nodes), named };
}

function routeLocations(
  documents: readonly LocationDocument[],
  outer: Handlers,
  numbering: Numbering,
  named: Map<string, LocationHandlers> | undefined,
): LocationNode[] {
  return documents.flatMap((document) => {
    const pattern = parseLocationPattern(document.location);
    const handlers = { ...outer, ...handlersOf(document) };
    const location = numbering.add(document.location, handlers);
    if (pattern.kind === "named") {
      // nginx has named locations on the server's level only.
      if (named !== undefined && !named.has(pattern.name)) named.set(pattern.name, location);
      return [];
    }
    const { content: _, ...inherited } = handlers;
    const inner = document.locations ?? [];
    const nodes = routeLocations(inner, inherited, numbering, undefined);
    return [
      { pattern, handlers: location, inner: nodes.length === 0 ? undefined : new LocationChoice(nodes) },
    ];
  });
}

/** A location's own handlers. Those of the levels around it stand in for what it lacks, the content handler excepted. */
function handlersOf({ lua }: LocationDocument): Handlers {
  const handlers: Partial<Record<Phase, HandlerSource>> = {};
  if (lua === undefined) return handlers;
  for (const phase of phases) {
    const { inline, file } = luaKeys(phase);
    const code = lua[inline];
    const path = lua[file];
    if (code !== undefined) handlers[phase] = { kind: "inline", code };
    else if (path !== undefined) handlers[phase] = { kind: "file", path };
  }
  return handlers;
}

type Named = NamedServer<RoutedServer>;

function groupByListen(
  routed: readonly { readonly document: ServerDocument; readonly server: RoutedServer }[],
): ReadonlyMap<string, RoutedListen> {
  const groups = new Map<string, { address: ListenAddress; servers: [Named, ...Named[]] }>();
  for (const { document, server } of routed) {
    const entry = { server, names: document.serverNames };
    const seen = new Set<string>();
    for (const text of document.listens) {
      const address = parseListen(text);
      const key = keyOf(address, groups);
      if (seen.has(key)) continue;
      seen.add(key);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { address, servers: [entry] });
      else group.servers.push(entry);
    }
  }
  return new Map(
    [...groups].map(([key, { address, servers }]) => [
      key,
      { key, address, servers: new ServerChoice<RoutedServer>(servers) },
    ]),
  );
}

/** Port 0 is a port of its own each time. */
function keyOf(address: ListenAddress, taken: ReadonlyMap<string, unknown>): string {
  const spelling = formatListen(address);
  if (address.port !== 0 || !taken.has(spelling)) return spelling;
  for (let count = 2; ; count += 1) if (!taken.has(`${spelling}#${count}`)) return `${spelling}#${count}`;
}
