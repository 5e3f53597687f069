/** Turns Lua values into output: what `ngx.print` and `ngx.arg[1]` take, as lua-nginx-module formats it. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { bytesAt, toBytes, toText } from "../lua/stack.ts";

/** Tables within tables; lua-nginx-module has no bound but the C stack's. */
const maxDepth = 200;
const newlineBytes = toBytes("\n");
const words = { nil: toBytes("nil"), true: toBytes("true"), false: toBytes("false"), null: toBytes("null") };

function argumentError(L: lua_State, argument: number, message: string): never {
  return lauxlib.luaL_argerror(L, argument, toBytes(message));
}

/** Integral numbers in full, all others by `%.14g`, unlike `tostring` (ngx_http_lua_ngx_echo). */
function numberBytes(L: lua_State, index: number): Uint8Array {
  const value = lua.lua_tonumber(L, index);
  if (!Number.isInteger(value) || Math.abs(value) >= 2 ** 63) return bytesAt(L, index) as Uint8Array;
  return toBytes(Number.isSafeInteger(value) ? `${value === 0 ? 0 : value}` : `${BigInt(value)}`);
}

/**
 * The output for the value at `index`, as pieces in order, appended to `pieces`; returns their bytes; +0.
 * Raises for what cannot be sent. `strict` takes strings, numbers and arrays of these only.
 */
function gather(
  L: lua_State,
  index: number,
  argument: number,
  pieces: Uint8Array[],
  strict: boolean,
  depth = 0,
): number {
  const type = lua.lua_type(L, index);
  let piece: Uint8Array | undefined;
  if (type === lua.LUA_TSTRING) piece = lua.lua_tostring(L, index);
  else if (type === lua.LUA_TNUMBER) piece = numberBytes(L, index);
  else if (type === lua.LUA_TTABLE) return gatherArray(L, index, argument, pieces, strict, depth);
  else if (!strict) {
    if (type === lua.LUA_TNIL) piece = words.nil;
    else if (type === lua.LUA_TBOOLEAN) piece = lua.lua_toboolean(L, index) ? words.true : words.false;
    else if (type === lua.LUA_TLIGHTUSERDATA && lua.lua_touserdata(L, index) === null) piece = words.null;
  }
  if (piece === undefined) return -1;
  pieces.push(piece);
  return piece.length;
}

function gatherArray(
  L: lua_State,
  index: number,
  argument: number,
  pieces: Uint8Array[],
  strict: boolean,
  depth: number,
): number {
  // A table that holds itself ends here.
  if (depth >= maxDepth) argumentError(L, argument, "table nested too deeply");
  lauxlib.luaL_checkstack(L, 4, null);
  const table = lua.lua_absindex(L, index);
  let last = 0;
  lua.lua_pushnil(L);
  while (lua.lua_next(L, table)) {
    lua.lua_pop(L, 1);
    const key = lua.lua_type(L, -1) === lua.LUA_TNUMBER ? lua.lua_tonumber(L, -1) : 0;
    if (!(Number.isInteger(key) && key >= 1)) argumentError(L, argument, "non-array table found");
    if (key > last) last = key;
  }
  let size = 0;
  for (let place = 1; place <= last; place++) {
    lua.lua_rawgeti(L, table, place);
    const bytes = gather(L, -1, argument, pieces, strict, depth + 1);
    if (bytes < 0) argumentError(L, argument, `bad data type ${toText(lauxlib.luaL_typename(L, -1))} found`);
    size += bytes;
    lua.lua_pop(L, 1);
  }
  return size;
}

/** Pieces of `size` bytes together in one buffer, which is not shared with anything. */
export function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let offset = 0;
  for (const piece of pieces) {
    all.set(piece, offset);
    offset += piece.length;
  }
  return all;
}

/** The output for all arguments of the running C function, in a buffer of its own; +0. Raises as `ngx.say` does. */
export function argumentsAsOutput(L: lua_State, newline: boolean): Uint8Array {
  const count = lua.lua_gettop(L);
  if (count === 1 && lua.lua_type(L, 1) === lua.LUA_TSTRING) {
    const text = lua.lua_tostring(L, 1) as Uint8Array;
    const all = new Uint8Array(newline ? text.length + 1 : text.length);
    all.set(text);
    if (newline) all[text.length] = 10;
    return all;
  }
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (let index = 1; index <= count; index++) {
    const bytes = gather(L, index, index, pieces, false);
    if (bytes < 0) {
      const got = toText(lauxlib.luaL_typename(L, index));
      argumentError(
        L,
        index,
        `string, number, boolean, nil, ngx.null, or array table expected, but got ${got}`,
      );
    }
    size += bytes;
  }
  if (newline) pieces.push(newlineBytes);
  return joined(pieces, newline ? size + 1 : size);
}

/** The output for a string, number or array of these at `index`, in a buffer of its own; undefined for others; +0. */
export function strictOutput(L: lua_State, index: number): Uint8Array | undefined {
  const pieces: Uint8Array[] = [];
  const size = gather(L, index, index, pieces, true);
  return size < 0 ? undefined : joined(pieces, size);
}
