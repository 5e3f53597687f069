/** The Lua half of the standard library: compiled once per thread, loaded into each state as bytecode. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { lauxlib, lua, type lua_State } from "#fengari";
import { dumpFunction, textAt, toBytes } from "./stack.ts";

/** The themes, each a file `prelude/<theme>.lua`. */
export type PreludeTheme = "environment" | "table";

/** Through the package's imports: a thread's bundle does not lie where this file does. */
const { resolve } = createRequire(import.meta.url);
const bytecode = new Map<PreludeTheme, Uint8Array>();

/** Pushes the chunk of a theme, not yet called; +1. */
export function loadPrelude(L: lua_State, theme: PreludeTheme): void {
  const name = toBytes(`=relua.prelude.${theme}`);
  const dumped = bytecode.get(theme);
  const source = dumped ?? readFileSync(resolve(`#prelude/${theme}.lua`));
  if (lauxlib.luaL_loadbufferx(L, source, source.length, name, null) !== lua.LUA_OK)
    throw new Error(textAt(L, -1));
  if (dumped === undefined) dumpFunction(L, (code) => bytecode.set(theme, code.slice()));
}
