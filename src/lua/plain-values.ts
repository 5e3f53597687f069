/** Plain JavaScript values to Lua and back. */

import { lua, type lua_State } from "#fengari";
import type { PlainValue } from "../core/plain-value.ts";
import { pushNumber, pushUtf8, toText, utf8At } from "./stack.ts";

/** Tables nested deeper than this are taken for cycles. */
const maxDepth = 100;

/** Pushes a value; arrays become sequences, null becomes nil; +1. */
export function pushPlain(L: lua_State, value: PlainValue): void {
  if (value === null || value === undefined) lua.lua_pushnil(L);
  else if (typeof value === "boolean") lua.lua_pushboolean(L, value);
  else if (typeof value === "number") pushNumber(L, value);
  else if (typeof value === "string") pushUtf8(L, value);
  else if (Array.isArray(value)) {
    lua.lua_createtable(L, value.length, 0);
    for (const [i, element] of value.entries()) {
      pushPlain(L, element);
      lua.lua_rawseti(L, -2, i + 1);
    }
  } else {
    lua.lua_createtable(L, 0, 0);
    for (const [key, field] of Object.entries(value)) {
      pushUtf8(L, key);
      pushPlain(L, field);
      lua.lua_rawset(L, -3);
    }
  }
}

/**
 * Reads the value at an absolute index; sequences become arrays, other tables objects, an empty table `{}`; +0.
 * Throws a TypeError that names what cannot cross: functions, coroutines, cycles.
 */
export function plainAt(L: lua_State, index: number, depth = 0): PlainValue {
  switch (lua.lua_type(L, index)) {
    case lua.LUA_TNIL:
      return null;
    case lua.LUA_TBOOLEAN:
      return lua.lua_toboolean(L, index);
    case lua.LUA_TNUMBER:
      return lua.lua_tonumber(L, index);
    case lua.LUA_TSTRING:
      return utf8At(L, index)!;
    case lua.LUA_TLIGHTUSERDATA:
      return null;
    case lua.LUA_TTABLE:
      if (depth >= maxDepth)
        throw new TypeError("a table that holds itself, or is nested too deep, cannot leave the VM");
      return tableAt(L, index, depth + 1);
    default:
      throw new TypeError(
        `a ${toText(lua.lua_typename(L, lua.lua_type(L, index)))} cannot leave the VM: return plain data`,
      );
  }
}

function tableAt(L: lua_State, index: number, depth: number): PlainValue {
  const fields: [string, PlainValue][] = [];
  const elements: PlainValue[] = [];
  lua.lua_pushnil(L);
  while (lua.lua_next(L, index) !== 0) {
    const value = plainAt(L, lua.lua_gettop(L), depth);
    if (lua.lua_isinteger(L, -2)) elements[lua.lua_tointeger(L, -2) - 1] = value;
    const key = utf8At(L, -2);
    if (key === undefined)
      throw new TypeError("a table whose keys are neither strings nor numbers cannot leave the VM");
    fields.push([key, value]);
    lua.lua_pop(L, 1);
  }
  const isSequence =
    fields.length > 0 && elements.length === fields.length && Object.keys(elements).length === fields.length;
  return isSequence ? elements : Object.fromEntries(fields);
}
