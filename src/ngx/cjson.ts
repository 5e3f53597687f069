/** The Lua modules `cjson` and `cjson.safe`: lua-cjson 2.1 in OpenResty's version. */

import { lauxlib, lua, type lua_CFunction, type lua_State } from "#fengari";
import { pushBytes, setField, setFunction, toBytes } from "../lua/stack.ts";
import { array, emptyArray, emptyArrayMetatable, pushArrayMetatable } from "./cjson/array.ts";
import { decode } from "./cjson/decode.ts";
import { encode } from "./cjson/encode.ts";
import { createOutput } from "./cjson/output.ts";
import { defaultSettings, openSettings } from "./cjson/settings.ts";
import type { NgxHost } from "./host.ts";
import { pushNull } from "./null.ts";

function checkOneArgument(L: lua_State): void {
  if (lua.lua_gettop(L) !== 1) lauxlib.luaL_argerror(L, 1, toBytes("expected 1 argument"));
}

/** Wraps a function of one argument and one result: `nil, message` instead of an error. */
function protect(convert: lua_CFunction): lua_CFunction {
  return (L) => {
    checkOneArgument(L);
    lua.lua_pushcfunction(L, convert);
    lua.lua_insert(L, 1);
    if (lua.lua_pcall(L, 1, 1, 0) === lua.LUA_OK) return 1;
    lua.lua_pushnil(L);
    lua.lua_insert(L, -2);
    return 2;
  };
}

/** Pushes a module table with settings of its own; +1. */
function pushModule(L: lua_State, safe: boolean): void {
  const settings = defaultSettings();
  const kept = createOutput();
  const encodeFunction: lua_CFunction = (L) => {
    checkOneArgument(L);
    pushBytes(L, encode(L, settings, kept));
    return 1;
  };
  const decodeFunction: lua_CFunction = (L) => {
    checkOneArgument(L);
    decode(L, settings, lauxlib.luaL_checkstring(L, 1));
    return 1;
  };

  lua.lua_createtable(L, 0, 20);
  setFunction(L, "encode", safe ? protect(encodeFunction) : encodeFunction);
  setFunction(L, "decode", safe ? protect(decodeFunction) : decodeFunction);
  setFunction(L, "new", (L) => {
    pushModule(L, safe);
    return 1;
  });
  openSettings(L, settings);
  pushNull(L);
  lua.lua_setfield(L, -2, toBytes("null"));
  pushArrayMetatable(L, array);
  lua.lua_setfield(L, -2, toBytes("array_mt"));
  pushArrayMetatable(L, emptyArrayMetatable);
  lua.lua_setfield(L, -2, toBytes("empty_array_mt"));
  lua.lua_pushlightuserdata(L, emptyArray);
  lua.lua_setfield(L, -2, toBytes("empty_array"));
  setField(L, "_NAME", "cjson");
  setField(L, "_VERSION", "2.1.0.13");
}

/** Puts `cjson` and `cjson.safe` into `package.loaded`; +0. */
export function openCjson(L: lua_State, _host: NgxHost): void {
  lauxlib.luaL_getsubtable(L, lua.LUA_REGISTRYINDEX, lauxlib.LUA_LOADED_TABLE);
  pushModule(L, false);
  lua.lua_setfield(L, -2, toBytes("cjson"));
  pushModule(L, true);
  lua.lua_setfield(L, -2, toBytes("cjson.safe"));
  lua.lua_pop(L, 1);
}
