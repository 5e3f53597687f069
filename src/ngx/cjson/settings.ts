/** What a cjson module can be told to do differently, and the functions that tell it. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { pushNumber, pushText, setFunction, toBytes } from "../../lua/stack.ts";

/** Settings of one cjson module (`cjson.new()` makes another); names and defaults are lua-cjson's. */
export interface CjsonSettings {
  encodeSparseConvert: boolean;
  /** An array is excessively sparse when its highest index is more than this many times its elements; 0: never. */
  encodeSparseRatio: number;
  /** Highest index up to which an array is never excessively sparse. */
  encodeSparseSafe: number;
  encodeMaxDepth: number;
  decodeMaxDepth: number;
  /** Whether NaN and infinities are errors, written as JavaScript names them, or written as null. */
  encodeInvalidNumbers: "off" | "on" | "null";
  decodeInvalidNumbers: boolean;
  /** Significant digits of a number. */
  encodeNumberPrecision: number;
  /** Keep the output buffer for the next call. */
  encodeKeepBuffer: boolean;
  encodeEmptyTableAsObject: boolean;
  encodeEscapeForwardSlash: boolean;
  decodeArrayWithArrayMt: boolean;
  decodeJsonNull: boolean;
}

export function defaultSettings(): CjsonSettings {
  return {
    encodeSparseConvert: false,
    encodeSparseRatio: 2,
    encodeSparseSafe: 10,
    encodeMaxDepth: 1000,
    decodeMaxDepth: 1000,
    encodeInvalidNumbers: "off",
    decodeInvalidNumbers: true,
    encodeNumberPrecision: 14,
    encodeKeepBuffer: true,
    encodeEmptyTableAsObject: true,
    encodeEscapeForwardSlash: true,
    decodeArrayWithArrayMt: false,
    decodeJsonNull: true,
  };
}

/** Names of the settings with values of type `T`. */
type NamesOf<T> = { [K in keyof CjsonSettings]: CjsonSettings[K] extends T ? K : never }[keyof CjsonSettings];

const largestInt = 2 ** 31 - 1;

/** Takes `on`, `off` or a boolean at `index`, where given, and pushes the setting; +1. */
function booleanOption(L: lua_State, index: number, settings: CjsonSettings, name: NamesOf<boolean>): void {
  if (lua.lua_isboolean(L, index)) settings[name] = lua.lua_toboolean(L, index);
  else if (!lua.lua_isnoneornil(L, index)) settings[name] = option(L, index, ["off", "on"]) === "on";
  lua.lua_pushboolean(L, settings[name]);
}

/** Takes an integer at `index`, where given, and pushes the setting; +1. */
function integerOption(
  L: lua_State,
  index: number,
  settings: CjsonSettings,
  name: NamesOf<number>,
  min: number,
  max: number,
): void {
  if (!lua.lua_isnoneornil(L, index)) {
    const value = lauxlib.luaL_checkinteger(L, index);
    if (value < min || value > max) {
      lauxlib.luaL_argerror(L, 1, toBytes(`expected integer between ${min} and ${max}`));
    }
    settings[name] = value;
  }
  pushNumber(L, settings[name]);
}

function option<T extends string>(L: lua_State, index: number, options: readonly T[]): T {
  const chosen = lauxlib.luaL_checkoption(L, index, null, options.map(toBytes));
  return options[chosen] as T;
}

function encodeInvalidNumbers(L: lua_State, settings: CjsonSettings): number {
  if (lua.lua_isboolean(L, 1)) settings.encodeInvalidNumbers = lua.lua_toboolean(L, 1) ? "on" : "off";
  else if (!lua.lua_isnoneornil(L, 1)) settings.encodeInvalidNumbers = option(L, 1, ["off", "on", "null"]);
  if (settings.encodeInvalidNumbers === "null") pushText(L, "null");
  else lua.lua_pushboolean(L, settings.encodeInvalidNumbers === "on");
  return 1;
}

/** Sets the functions that read and change `settings`, on the table at the top; +0. */
export function openSettings(L: lua_State, settings: CjsonSettings): void {
  const set = (name: string, most: number, change: (L: lua_State) => number) =>
    setFunction(L, name, (L) => {
      if (lua.lua_gettop(L) > most) {
        lauxlib.luaL_argerror(L, most + 1, toBytes("found too many arguments"));
      }
      return change(L);
    });
  const setBoolean = (luaName: string, name: NamesOf<boolean>) =>
    set(luaName, 1, (L) => {
      booleanOption(L, 1, settings, name);
      return 1;
    });
  const setInteger = (luaName: string, name: NamesOf<number>, max: number) =>
    set(luaName, 1, (L) => {
      integerOption(L, 1, settings, name, 1, max);
      return 1;
    });

  set("encode_sparse_array", 3, (L) => {
    lua.lua_settop(L, 3);
    booleanOption(L, 1, settings, "encodeSparseConvert");
    integerOption(L, 2, settings, "encodeSparseRatio", 0, largestInt);
    integerOption(L, 3, settings, "encodeSparseSafe", 0, largestInt);
    return 3;
  });
  setInteger("encode_max_depth", "encodeMaxDepth", largestInt);
  setInteger("decode_max_depth", "decodeMaxDepth", largestInt);
  setInteger("encode_number_precision", "encodeNumberPrecision", 16);
  setBoolean("encode_keep_buffer", "encodeKeepBuffer");
  setBoolean("encode_empty_table_as_object", "encodeEmptyTableAsObject");
  setBoolean("encode_escape_forward_slash", "encodeEscapeForwardSlash");
  setBoolean("decode_array_with_array_mt", "decodeArrayWithArrayMt");
  setBoolean("decode_invalid_numbers", "decodeInvalidNumbers");
  setBoolean("decode_json_null", "decodeJsonNull");
  set("encode_invalid_numbers", 1, (L) => encodeInvalidNumbers(L, settings));
}
