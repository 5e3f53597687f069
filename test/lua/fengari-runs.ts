/** Runs Lua text on Fengari as Relua patches it and as npm delivers it, and on the Lua of the operating system. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { lua_State } from "#fengari";
import * as patchedFengari from "#fengari";
import { toBytes, toText } from "../../src/lua/stack.ts";

type Fengari = typeof patchedFengari;
export const patched: Fengari = patchedFengari;
export const stock = createRequire(import.meta.url)("fengari") as Fengari;

/** A new state with all of Fengari's libraries. */
export function newState({ lauxlib, lualib }: Fengari): lua_State {
  const L = lauxlib.luaL_newstate();
  lualib.luaL_openlibs(L);
  return L;
}

/**
 * What the chunk returned, each value as Lua's tostring shows it, in latin1; or `error: ` and the message.
 * JavaScript exceptions that escape from Fengari count as errors, too.
 */
export function run(fengari: Fengari, code: string, L = newState(fengari)): readonly string[] {
  const { lua, lauxlib } = fengari;
  const bytes = toBytes(code);
  lua.lua_settop(L, 0);
  try {
    const status =
      lauxlib.luaL_loadbuffer(L, bytes, bytes.length, toBytes("=chunk")) ||
      lua.lua_pcall(L, 0, lua.LUA_MULTRET, 0);
    const values = Array.from({ length: lua.lua_gettop(L) }, (_, i) =>
      toText(lauxlib.luaL_tolstring(L, i + 1)),
    );
    return status === lua.LUA_OK ? values : [`error: ${values.at(-1)}`];
  } catch (error) {
    return [`error: ${String(error)}`];
  }
}

/** A Lua to compare with: takes expressions, answers with what `show` makes of each. */
export type Evaluate = (expressions: readonly string[]) => readonly string[];

/** Between two results; no expression of the tests makes it. */
const separator = "\x1d\x1e\x1f";

/** Every value of an expression, or the fact that it failed: messages differ between Luas, and are no numbers. */
const batch = (expressions: readonly string[]): string => `
local results = {}
local function keep(ok, ...)
  local shown = {}
  for i = 1, select("#", ...) do shown[i] = tostring((select(i, ...))) end
  results[#results + 1] = ok and table.concat(shown, " ") or "failed"
end
${expressions.map((expression) => `keep(pcall(function() return ${expression} end))`).join("\n")}
return table.concat(results, "\\29\\30\\31")`;

/** All expressions in one chunk; they share a state. */
export function evaluateOn(fengari: Fengari): Evaluate {
  return (expressions) => (run(fengari, batch(expressions))[0] ?? "").split(separator);
}

/** All expressions in one process of a Lua of the operating system. */
export function evaluateWith(program: string, environment: NodeJS.ProcessEnv = process.env): Evaluate {
  return (expressions) => {
    const folder = mkdtempSync(join(tmpdir(), "relua-lua-"));
    try {
      const file = join(folder, "batch.lua");
      writeFileSync(file, `io.write((function() ${batch(expressions)} end)())`, "latin1");
      return execFileSync(program, [file], { encoding: "latin1", env: environment }).split(separator);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
}
