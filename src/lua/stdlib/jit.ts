/**
 * The `jit` table, telling the truth: there is no compiler, `jit.status()` is false. It exists because code for
 * OpenResty calls `jit.off()` and `require "jit.opt".start(…)` without asking. Libraries that take `jit` for a
 * sign of FFI find `pcall(require, "ffi")` false and fall back; those that do not ask could not run anyway.
 */

import { lua, type lua_State } from "#fengari";
import { setField, toBytes } from "../stack.ts";
import { extendLibrary, openLibrary, setFunctions } from "./library.ts";

const systems: Readonly<Record<string, string>> = { linux: "Linux", darwin: "OSX", win32: "Windows" };
const architectures: Readonly<Record<string, string>> = { ia32: "x86" };

/** Opens `jit` and `jit.opt`; +0. */
export function openJit(L: lua_State): void {
  const nothing = () => 0;
  extendLibrary(L, "jit", { on: nothing, off: nothing, flush: nothing, attach: nothing, status });
  lua.lua_getglobal(L, toBytes("jit"));
  setField(L, "version", "Relua (Fengari, no JIT compiler)");
  // Programs compare it with 20100 to tell LuaJIT 2.1's library, which is what they find here.
  setField(L, "version_num", 20100);
  setField(L, "os", systems[process.platform] ?? "Other");
  setField(L, "arch", architectures[process.arch] ?? process.arch);
  openLibrary(L, "jit.opt", (L) => {
    lua.lua_newtable(L);
    setFunctions(L, { start: nothing });
    return 1;
  });
  lua.lua_getglobal(L, toBytes("jit.opt"));
  lua.lua_setfield(L, -2, toBytes("opt"));
  lua.lua_pushnil(L);
  lua.lua_setglobal(L, toBytes("jit.opt"));
  lua.lua_pop(L, 1);
}

function status(L: lua_State): number {
  lua.lua_pushboolean(L, false);
  return 1;
}
