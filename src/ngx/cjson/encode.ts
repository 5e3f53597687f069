/** Lua values to JSON bytes, read from Lua's stack. */

import { type LuaString, lua, type lua_State } from "#fengari";
import { raise, toText } from "../../lua/stack.ts";
import { isNull } from "../null.ts";
import { array, emptyArray, emptyArrayMetatable, hasMetatable } from "./array.ts";
import { formatNumber } from "./number.ts";
import { appendAscii, appendByte, createOutput, type Output, reserve } from "./output.ts";
import type { CjsonSettings } from "./settings.ts";

/** Nesting beyond this would come near the end of JavaScript's own stack, whatever `encode_max_depth` says. */
export const deepestNesting = 1000;

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const slash = 0x2f;

/** For each byte what a string holds for it: undefined for itself. `\/` depends on a setting. */
const escapes: readonly (string | undefined)[] = Array.from({ length: 256 }, (_, byte) => {
  if (byte === slash) return "\\/";
  if (byte === 0x7f) return "\\u007f";
  if (byte >= 0x20 && byte !== quote && byte !== 0x5c) return undefined;
  return JSON.stringify(String.fromCharCode(byte)).slice(1, -1);
});
/** 1 for bytes with an escape. */
const special = Uint8Array.from(escapes, (escape_) => (escape_ === undefined ? 0 : 1));

interface Encoder {
  readonly L: lua_State;
  readonly settings: CjsonSettings;
  readonly output: Output;
}

function refuse({ L }: Encoder, index: number, reason: string): never {
  const type = toText(lua.lua_typename(L, lua.lua_type(L, index)));
  return raise(L, `Cannot serialise ${type}: ${reason}`);
}

function appendString({ output, settings }: Encoder, text: LuaString): void {
  // Room for the case that nothing needs an escape, which is nearly every string.
  reserve(output, text.length + 2);
  const start = output.length;
  let { bytes } = output;
  let at = start;
  bytes[at++] = quote;
  for (let index = 0; index < text.length; index++) {
    const byte = text[index] as number;
    if (special[byte] === 0 || (byte === slash && !settings.encodeEscapeForwardSlash)) {
      bytes[at++] = byte;
      continue;
    }
    output.length = at;
    appendAscii(output, escapes[byte] as string);
    reserve(output, text.length - index + 1);
    bytes = output.bytes;
    at = output.length;
  }
  bytes[at++] = quote;
  output.length = at;
}

function appendNumber(encoder: Encoder, index: number): void {
  const { L, output, settings } = encoder;
  const value = lua.lua_tonumber(L, index);
  if (Number.isFinite(value)) {
    appendAscii(output, formatNumber(value, settings.encodeNumberPrecision));
  } else if (settings.encodeInvalidNumbers === "off") {
    refuse(encoder, index, "must not be NaN or Infinity");
  } else {
    appendAscii(output, settings.encodeInvalidNumbers === "null" ? "null" : String(value));
  }
}

/** Highest index of the table at the top when it is a pure array, 0 when it is empty, else undefined. */
function arrayLength(encoder: Encoder): number | undefined {
  const { L, settings } = encoder;
  let items = 0;
  let highest = 0;
  lua.lua_pushnil(L);
  while (lua.lua_next(L, -2)) {
    const key = lua.lua_type(L, -2) === lua.LUA_TNUMBER ? lua.lua_tonumber(L, -2) : 0;
    if (!(key >= 1) || Math.floor(key) !== key) {
      lua.lua_pop(L, 2);
      return undefined;
    }
    if (key > highest) highest = key;
    items += 1;
    lua.lua_pop(L, 1);
  }
  const { encodeSparseRatio: ratio, encodeSparseSafe: safe } = settings;
  if (ratio > 0 && highest > items * ratio && highest > safe) {
    if (!settings.encodeSparseConvert) refuse(encoder, -1, "excessively sparse array");
    return undefined;
  }
  return highest;
}

function appendArray(encoder: Encoder, depth: number, length: number): void {
  const { L, output } = encoder;
  appendByte(output, 0x5b);
  for (let index = 1; index <= length; index++) {
    if (index > 1) appendByte(output, comma);
    lua.lua_rawgeti(L, -1, index);
    appendValue(encoder, depth);
    lua.lua_pop(L, 1);
  }
  appendByte(output, 0x5d);
}

function appendObject(encoder: Encoder, depth: number): void {
  const { L, output } = encoder;
  appendByte(output, 0x7b);
  let first = true;
  lua.lua_pushnil(L);
  while (lua.lua_next(L, -2)) {
    if (first) first = false;
    else appendByte(output, comma);
    const type = lua.lua_type(L, -2);
    if (type === lua.LUA_TSTRING) appendString(encoder, lua.lua_tostring(L, -2));
    else if (type === lua.LUA_TNUMBER) {
      appendByte(output, quote);
      appendNumber(encoder, -2);
      appendByte(output, quote);
    } else refuse(encoder, -2, "table key must be a number or string");
    appendByte(output, colon);
    appendValue(encoder, depth);
    lua.lua_pop(L, 1);
  }
  appendByte(output, 0x7d);
}

/** The table at the top. */
function appendTable(encoder: Encoder, depth: number): void {
  const { L, settings } = encoder;
  if (depth > settings.encodeMaxDepth || depth > deepestNesting || !lua.lua_checkstack(L, 4)) {
    raise(L, `Cannot serialise, excessive nesting (${depth})`);
  }
  const marked = hasMetatable(L, array);
  const length = marked ? lua.lua_rawlen(L, -1) : arrayLength(encoder);
  const asArray =
    length !== undefined &&
    (length > 0 || marked || !settings.encodeEmptyTableAsObject || hasMetatable(L, emptyArrayMetatable));
  if (asArray) appendArray(encoder, depth, length);
  else appendObject(encoder, depth);
}

/** The value at the top; `depth` tables are around it. */
function appendValue(encoder: Encoder, depth: number): void {
  const { L, output } = encoder;
  const type = lua.lua_type(L, -1);
  if (type === lua.LUA_TSTRING) appendString(encoder, lua.lua_tostring(L, -1));
  else if (type === lua.LUA_TNUMBER) appendNumber(encoder, -1);
  else if (type === lua.LUA_TTABLE) appendTable(encoder, depth + 1);
  else if (type === lua.LUA_TBOOLEAN) appendAscii(output, lua.lua_toboolean(L, -1) ? "true" : "false");
  else if (type === lua.LUA_TNIL || isNull(L, -1)) appendAscii(output, "null");
  else if (lua.lua_touserdata(L, -1) === emptyArray) appendAscii(output, "[]");
  else refuse(encoder, -1, "type not supported");
}

/**
 * The JSON of the value at the top, in bytes of their own; +0. Raises lua-cjson's errors. Metamethods are not
 * called. `kept` is written over.
 */
export function encode(L: lua_State, settings: CjsonSettings, kept: Output): Uint8Array {
  const output = settings.encodeKeepBuffer ? kept : createOutput();
  output.length = 0;
  appendValue({ L, settings, output }, 0);
  return output.bytes.slice(0, output.length);
}
