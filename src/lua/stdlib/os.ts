/** `os` without `exit` and `execute`; dates are Fengari's own, as the build patches them. */

import { renameSync, rmdirSync, unlinkSync } from "node:fs";
import { lauxlib, lua, type lua_State, lualib } from "#fengari";
import { latin1ToUtf8, pushUtf8, setFunction, textAt, toBytes } from "../stack.ts";
import { pushFileError, pushTrue } from "./file-result.ts";
import { extendLibrary, type Functions, functionAt } from "./library.ts";

/**
 * Fengari's functions that are safe and right; everything else of its library stays unreachable. `clock` counts
 * real time and not the CPU's: Node tells that only for the whole process, with all its VMs.
 */
const taken = ["clock", "date", "difftime", "setlocale", "time", "tmpname"];

/** Opens `os`; +0. */
export function openOs(L: lua_State): void {
  extendLibrary(L, "os", functions);
  lua.lua_getglobal(L, toBytes("os"));
  lua.lua_pushcfunction(L, lualib.luaopen_os);
  lua.lua_call(L, 0, 1);
  for (const name of taken) {
    const fn = functionAt(L, name);
    lua.lua_insert(L, -2);
    setFunction(L, name, fn);
    lua.lua_insert(L, -2);
  }
  lua.lua_pop(L, 2);
}

/** The agent's own secret, which the environment hands over and Lua code has no use for. */
const hidden = "RELUA_TOKEN";

const functions: Functions = {
  getenv(L) {
    const name = latin1ToUtf8(checkText(L, 1));
    const value = name === hidden ? undefined : process.env[name];
    if (value === undefined) lua.lua_pushnil(L);
    else pushUtf8(L, value);
    return 1;
  },
  remove(L) {
    const path = checkText(L, 1);
    try {
      remove(Buffer.from(path, "latin1"));
    } catch (error) {
      return pushFileError(L, error, path);
    }
    return pushTrue(L);
  },
  rename(L) {
    const from = checkText(L, 1);
    const to = checkText(L, 2);
    try {
      renameSync(Buffer.from(from, "latin1"), Buffer.from(to, "latin1"));
    } catch (error) {
      return pushFileError(L, error, from);
    }
    return pushTrue(L);
  },
};

function checkText(L: lua_State, arg: number): string {
  lauxlib.luaL_checkstring(L, arg);
  return textAt(L, arg) ?? "";
}

/** C's remove: a file, or an empty folder. */
function remove(path: Buffer): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && (error.code === "EISDIR" || error.code === "EPERM")))
      throw error;
    rmdirSync(path);
  }
}
