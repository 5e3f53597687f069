/** Query arguments: `a=1&b` to names and values and back, as functions and as `ngx.encode_args`/`decode_args`. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { pushText, raise, setFunction, textAt, toBytes, toText } from "../lua/stack.ts";
import { escapeUri, unescapeUri } from "./encoding.ts";
import type { NgxHost } from "./host.ts";

/** Arguments that are read when the caller names no limit (NGX_HTTP_LUA_MAX_ARGS). */
export const defaultMaxArguments = 100;

export interface ParsedArguments {
  /** In their order, unescaped; `true` stands for a name without `=`. Names are never empty. */
  readonly entries: readonly (readonly [name: string, value: string | true])[];
  /** More arguments stand in the text than were read. */
  readonly truncated: boolean;
}

/**
 * Reads `a=1&b&c=` (latin1). `max` bounds the arguments, those with an empty name, which are dropped, included;
 * 0 or less means no bound.
 */
export function parseArguments(query: string, max: number): ParsedArguments {
  const entries: [string, string | true][] = [];
  let start = 0;
  for (let count = 0; start < query.length; count++) {
    if (max > 0 && count >= max) return { entries, truncated: true };
    const ampersand = query.indexOf("&", start);
    const end = ampersand < 0 ? query.length : ampersand;
    const equals = query.indexOf("=", start);
    const bare = equals < 0 || equals >= end;
    const name = unescapeUri(query.slice(start, bare ? end : equals));
    if (name !== "") entries.push([name, bare ? true : unescapeUri(query.slice(equals + 1, end))]);
    start = end + 1;
  }
  return { entries, truncated: false };
}

function pushValue(L: lua_State, value: string | true): void {
  if (value === true) lua.lua_pushboolean(L, true);
  else pushText(L, value);
}

/** Pushes a table of the arguments: a name that occurs several times has an array of its values; +1. */
export function pushArguments(L: lua_State, entries: ParsedArguments["entries"]): void {
  const values = new Map<string, (string | true)[]>();
  for (const [name, value] of entries) {
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  lua.lua_createtable(L, 0, values.size);
  for (const [name, list] of values) {
    if (list.length === 1) pushValue(L, list[0] as string | true);
    else {
      lua.lua_createtable(L, list.length, 0);
      list.forEach((value, index) => {
        pushValue(L, value);
        lua.lua_rawseti(L, -2, index + 1);
      });
    }
    lua.lua_setfield(L, -2, toBytes(name));
  }
}

/** Appends `name=value`, or `name` for true, or nothing for false; +0. */
function appendArgument(L: lua_State, pairs: string[], name: string): void {
  if (lua.lua_type(L, -1) === lua.LUA_TBOOLEAN) {
    if (lua.lua_toboolean(L, -1)) pairs.push(name);
    return;
  }
  const value = textAt(L, -1);
  if (value === undefined) {
    raise(L, `attempt to use ${toText(lauxlib.luaL_typename(L, -1))} as query arg value`);
  }
  pairs.push(`${name}=${escapeUri(value)}`);
}

/** Appends each value of the table at the top, its sequence in order, which Fengari's traversal is not in; +0. */
function appendList(L: lua_State, pairs: string[], name: string): void {
  const length = lua.lua_rawlen(L, -1);
  for (let place = 1; place <= length; place++) {
    lua.lua_rawgeti(L, -1, place);
    appendArgument(L, pairs, name);
    lua.lua_pop(L, 1);
  }
  lua.lua_pushnil(L);
  while (lua.lua_next(L, -2)) {
    const key = lua.lua_type(L, -2) === lua.LUA_TNUMBER ? lua.lua_tonumber(L, -2) : 0;
    if (!(Number.isInteger(key) && key >= 1 && key <= length)) appendArgument(L, pairs, name);
    lua.lua_pop(L, 1);
  }
}

/**
 * The query text of the table at `index`: names to strings, numbers, booleans or arrays of these; +0.
 * Raises Lua errors with lua-nginx-module's texts for other names and values.
 */
export function encodeArguments(L: lua_State, index: number): string {
  const table = lua.lua_absindex(L, index);
  const pairs: string[] = [];
  lua.lua_pushnil(L);
  while (lua.lua_next(L, table)) {
    if (lua.lua_type(L, -2) !== lua.LUA_TSTRING) {
      raise(L, 'attempt to use a non-string key in the "args" option table');
    }
    const name = escapeUri(textAt(L, -2) as string);
    if (lua.lua_type(L, -1) === lua.LUA_TTABLE) {
      appendList(L, pairs, name);
    } else appendArgument(L, pairs, name);
    lua.lua_pop(L, 1);
  }
  return pairs.join("&");
}

function encodeArgs(L: lua_State): number {
  const count = lua.lua_gettop(L);
  if (count !== 1) raise(L, `expecting 1 argument but seen ${count}`);
  lauxlib.luaL_checktype(L, 1, lua.LUA_TTABLE);
  pushText(L, encodeArguments(L, 1));
  return 1;
}

function decodeArgs(L: lua_State): number {
  const count = lua.lua_gettop(L);
  if (count !== 1 && count !== 2) raise(L, `expecting 1 or 2 arguments but seen ${count}`);
  const query = toText(lauxlib.luaL_checkstring(L, 1));
  const max = count === 2 ? lauxlib.luaL_checknumber(L, 2) : defaultMaxArguments;
  const { entries, truncated } = parseArguments(query, Math.trunc(max));
  pushArguments(L, entries);
  if (!truncated) return 1;
  pushText(L, "truncated");
  return 2;
}

/** Sets `encode_args` and `decode_args`; +0. */
export function openArguments(L: lua_State, _host: NgxHost): void {
  setFunction(L, "encode_args", encodeArgs);
  setFunction(L, "decode_args", decodeArgs);
}
