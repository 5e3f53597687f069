/** JSON bytes to Lua values, pushed on Lua's stack. */

import { type LuaString, lua, type lua_State } from "#fengari";
import { pushBytes, pushNumber, raise, toText } from "../../lua/stack.ts";
import { pushNull } from "../null.ts";
import { array, pushArrayMetatable } from "./array.ts";
import { deepestNesting } from "./encode.ts";
import { type Cursor, startsLenientNumber, takeNumber } from "./read-number.ts";
import type { CjsonSettings } from "./settings.ts";
import { readString } from "./string.ts";

/** lua-cjson's names of tokens, which its messages show. */
const tokenNames: Readonly<Record<number, string>> = {
  123: "T_OBJ_BEGIN",
  125: "T_OBJ_END",
  91: "T_ARR_BEGIN",
  93: "T_ARR_END",
  58: "T_COLON",
  44: "T_COMMA",
  0: "T_END",
};

interface Decoder extends Cursor {
  readonly L: lua_State;
  readonly settings: CjsonSettings;
  depth: number;
  /** Stack index of a Lua table of the first keys, and where in it each stands, by its spelling. */
  readonly keysIndex: number;
  readonly keys: Map<string, number>;
}

/** Keys that are remembered; a text with more is a table of data rather than of records. */
const mostKeys = 256;

function fail(decoder: Decoder, expected: string, found: string, at: number): never {
  return raise(decoder.L, `Expected ${expected} but found ${found} at character ${at + 1}`);
}

/** Skips white space; the byte that follows, 0 at the end. A zero byte ends the text, as in C. */
function skipToToken(decoder: Decoder): number {
  const { bytes } = decoder;
  for (;;) {
    const byte = bytes[decoder.at] ?? 0;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
    decoder.at += 1;
  }
}

/** Raises for the token at hand, which is not the one that must come. */
function unexpected(decoder: Decoder, expected: string): never {
  const start = decoder.at;
  const byte = byteAt(decoder);
  const name = tokenNames[byte];
  if (name !== undefined) fail(decoder, expected, name, start);
  // The token is read first: an error within it is the one to report.
  if (byte === 0x22) {
    readText(decoder, expected);
    fail(decoder, expected, "T_STRING", start);
  }
  const value = readWord(decoder, expected);
  const type = value === null ? "T_NULL" : typeof value === "number" ? "T_NUMBER" : "T_BOOLEAN";
  return fail(decoder, expected, type, start);
}

function byteAt({ bytes, at }: Decoder): number {
  return bytes[at] ?? 0;
}

function startsWith({ bytes, at }: Decoder, word: string): boolean {
  for (let index = 0; index < word.length; index++) {
    if (bytes[at + index] !== word.charCodeAt(index)) return false;
  }
  return true;
}

/** Reads `true`, `false`, `null` or a number. */
function readWord(decoder: Decoder, expected: string): boolean | null | number {
  const byte = byteAt(decoder);
  if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return readNumber(decoder, expected);
  for (const [word, value] of [
    ["true", true],
    ["false", false],
    ["null", null],
  ] as const) {
    if (!startsWith(decoder, word)) continue;
    decoder.at += word.length;
    return value;
  }
  // "+1", "inf", "nan": numbers for strtod only.
  if (decoder.settings.decodeInvalidNumbers && (byte === 0x2b || startsLenientNumber(decoder))) {
    return readNumber(decoder, expected);
  }
  return fail(decoder, expected, "invalid token", decoder.at);
}

function readNumber(decoder: Decoder, expected: string): number {
  const start = decoder.at;
  return (
    takeNumber(decoder, decoder.settings.decodeInvalidNumbers) ??
    fail(decoder, expected, "invalid number", start)
  );
}

/** Reads the string whose quote stands here. */
function readText(decoder: Decoder, expected: string): LuaString {
  const read = readString(decoder.bytes, decoder.at + 1);
  if ("error" in read) return fail(decoder, expected, read.error, read.at);
  decoder.at = read.end;
  return read.bytes;
}

function descend(decoder: Decoder): void {
  const { L, settings } = decoder;
  decoder.at += 1;
  decoder.depth += 1;
  if (decoder.depth <= settings.decodeMaxDepth && decoder.depth <= deepestNesting && lua.lua_checkstack(L, 4))
    return;
  raise(L, `Found too many nested data structures (${decoder.depth}) at character ${decoder.at}`);
}

/** Pushes the string whose quote stands here; one that occurred before is the same Lua string, already hashed; +1. */
function pushKey(decoder: Decoder): void {
  const { L, bytes, keys, keysIndex } = decoder;
  const start = decoder.at + 1;
  decoder.text ??= toText(bytes);
  const closing = decoder.text.indexOf('"', start);
  const spelled = decoder.text.slice(start, closing);
  const known = keys.get(spelled);
  if (known !== undefined && closing >= 0) {
    decoder.at = closing + 1;
    lua.lua_rawgeti(L, keysIndex, known);
    return;
  }
  pushBytes(L, readText(decoder, "object key string"));
  if (keys.size === mostKeys || decoder.at !== closing + 1) return;
  keys.set(spelled, keys.size + 1);
  lua.lua_pushvalue(L, -1);
  lua.lua_rawseti(L, keysIndex, keys.size);
}

/** Pushes the object whose brace stands here; +1. */
function pushObject(decoder: Decoder): void {
  const { L } = decoder;
  descend(decoder);
  lua.lua_newtable(L);
  let byte = skipToToken(decoder);
  while (byte !== 0x7d) {
    if (byte !== 0x22) unexpected(decoder, "object key string");
    pushKey(decoder);
    if (skipToToken(decoder) !== 0x3a) unexpected(decoder, "colon");
    decoder.at += 1;
    pushValue(decoder);
    lua.lua_rawset(L, -3);
    byte = skipToToken(decoder);
    if (byte === 0x7d) break;
    if (byte !== 0x2c) unexpected(decoder, "comma or object end");
    decoder.at += 1;
    byte = skipToToken(decoder);
    // `{"a":1,}`
    if (byte === 0x7d) unexpected(decoder, "object key string");
  }
  decoder.at += 1;
  decoder.depth -= 1;
}

/** Pushes the array whose bracket stands here; +1. */
function pushArray(decoder: Decoder): void {
  const { L, settings } = decoder;
  descend(decoder);
  lua.lua_newtable(L);
  if (settings.decodeArrayWithArrayMt) {
    pushArrayMetatable(L, array);
    lua.lua_setmetatable(L, -2);
  }
  if (skipToToken(decoder) !== 0x5d) {
    for (let index = 1; ; index++) {
      pushValue(decoder);
      lua.lua_rawseti(L, -2, index);
      const byte = skipToToken(decoder);
      if (byte === 0x5d) break;
      if (byte !== 0x2c) unexpected(decoder, "comma or array end");
      decoder.at += 1;
    }
  }
  decoder.at += 1;
  decoder.depth -= 1;
}

/** Pushes the value that comes next; +1. */
function pushValue(decoder: Decoder): void {
  const { L, settings } = decoder;
  const byte = skipToToken(decoder);
  if (byte === 0x22) pushBytes(L, readText(decoder, "value"));
  else if (byte === 0x7b) pushObject(decoder);
  else if (byte === 0x5b) pushArray(decoder);
  else if (tokenNames[byte] !== undefined) unexpected(decoder, "value");
  else {
    const value = readWord(decoder, "value");
    if (typeof value === "number") pushNumber(L, value);
    else if (value !== null) lua.lua_pushboolean(L, value);
    else if (settings.decodeJsonNull) pushNull(L);
    else lua.lua_pushnil(L);
  }
}

/** Pushes the value of a JSON text; +1. Raises lua-cjson's errors. */
export function decode(L: lua_State, settings: CjsonSettings, bytes: LuaString): void {
  if (bytes.length >= 2 && (bytes[0] === 0 || bytes[1] === 0)) {
    raise(L, "JSON parser does not support UTF-16 or UTF-32");
  }
  lua.lua_newtable(L);
  const keysIndex = lua.lua_gettop(L);
  const decoder: Decoder = {
    L,
    settings,
    bytes,
    at: 0,
    depth: 0,
    text: undefined,
    keysIndex,
    keys: new Map(),
  };
  pushValue(decoder);
  if (skipToToken(decoder) !== 0) unexpected(decoder, "the end");
  lua.lua_remove(L, keysIndex);
}
