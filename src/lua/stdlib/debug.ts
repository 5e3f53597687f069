/** `debug` without what reaches behind the state or past its limits. */

import { lua, type lua_CFunction, type lua_State, lualib } from "#fengari";
import { pushText, toBytes } from "../stack.ts";
import type { EnvironmentFunctions } from "./environment.ts";
import { dropFields, functionAt, openLibrary, setFunctions } from "./library.ts";

/** The hook belongs to the limits, the registry holds internals, and user values are not in 5.1. */
const absent = ["sethook", "debug", "getregistry", "getuservalue", "setuservalue"];

/**
 * Opens `debug`; +0. `debug.setmetatable` stays, for strings, functions and nil too, as under LuaJIT: it changes
 * this VM only, and our userdata is recognised by its JavaScript class and not by its metatable.
 */
export function openDebug(L: lua_State, environment: EnvironmentFunctions): void {
  openLibrary(L, "debug", lualib.luaopen_debug);
  dropFields(L, "debug", absent);
  lua.lua_getglobal(L, toBytes("debug"));
  setFunctions(L, {
    gethook: foreignHook,
    getupvalue: ofLuaFunctions(functionAt(L, "getupvalue")),
    setupvalue: ofLuaFunctions(functionAt(L, "setupvalue")),
    getfenv: environment.debugGetfenv,
    setfenv: environment.debugSetfenv,
  });
  lua.lua_pop(L, 1);
}

/** Lua's words for a hook that Lua code did not set and leaves alone: Penlight asks before it calls sethook. */
function foreignHook(L: lua_State): number {
  pushText(L, "external hook");
  pushText(L, "");
  lua.lua_pushinteger(L, 0);
  return 3;
}

/** The upvalues of C functions are what our wrappers keep out of reach: as if there were none. */
function ofLuaFunctions(access: lua_CFunction): lua_CFunction {
  return (L) => (lua.lua_iscfunction(L, 1) ? 0 : access(L));
}
