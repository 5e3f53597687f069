/**
 * Typed helpers over Fengari's stack API, for everything that Relua needs often.
 * Texts are latin1 JavaScript strings, one character per byte, unless a name says otherwise.
 */

import { type LuaString, lauxlib, lua, type lua_CFunction, type lua_State } from "#fengari";

/** Texts up to this length are copied by hand. */
const shortText = 64;

/** The bytes of a latin1 text. */
export function toBytes(text: string): LuaString {
  if (text.length <= shortText) {
    // Three times as fast as Buffer.from, and V8 keeps arrays of this size on its own heap.
    const bytes = new Uint8Array(text.length);
    for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
    return bytes;
  }
  const buffer = Buffer.from(text, "latin1");
  // Fengari compares and hashes by content; a view on the pool's slab is fine as long as nobody writes to it.
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** The latin1 text of some bytes. */
export function toText(bytes: LuaString): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The UTF-8 of a JavaScript string; for names, paths and source text. */
export function utf8Bytes(text: string): LuaString {
  const buffer = Buffer.from(text, "utf8");
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** Bytes read as UTF-8. */
export function utf8Text(bytes: LuaString): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** A latin1 text read as UTF-8: Lua's messages hold names and paths. */
export function latin1ToUtf8(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8");
}

/** The UTF-8 of a JavaScript string as a latin1 text. */
export function utf8ToLatin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Pushes a text; +1. */
export function pushText(L: lua_State, text: string): void {
  lua.lua_pushstring(L, toBytes(text));
}

/** Pushes a copy of the bytes as a string; +1. */
export function pushBytes(L: lua_State, bytes: Uint8Array): void {
  lua.lua_pushstring(L, bytes);
}

/** The text at `index` when it is a string or number (numbers are not converted in place), else undefined; +0. */
export function textAt(L: lua_State, index: number): string | undefined {
  const bytes = bytesAt(L, index);
  return bytes === undefined ? undefined : toText(bytes);
}

/** The bytes at `index` when it is a string or number, else undefined; +0. Not to be written to. */
export function bytesAt(L: lua_State, index: number): LuaString | undefined {
  const type = lua.lua_type(L, index);
  if (type === lua.LUA_TSTRING) return lua.lua_tostring<LuaString>(L, index);
  if (type !== lua.LUA_TNUMBER) return undefined;
  lua.lua_pushvalue(L, index);
  const bytes = lua.lua_tostring<LuaString>(L, -1);
  lua.lua_pop(L, 1);
  return bytes;
}

/** Sets `table[name] = fn` for the table at the top; +0. */
export function setFunction(L: lua_State, name: string, fn: lua_CFunction): void {
  lua.lua_pushcfunction(L, fn);
  lua.lua_setfield(L, -2, toBytes(name));
}

/** Sets `table[name] = value` for the table at the top; +0. */
export function setField(L: lua_State, name: string, value: string | number | boolean): void {
  if (typeof value === "string") pushText(L, value);
  else if (typeof value === "boolean") lua.lua_pushboolean(L, value);
  else pushNumber(L, value);
  lua.lua_setfield(L, -2, toBytes(name));
}

/** Pushes a number, as an integer where it is one of 32 bits; +1. */
export function pushNumber(L: lua_State, value: number): void {
  if (Number.isInteger(value) && value === (value | 0) && !Object.is(value, -0))
    lua.lua_pushinteger(L, value);
  else lua.lua_pushnumber(L, value);
}

/** Raises a Lua error with position, as luaL_error does; never returns. */
export function raise(L: lua_State, message: string): never {
  lauxlib.luaL_where(L, 1);
  pushText(L, message);
  lua.lua_concat(L, 2);
  return lua.lua_error(L);
}

/** Pushes a JavaScript string as UTF-8; for names and paths, which are text and not bytes; +1. */
export function pushUtf8(L: lua_State, text: string): void {
  lua.lua_pushstring(L, utf8Bytes(text));
}

/** The string or number at `index` read as UTF-8, else undefined; +0. */
export function utf8At(L: lua_State, index: number): string | undefined {
  const bytes = bytesAt(L, index);
  return bytes && utf8Text(bytes);
}

/** Raises a Lua error with position; the message is a JavaScript string that may hold names and paths. */
export function raiseUtf8(L: lua_State, message: string): never {
  return raise(L, utf8ToLatin1(message));
}

/** Gives the function at the top as bytecode, with its line numbers, to `take`: bytes that change afterwards; +0. */
export function dumpFunction(L: lua_State, take: (code: Uint8Array) => void): void {
  const writer = (_: lua_State, code: LuaString) => {
    take(code);
    return 0;
  };
  lua.lua_dump(L, writer, null, false);
}

/** A Lua value in the hands of JavaScript: pushes it, on any coroutine of its state; +1. */
export type LuaRef = (L: lua_State) => void;

/** Holds the value at `index` for as long as somebody holds what is returned; +0. */
export function refTo(L: lua_State, index: number): LuaRef {
  return lua.lua_toproxy(L, index);
}
