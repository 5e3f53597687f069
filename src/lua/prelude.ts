/** The Lua half of the standard library: compiled once per thread, loaded into each state as bytecode. */

import { readFileSync } from "node:fs";
import { lauxlib, lua, type lua_State } from "#fengari";
import { textAt, toBytes } from "./stack.ts";

/** The themes, each a file `prelude/<theme>.lua`. */
export type PreludeTheme = "environment" | "table";

const bytecode = new Map<PreludeTheme, Uint8Array>();

/** Pushes the chunk of a theme, not yet called; +1. */
export function loadPrelude(L: lua_State, theme: PreludeTheme): void {
  const name = toBytes(`=relua.prelude.${theme}`);
  const dumped = bytecode.get(theme);
  const source = dumped ?? readFileSync(new URL(`./prelude/${theme}.lua`, import.meta.url));
  if (lauxlib.luaL_loadbufferx(L, source, source.length, name, null) !== lua.LUA_OK)
    throw new Error(textAt(L, -1));
  if (dumped === undefined) bytecode.set(theme, dump(L));
}

/** The function at the top as bytecode, with its line numbers; +0. */
function dump(L: lua_State): Uint8Array {
  const parts: Uint8Array[] = [];
  lua.lua_dump(
    L,
    (_: lua_State, bytes: Uint8Array, size: number) => {
      parts.push(bytes.slice(0, size));
      return 0;
    },
    null,
    false,
  );
  return new Uint8Array(Buffer.concat(parts));
}
