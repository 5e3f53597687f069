/** Tables of headers as `get_headers` gives them: found in any spelling, lists where a name repeats. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { type LuaRef, pushText, refTo, setFunction, textAt, toBytes } from "../lua/stack.ts";

/** Headers that `get_headers` returns when the caller names no limit (NGX_HTTP_LUA_MAX_HEADERS). */
const defaultMaxHeaders = 100;

/** What `get_headers(max, raw)` was asked for; `max` 0 means all of them; +0. */
export function headerLimit(L: lua_State): { readonly max: number; readonly raw: boolean } {
  const max = lua.lua_isnoneornil(L, 1) ? defaultMaxHeaders : lauxlib.luaL_checkinteger(L, 1);
  return { max: max < 0 ? defaultMaxHeaders : max, raw: lua.lua_toboolean(L, 2) };
}

/** `headers.Content_Type` → `content-type`. */
function findInAnySpelling(L: lua_State): number {
  const key = textAt(L, 2);
  if (key === undefined) return 0;
  pushText(L, key.toLowerCase().replaceAll("_", "-"));
  lua.lua_rawget(L, 1);
  return 1;
}

/** Makes the metatable of header tables once; what it returns pushes it; +0. */
export function createHeadersMetatable(L: lua_State): LuaRef {
  lua.lua_createtable(L, 0, 1);
  setFunction(L, "__index", findInAnySpelling);
  const metatable = refTo(L, -1);
  lua.lua_pop(L, 1);
  return metatable;
}

/** What `get_headers` was asked for, and which metatable its tables have. */
export interface HeadersWanted {
  /** 0: all of them. */
  readonly max: number;
  /** Names as they are written, and no metatable. */
  readonly raw: boolean;
  readonly pushMetatable: LuaRef;
}

/**
 * Pushes a table of these lines (names and values in turn), `max` at most but never fewer than `least`, and
 * `"truncated"` when that left some out; returns the number of results.
 */
export function pushHeaders(
  L: lua_State,
  lines: readonly string[],
  wanted: HeadersWanted,
  least = 0,
): number {
  const { max, raw, pushMetatable } = wanted;
  const all = lines.length / 2;
  const truncated = max > 0 && all > max;
  pushTable(L, lines, truncated ? Math.max(max, least) : all, raw);
  if (!raw) {
    pushMetatable(L);
    lua.lua_setmetatable(L, -2);
  }
  if (!truncated) return 1;
  pushText(L, "truncated");
  return 2;
}

/** Pushes a table of the first `count` of these lines; +1. */
function pushTable(L: lua_State, lines: readonly string[], count: number, raw: boolean): void {
  const values = new Map<string, string[]>();
  const end = Math.min(lines.length, count * 2);
  for (let index = 0; index < end; index += 2) {
    const name = raw ? (lines[index] as string) : (lines[index] as string).toLowerCase();
    const known = values.get(name);
    if (known === undefined) values.set(name, [lines[index + 1] as string]);
    else known.push(lines[index + 1] as string);
  }
  lua.lua_createtable(L, 0, values.size);
  for (const [name, list] of values) {
    pushValues(L, list);
    lua.lua_setfield(L, -2, toBytes(name));
  }
}

/** Pushes nil, a string, or an array of strings; +1. */
export function pushValues(L: lua_State, values: readonly string[]): void {
  if (values.length === 0) lua.lua_pushnil(L);
  else if (values.length === 1) pushText(L, values[0] as string);
  else {
    lua.lua_createtable(L, values.length, 0);
    for (const [index, value] of values.entries()) {
      pushText(L, value);
      lua.lua_rawseti(L, -2, index + 1);
    }
  }
}

/** The value at `index` by `tostring`; +0. */
export function stringAt(L: lua_State, index: number): string {
  const text = textAt(L, index);
  if (text !== undefined) return text;
  lauxlib.luaL_tolstring(L, index);
  const made = textAt(L, -1) as string;
  lua.lua_pop(L, 1);
  return made;
}

/** The values of a header at `index`: none for nil, each element of an array, else one; +0. */
export function headerValuesAt(L: lua_State, index: number): string[] {
  if (lua.lua_isnoneornil(L, index)) return [];
  if (lua.lua_type(L, index) !== lua.LUA_TTABLE) return [stringAt(L, index)];
  const values: string[] = [];
  const length = lua.lua_rawlen(L, index);
  for (let place = 1; place <= length; place++) {
    lua.lua_rawgeti(L, index, place);
    values.push(stringAt(L, -1));
    lua.lua_pop(L, 1);
  }
  return values;
}
