/** `collectgarbage` and `gcinfo`: the JavaScript heap collects by itself, so these only answer. */

import { getHeapStatistics } from "node:v8";
import { lauxlib, lua, type lua_CFunction, type lua_State } from "#fengari";
import { toBytes } from "../stack.ts";

/**
 * How long one reading stands. Programs loop until two calls of `collectgarbage "count"` agree; V8 allocates
 * between any two readings, so fresh ones never would.
 */
const readingMs = 100;

let usedKilobytes = 0;
let readAtMs = Number.NEGATIVE_INFINITY;

/** Kilobytes in use by this thread's JavaScript heap, Lua's strings outside of it included. */
function countKilobytes(): number {
  const now = performance.now();
  if (now - readAtMs >= readingMs) {
    const heap = getHeapStatistics();
    usedKilobytes = (heap.used_heap_size + heap.external_memory) / 1024;
    readAtMs = now;
  }
  return usedKilobytes;
}

const options = [
  "collect",
  "stop",
  "restart",
  "count",
  "step",
  "setpause",
  "setstepmul",
  "isrunning",
  "incremental",
  "generational",
] as const;

const optionBytes = options.map(toBytes);

/** `collectgarbage(option, argument)`: answers as a collector would that is always running and never behind. */
export function collectgarbage(): lua_CFunction {
  return (L: lua_State) => {
    const option = options[lauxlib.luaL_checkoption(L, 1, toBytes("collect"), optionBytes)];
    switch (option) {
      case "count":
        lua.lua_pushnumber(L, countKilobytes());
        break;
      case "step":
      case "isrunning":
        lua.lua_pushboolean(L, true);
        break;
      case "setpause":
      case "setstepmul":
        lua.lua_pushinteger(L, 200);
        break;
      case "incremental":
      case "generational":
        lua.lua_pushliteral(L, "incremental");
        break;
      default:
        lua.lua_pushinteger(L, 0);
    }
    return 1;
  };
}

/** `gcinfo()` of 5.0: the count in whole kilobytes. */
export function gcinfo(): lua_CFunction {
  return (L: lua_State) => {
    lua.lua_pushinteger(L, Math.floor(countKilobytes()));
    return 1;
  };
}
