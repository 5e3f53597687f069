/** Checks on URIs that Lua code supplies, as nginx makes them. */

import type { lua_State } from "#fengari";
import { raise } from "../lua/stack.ts";
import { unescapeUri } from "./encoding.ts";

/** Control characters, a tab excepted. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unsafeByte = /[\x00-\x08\x0a-\x1f\x7f]/;
const unsafeBytes = new RegExp(unsafeByte.source, "g");

const hex = (char: string): string => char.charCodeAt(0).toString(16).padStart(2, "0");

/** Raises when `uri` holds a byte that could break out of a header line; `what` names it in the message; +0. */
export function refuseUnsafeBytes(L: lua_State, uri: string, what: string): void {
  const found = unsafeByte.exec(uri);
  if (found === null) return;
  const shown = uri.replaceAll(unsafeBytes, (char) => `\\x${hex(char).toUpperCase()}`);
  raise(L, `unsafe byte "0x${hex(found[0])}" in ${what} "${shown}"`);
}

/** `..` as a part of the path. */
const climbs = /(?:^|\/)\.\.(?:\/|$)/;

/** Path and query of a URI, the path unescaped; undefined when it is unsafe (ngx_http_parse_unsafe_uri). */
export function parseUnsafeUri(uri: string): { readonly path: string; readonly args: string } | undefined {
  const question = uri.indexOf("?");
  const raw = question < 0 ? uri : uri.slice(0, question);
  if (raw === "" || raw.includes("\0") || climbs.test(raw)) return undefined;
  const path = raw.includes("%") ? raw.replaceAll(/%[0-9A-Fa-f]{2}/g, unescapeUri) : raw;
  if (path.includes("\0") || climbs.test(path)) return undefined;
  return { path, args: question < 0 ? "" : uri.slice(question + 1) };
}
