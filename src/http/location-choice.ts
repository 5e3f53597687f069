/** Chooses a location by the request's path, in nginx's order (nginx, "location"). */

import type { LocationHandlers } from "../core/exchange.ts";
import type { LocationPattern } from "../core/location-pattern.ts";

/** A location with its pattern parsed and those inside it. */
export interface LocationNode {
  readonly pattern: Exclude<LocationPattern, { readonly kind: "named" }>;
  readonly handlers: LocationHandlers;
  readonly inner: LocationChoice | undefined;
}

export interface LocationMatch {
  readonly handlers: LocationHandlers;
  /** Groups of the regex that decided, `$1` first. */
  readonly captures: readonly string[];
}

/** A match on the way: `decided` when no regex of an outer level may take it over. */
interface Candidate {
  readonly node: LocationNode;
  readonly captures: readonly string[] | undefined;
  readonly decided: boolean;
}

const none: readonly string[] = [];

/** Locations of one level: a server's, or those inside a location. Where two are alike, the first counts. */
export class LocationChoice {
  readonly #exact = new Map<string, LocationNode>();
  /** Prefixes by their length, longest first, so that a lookup costs one try per length. */
  readonly #prefixes: { readonly length: number; readonly nodes: Map<string, LocationNode> }[] = [];
  readonly #regexes: { readonly regex: RegExp; readonly node: LocationNode }[] = [];
  #lastUri: string | undefined;
  #lastMatch: LocationMatch | undefined;

  constructor(nodes: readonly LocationNode[]) {
    for (const node of nodes) {
      const { pattern } = node;
      if (pattern.kind === "regex") this.#regexes.push({ regex: pattern.regex, node });
      else if (pattern.kind === "prefix") this.#addPrefix(pattern.path, node);
      else if (!this.#exact.has(pattern.path)) this.#exact.set(pattern.path, node);
    }
    this.#prefixes.sort((a, b) => b.length - a.length);
  }

  /** The location for a decoded and normalised path. */
  choose(uri: string): LocationMatch | undefined {
    if (uri === this.#lastUri) return this.#lastMatch;
    const found = this.find(uri);
    this.#lastMatch = found && { handlers: found.node.handlers, captures: found.captures ?? none };
    this.#lastUri = uri;
    return this.#lastMatch;
  }

  /** For the level around this one. */
  find(uri: string): Candidate | undefined {
    const exact = this.#exact.get(uri);
    if (exact !== undefined) return { node: exact, captures: undefined, decided: true };
    const prefix = this.#longestPrefix(uri);
    let found: Candidate | undefined = prefix && { node: prefix, captures: undefined, decided: false };
    const inner = prefix?.inner?.find(uri);
    if (inner !== undefined) {
      if (inner.decided) return inner;
      found = inner;
    }
    // `^~` of the longest prefix keeps this level's regexes from being tried; one further inside does not.
    if (prefix?.pattern.kind === "prefix" && prefix.pattern.final) return found;
    return this.#findRegex(uri) ?? found;
  }

  #findRegex(uri: string): Candidate | undefined {
    for (const { regex, node } of this.#regexes) {
      const match = regex.exec(uri);
      if (match === null) continue;
      const inner = node.inner?.find(uri);
      const captures = inner?.captures ?? match.slice(1).map((group) => group ?? "");
      return { node: inner?.node ?? node, captures, decided: true };
    }
    return undefined;
  }

  #longestPrefix(uri: string): LocationNode | undefined {
    for (const { length, nodes } of this.#prefixes) {
      if (length > uri.length) continue;
      const node = nodes.get(length === uri.length ? uri : uri.slice(0, length));
      if (node !== undefined) return node;
    }
    return undefined;
  }

  #addPrefix(path: string, node: LocationNode): void {
    let bucket = this.#prefixes.find(({ length }) => length === path.length);
    if (bucket === undefined) {
      bucket = { length: path.length, nodes: new Map() };
      this.#prefixes.push(bucket);
    }
    if (!bucket.nodes.has(path)) bucket.nodes.set(path, node);
  }
}
