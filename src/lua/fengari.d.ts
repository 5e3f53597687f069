/**
 * The part of Fengari's C-like API that Relua uses, with types; package.json maps "#fengari" to this file for
 * types and to the patched copy in dist/fengari at run time. Semantics: Lua 5.3 manual, section 4.
 */

/** A Lua string: bytes. */
export type LuaString = Uint8Array;
export type lua_CFunction = (L: lua_State) => number;
/** Continuation of a call or yield (manual 4.7); `ctx` is what was given to the call. */
export type lua_KFunction = (L: lua_State, status: number, ctx: unknown) => number;
export type lua_Hook = (L: lua_State, ar: lua_Debug) => void;
/** A Lua thread (coroutine) or the main state. */
export interface lua_State {
  /** Runs when a JavaScript exception that is not a Lua error reaches a protected call. */
  readonly __lua_State: true;
}
export interface lua_Debug {
  event: number;
  name: LuaString | null;
  namewhat: LuaString;
  what: LuaString;
  source: LuaString;
  short_src: LuaString;
  currentline: number;
  linedefined: number;
  lastlinedefined: number;
}
/** Fengari's functions as a record; each file that needs one takes it with its own narrow type. */
// biome-ignore lint/suspicious/noExplicitAny: Fengari ships no types and has some 200 functions
type Api = { readonly [name: string]: any };

export const lua: Api;
export const lauxlib: Api;
export const lualib: Api;
export const luaconf: Api;
export function to_luastring(text: string, cache?: boolean): LuaString;
export function to_jsstring(bytes: LuaString, from?: number, to?: number, replace?: boolean): string;
