/** `table` with 5.1's bounds, 5.0's left-overs and OpenResty's additions. */

import { lauxlib, lua, type lua_CFunction, type lua_State, lualib } from "#fengari";
import { loadPrelude } from "../prelude.ts";
import { pushNumber, toBytes } from "../stack.ts";
import { type Functions, functionAt, openLibrary, setFunctions, setPreload } from "./library.ts";

/** Opens `table`, `unpack`, and `table.new` … as modules of `package.preload`; +0. */
export function openTable(L: lua_State): void {
  openLibrary(L, "table", lualib.luaopen_table);
  lua.lua_getglobal(L, toBytes("table"));
  const insert = insertAnywhere(functionAt(L, "insert"));
  const remove = removeAnywhere(functionAt(L, "remove"));
  setFunctions(L, { insert, remove, getn, maxn, ...openResty });
  loadPrelude(L, "table");
  lua.lua_call(L, 0, 2);
  lua.lua_setfield(L, -3, toBytes("foreachi"));
  lua.lua_setfield(L, -2, toBytes("foreach"));
  lua.lua_getfield(L, -1, toBytes("unpack"));
  lua.lua_setglobal(L, toBytes("unpack"));
  lua.lua_pop(L, 1);
  for (const [name, fn] of Object.entries(openResty))
    setPreload(L, `table.${name}`, (L) => lua.lua_pushcfunction(L, fn));
}

function checkTable(L: lua_State): void {
  lauxlib.luaL_checktype(L, 1, lua.LUA_TTABLE);
}

/** Visits the pairs of the table at 1, raw, with key and value on top; `visit` leaves both; +0. */
function eachPair(L: lua_State, visit: () => boolean): void {
  lua.lua_pushnil(L);
  while (lua.lua_next(L, 1)) {
    if (!visit()) {
      lua.lua_pop(L, 2);
      return;
    }
    lua.lua_pop(L, 1);
  }
}

/** 5.1 sets `t[pos]` for a position out of bounds, after moving up what stands there and above. */
function insertAnywhere(insert: lua_CFunction): lua_CFunction {
  return (L) => {
    if (lua.lua_gettop(L) !== 3 || lua.lua_type(L, 1) !== lua.LUA_TTABLE) return insert(L);
    const position = lauxlib.luaL_checkinteger(L, 2);
    const end = lauxlib.luaL_len(L, 1) + 1;
    if (position >= 1 && position <= end) return insert(L);
    for (let i = end; i > position; i--) {
      lua.lua_geti(L, 1, i - 1);
      lua.lua_seti(L, 1, i);
    }
    lua.lua_settop(L, 3);
    lua.lua_seti(L, 1, position);
    return 0;
  };
}

/** 5.1 removes nothing, and returns nothing, for a position out of bounds or from an empty table. */
function removeAnywhere(remove: lua_CFunction): lua_CFunction {
  return (L) => {
    if (lua.lua_type(L, 1) !== lua.LUA_TTABLE) return remove(L);
    const size = lauxlib.luaL_len(L, 1);
    const position = lauxlib.luaL_optinteger(L, 2, size);
    return position >= 1 && position <= size ? remove(L) : 0;
  };
}

function getn(L: lua_State): number {
  checkTable(L);
  pushNumber(L, lua.lua_rawlen(L, 1));
  return 1;
}

function maxn(L: lua_State): number {
  checkTable(L);
  let highest = 0;
  eachPair(L, () => {
    if (lua.lua_type(L, -2) === lua.LUA_TNUMBER) highest = Math.max(highest, lua.lua_tonumber(L, -2));
    return true;
  });
  pushNumber(L, highest);
  return 1;
}

const openResty: Functions = {
  new(L) {
    lauxlib.luaL_checkinteger(L, 1);
    lauxlib.luaL_checkinteger(L, 2);
    lua.lua_newtable(L);
    return 1;
  },
  clear(L) {
    checkTable(L);
    lua.lua_settop(L, 1);
    eachPair(L, () => {
      lua.lua_pushvalue(L, -2);
      lua.lua_pushnil(L);
      lua.lua_rawset(L, 1);
      return true;
    });
    return 0;
  },
  nkeys(L) {
    checkTable(L);
    let count = 0;
    eachPair(L, () => {
      count++;
      return true;
    });
    pushNumber(L, count);
    return 1;
  },
  isempty(L) {
    checkTable(L);
    lua.lua_pushnil(L);
    lua.lua_pushboolean(L, !lua.lua_next(L, 1));
    return 1;
  },
  /** Shallow, without the metatable. */
  clone(L) {
    checkTable(L);
    lua.lua_settop(L, 1);
    lua.lua_newtable(L);
    eachPair(L, () => {
      lua.lua_pushvalue(L, -2);
      lua.lua_pushvalue(L, -2);
      lua.lua_rawset(L, 2);
      return true;
    });
    return 1;
  },
  /** True when every key is a positive integer; so an empty table is an array. */
  isarray(L) {
    checkTable(L);
    let array = true;
    eachPair(L, () => {
      const key = lua.lua_type(L, -2) === lua.LUA_TNUMBER ? lua.lua_tonumber(L, -2) : 0;
      array = Number.isInteger(key) && key > 0;
      return array;
    });
    lua.lua_pushboolean(L, array);
    return 1;
  },
};
