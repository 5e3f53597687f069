/** Text encodings of the ngx API: URI escaping, base64 and SQL quoting, as functions and as Lua functions. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { pushBytes, pushText, raise, setFunction, textAt, toText } from "../lua/stack.ts";
import type { NgxHost } from "./host.ts";
import { looseBytesAt } from "./loose.ts";

/** What a text is escaped for, by nginx's numbers (NGX_ESCAPE_URI … NGX_ESCAPE_MAIL_AUTH). */
export const escapeFor = {
  uri: 0,
  args: 1,
  component: 2,
  html: 3,
  refresh: 4,
  memcached: 5,
  mailAuth: 6,
} as const;
export type EscapeKind = (typeof escapeFor)[keyof typeof escapeFor];

/** Which bytes each kind escapes: ASCII ones by name, and whether bytes from 0x7F on belong to them. */
const escaped: Readonly<Record<EscapeKind, { readonly ascii: string; readonly high: boolean }>> = {
  0: { ascii: " #%?", high: true },
  1: { ascii: " #%+?", high: true },
  // The README promises RFC 3986; the module's table leaves !'()* alone (lua-nginx-module#2468).
  2: { ascii: ' "#$%&+,/:;<=>?@[\\]^`{|}', high: true },
  3: { ascii: ` "#%'`, high: true },
  4: { ascii: ` "%'`, high: true },
  5: { ascii: " %", high: false },
  6: { ascii: " %", high: false },
};

/** Per kind, for each byte what stands for it. */
const spellings: readonly (readonly string[])[] = Object.values(escaped).map(({ ascii, high }) =>
  Array.from({ length: 256 }, (_, byte) => {
    const char = String.fromCharCode(byte);
    const special = byte < 0x20 || (byte >= 0x7f ? high : ascii.includes(char));
    return special ? `%${byte.toString(16).toUpperCase().padStart(2, "0")}` : char;
  }),
);

/** `ngx.escape_uri`: bytes that must not stand in a URI as `%XX`. Latin1 text in and out. */
export function escapeUri(text: string, kind: EscapeKind = escapeFor.component): string {
  const spelling = spellings[kind] as readonly string[];
  let result = "";
  let copied = 0;
  for (let at = 0; at < text.length; at++) {
    const spelled = spelling[text.charCodeAt(at)] as string;
    if (spelled.length === 1) continue;
    result += text.slice(copied, at) + spelled;
    copied = at + 1;
  }
  return copied === 0 ? text : result + text.slice(copied);
}

const escapeSequence = /%([0-9a-fA-F]{2})|\+/g;

/** `ngx.unescape_uri`: `%XX` to its byte, `+` to a space, a `%` that starts nothing stays. Latin1 text in and out. */
export function unescapeUri(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  return text.replace(escapeSequence, (_, hex: string | undefined) =>
    hex === undefined ? " " : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function escapeUriFunction(L: lua_State): number {
  const text = toText(looseBytesAt(L, 1));
  let kind: number = escapeFor.component;
  if (!lua.lua_isnoneornil(L, 2)) {
    if (lua.lua_type(L, 2) !== lua.LUA_TNUMBER) raise(L, '"esc_type" is not number');
    kind = lua.lua_tonumber(L, 2);
    if (!(kind >= escapeFor.uri && kind <= escapeFor.mailAuth)) raise(L, `"esc_type" ${kind} out of range`);
  }
  pushText(L, escapeUri(text, Math.trunc(kind) as EscapeKind));
  return 1;
}

function unescapeUriFunction(L: lua_State): number {
  pushText(L, unescapeUri(toText(looseBytesAt(L, 1))));
  return 1;
}

const sqlEscapes: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\b": "\\b",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\x1a": "\\Z",
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
};

/** `ngx.quote_sql_str`: a literal by MySQL's quoting rules. Latin1 text in and out. */
export function quoteSqlString(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to quote
  return `'${text.replace(/[\0\b\n\r\t\x1a\\'"]/g, (char) => sqlEscapes[char] as string)}'`;
}

const base64Digits = /[A-Za-z0-9+/]/;
const foreignToBase64 = new RegExp(base64Digits.source.replace("[", "[^"));
const allForeignToBase64 = new RegExp(foreignToBase64, "g");

/**
 * The bytes of a base64 text, undefined when it is none. As nginx: what follows a `=` is ignored, padding is
 * optional. `mime` (RFC 2045) also skips characters that are no digits, such as line ends.
 */
function decodeBase64(text: string, mime = false): Uint8Array | undefined {
  const padding = text.indexOf("=");
  let digits = padding < 0 ? text : text.slice(0, padding);
  if (mime) digits = digits.replace(allForeignToBase64, "");
  if (digits.length % 4 === 1 || foreignToBase64.test(digits)) return undefined;
  return new Uint8Array(Buffer.from(digits, "base64"));
}

function encodeBase64Function(L: lua_State): number {
  const bytes = looseBytesAt(L, 1);
  const plain = lua.lua_toboolean(L, 2);
  if (plain && lua.lua_type(L, 2) !== lua.LUA_TBOOLEAN) {
    raise(L, `bad no_padding: boolean expected, got ${toText(lauxlib.luaL_typename(L, 2))}`);
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  pushText(L, plain ? text.replace(/=+$/, "") : text);
  return 1;
}

function pushDecodedBase64(L: lua_State, mime: boolean): number {
  if (lua.lua_type(L, 1) !== lua.LUA_TSTRING) raise(L, "string argument only");
  const bytes = decodeBase64(textAt(L, 1) as string, mime);
  if (bytes === undefined) lua.lua_pushnil(L);
  else pushBytes(L, bytes);
  return 1;
}

function quoteSqlStringFunction(L: lua_State): number {
  if (lua.lua_gettop(L) !== 1) raise(L, "expecting one argument");
  pushText(L, quoteSqlString(toText(lauxlib.luaL_checkstring(L, 1))));
  return 1;
}

/** Sets `escape_uri`, `unescape_uri`, `encode_base64`, `decode_base64`, `decode_base64mime`, `quote_sql_str`; +0. */
export function openEncoding(L: lua_State, _host: NgxHost): void {
  setFunction(L, "escape_uri", escapeUriFunction);
  setFunction(L, "unescape_uri", unescapeUriFunction);
  setFunction(L, "encode_base64", encodeBase64Function);
  setFunction(L, "decode_base64", (L) => pushDecodedBase64(L, false));
  setFunction(L, "decode_base64mime", (L) => pushDecodedBase64(L, true));
  setFunction(L, "quote_sql_str", quoteSqlStringFunction);
}
