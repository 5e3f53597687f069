/** Evicting from one VM: exactly the closure leaves `package.loaded`, under all names, with its globals. */

import { lua, type lua_State } from "#fengari";
import { closureOf, dependentsIn } from "../core/closure.ts";
import type { PinnedWhy } from "../core/pins.ts";
import { isChunk } from "../core/plan.ts";
import type { Files } from "./files.ts";
import type { Generations } from "./generations.ts";
import type { Hot } from "./hot.ts";
import type { Observations } from "./observations.ts";
import { pushUtf8 } from "./stack.ts";

export interface EvictionParts {
  readonly L: lua_State;
  readonly generations: Generations;
  readonly observations: Observations;
  readonly files: Files;
  readonly hot: Hot;
  readonly pinnedWhy: PinnedWhy;
  /** Globals that `module()` made, by module name. */
  readonly moduleGlobals: Set<string>;
}

/**
 * The names to evict here, dependents first: those that the plan lists, and what this VM has loaded on top of the
 * roots since the plan was made.
 */
export function evictionOrder(
  parts: Pick<EvictionParts, "observations" | "pinnedWhy">,
  planned: readonly string[],
  roots: readonly string[],
): readonly string[] {
  const dependents = dependentsIn(parts.observations.graph, parts.pinnedWhy);
  const own = closureOf(dependents, [...roots, ...planned]);
  return own.members.map((member) => member.name);
}

/** Takes the names out of the active generation. Returns those that were there. */
export function evict(parts: EvictionParts, names: readonly string[]): readonly string[] {
  const { L, generations, observations, files, hot, moduleGlobals } = parts;
  const evicted: string[] = [];
  generations.pushLoaded(generations.active);
  for (const name of names) {
    pushUtf8(L, name);
    const was = lua.lua_rawget(L, -2) !== lua.LUA_TNIL;
    lua.lua_pop(L, 1);
    const path = observations.graph.module(name)?.path;
    if (path !== undefined) files.unloaded(path, name);
    observations.unloaded(name);
    if (!isChunk(name)) {
      hot.evicted(name, path, was);
      generations.setApart(name, path);
    }
    if (moduleGlobals.delete(name)) generations.retireGlobal(name);
    if (!was) continue;
    pushUtf8(L, name);
    lua.lua_pushnil(L);
    lua.lua_rawset(L, -3);
    evicted.push(name);
  }
  lua.lua_pop(L, 1);
  return evicted;
}
