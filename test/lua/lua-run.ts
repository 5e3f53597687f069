/** Runs Lua text on a fresh state for the tests of the standard library. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { textAt, toBytes } from "../../src/lua/stack.ts";
import { createState } from "../../src/lua/state.ts";

export interface LuaRun {
  readonly L: lua_State;
  /** What the chunk printed or wrote to stdout, line by line. */
  readonly lines: readonly string[];
  readonly errorLines: readonly string[];
  /** Names that `module()` made global. */
  readonly moduleGlobals: readonly string[];
  /** What the chunk returned: strings and numbers as text, the rest as `tostring` shows it. */
  readonly values: readonly string[];
  /** The message of the error that ended it, else undefined. */
  readonly error: string | undefined;
}

/** Runs `source` (latin1) as the chunk `name`; `prepare` may add to the state first. */
export function runLua(source: string, name = "=chunk", prepare: (L: lua_State) => void = () => {}): LuaRun {
  const lines: string[] = [];
  const errorLines: string[] = [];
  const moduleGlobals: string[] = [];
  const L = createState({
    print: (line) => lines.push(line),
    printError: (line) => errorLines.push(line),
    moduleGlobal: (global) => moduleGlobals.push(global),
  });
  prepare(L);
  const bytes = toBytes(source);
  const failed =
    lauxlib.luaL_loadbufferx(L, bytes, bytes.length, toBytes(name), "t") !== lua.LUA_OK ||
    lua.lua_pcall(L, 0, lua.LUA_MULTRET, 0) !== lua.LUA_OK;
  const error = failed ? (textAt(L, -1) ?? "(not a string)") : undefined;
  const values: string[] = [];
  for (let i = 1; !failed && i <= lua.lua_gettop(L); i++) {
    lauxlib.luaL_tolstring(L, i);
    values.push(textAt(L, -1) ?? "");
    lua.lua_pop(L, 1);
  }
  return { L, lines, errorLines, moduleGlobals, values, error };
}
