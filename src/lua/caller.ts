/** Who called a C function: the nearest Lua function on the stack, past pcall and its like. */

import { lua, type lua_Debug, type lua_State } from "#fengari";
import { utf8Text } from "./stack.ts";

export interface Caller {
  /** The compiled function, an identity that all closures over it share. */
  readonly proto: object;
  /** Chunk name: `@path` or `=name`. */
  readonly source: string;
  /** Where the call stands, `apps/a.lua:3`. */
  readonly at: string;
}

interface CallInfo {
  readonly func: { readonly value: { readonly p?: object } };
}

/** The compiled function of the nearest Lua caller; a fraction of the cost of `callerOf`. */
export function callingProto(L: lua_State): object | undefined {
  const activation = new lua.lua_Debug() as lua_Debug & { i_ci: CallInfo };
  for (let level = 1; lua.lua_getstack(L, level, activation) === 1; level++) {
    const proto = activation.i_ci.func.value.p;
    if (proto) return proto;
  }
  return undefined;
}

/** The nearest Lua caller with its place; undefined when only C functions are on the stack. */
export function callerOf(L: lua_State): Caller | undefined {
  return callersOf(L)[0];
}

/** The Lua callers from the nearest one to the nearest that is part of a file: code made by `load` acts for its caller. */
export function callersOf(L: lua_State): readonly Caller[] {
  const callers: Caller[] = [];
  const activation = new lua.lua_Debug() as lua_Debug & { i_ci: CallInfo };
  for (let level = 1; lua.lua_getstack(L, level, activation) === 1; level++) {
    const proto = activation.i_ci.func.value.p;
    if (!proto) continue;
    lua.lua_getinfo(L, new Uint8Array([83, 108]) /* "Sl" */, activation);
    const source = utf8Text(activation.source);
    callers.push({ proto, source, at: `${utf8Text(activation.short_src)}:${activation.currentline}` });
    if (source.startsWith("@")) break;
  }
  return callers;
}

/** Where the function at `index` is defined; +0. */
export function definitionOf(
  L: lua_State,
  index: number,
): { readonly source: string; readonly line: number } {
  const record = new lua.lua_Debug() as lua_Debug;
  lua.lua_pushvalue(L, index);
  lua.lua_getinfo(L, new Uint8Array([62, 83]) /* ">S" */, record);
  return { source: utf8Text(record.source), line: record.linedefined };
}
