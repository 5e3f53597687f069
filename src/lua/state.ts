/** Makes a fresh Lua state: the safe standard library and what LuaJIT/5.1 code expects beside it. */

import { lauxlib, type lua_State, lualib } from "#fengari";
import { openBase } from "./stdlib/base.ts";
import { openBit } from "./stdlib/bit.ts";
import { openDebug } from "./stdlib/debug.ts";
import { environmentFunctions } from "./stdlib/environment.ts";
import { openIo } from "./stdlib/io.ts";
import { openJit } from "./stdlib/jit.ts";
import { openLibrary } from "./stdlib/library.ts";
import { openMath } from "./stdlib/math.ts";
import { openModule } from "./stdlib/module.ts";
import { openOs } from "./stdlib/os.ts";
import { openPackage } from "./stdlib/package.ts";
import { openString } from "./stdlib/string.ts";
import { openTable } from "./stdlib/table.ts";

/** What a state needs from the thread it lives in; lines are latin1, one character per byte. */
export interface StateOptions {
  /** A line of `print`, `io.write` or `io.stdout`, without its newline; goes to the log at notice. */
  print(line: string): void;
  /** A line of `io.stderr`; `print` when absent. */
  printError?(line: string): void;
  /**
   * `module(name)` has put its table into the global `name` (dotted: `a.b` is `b` in the global `a`), so that
   * evicting the module can clear it. The name is text (UTF-8 in Lua), as module names are everywhere.
   */
  moduleGlobal?(name: string): void;
}

/**
 * A Lua state with `_VERSION` "Lua 5.1" and the standard library in its safe form. What it has not: `require`
 * and its searchers, `dofile`, `loadfile` (require.ts installs them), `debug.sethook`, `os.exit`, `os.execute`,
 * `io.popen`, `package.loadlib`, bytecode in `load`, and any way to JavaScript.
 *
 * Weak tables hold strongly and `__gc` is never called: Lua values are JavaScript objects here.
 */
export function createState(options: StateOptions): lua_State {
  const L = lauxlib.luaL_newstate();
  openPackage(L);
  const environment = environmentFunctions(L);
  openBase(L, environment, options.print);
  openLibrary(L, "coroutine", lualib.luaopen_coroutine);
  openLibrary(L, "utf8", lualib.luaopen_utf8);
  openString(L);
  openTable(L);
  openMath(L);
  openBit(L);
  openOs(L);
  openIo(L, options.print, options.printError ?? options.print);
  openDebug(L, environment);
  openModule(L, environment, options.moduleGlobal ?? (() => {}));
  openJit(L);
  return L;
}
