/** Turns the error that ended a coroutine into text: its message, and a traceback through nested coroutines. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { bytesAt, textAt, toBytes, toText } from "./stack.ts";

/** Which coroutine failed last when resumed by the key, and with which message. */
export type NestedFailures = WeakMap<lua_State, { readonly co: lua_State; readonly message: Uint8Array }>;

/** Remembers the failure of `co`, whose error is at its top, for the traceback of `from`; +0. */
export function noteFailure(failures: NestedFailures, co: lua_State, from: lua_State): void {
  if (lua.lua_type(co, -1) !== lua.LUA_TSTRING) return;
  const message = bytesAt(co, -1);
  if (message !== undefined) failures.set(from, { co, message });
}

/**
 * The error at the top of the dead coroutine `co`, as text. May run Lua code (`__tostring`), in a coroutine of its
 * own: must be called while the activity counts as running. Leaves both stacks as they were.
 */
export function describeFailure(
  main: lua_State,
  co: lua_State,
  failures: NestedFailures,
): { message: string; traceback: string } {
  const message = describeError(main, co);
  return { message, traceback: `${message}\n${tracebackThrough(main, co, message, failures)}` };
}

function describeError(main: lua_State, co: lua_State): string {
  // A dead coroutine has not a slot to spare, and looking at its error takes two.
  lua.lua_checkstack(co, 2);
  const text = textAt(co, -1) ?? viaToString(main, co);
  if (text !== undefined) return text;
  return `(error object is a ${toText(lua.lua_typename(co, lua.lua_type(co, -1)))} value)`;
}

/** What `__tostring` makes of the error object; undefined when there is none or it fails. */
function viaToString(main: lua_State, co: lua_State): string | undefined {
  if (lauxlib.luaL_getmetafield(co, -1, toBytes("__tostring")) === lua.LUA_TNIL) return undefined;
  lua.lua_pop(co, 1);
  const scratch = lua.lua_newthread(main);
  lua.lua_pop(main, 1);
  lua.lua_pushcfunction(scratch, (L: lua_State) => {
    lauxlib.luaL_tolstring(L, 1);
    return 1;
  });
  lua.lua_pushvalue(co, -1);
  lua.lua_xmove(co, scratch, 1);
  return lua.lua_resume(scratch, main, 1) === lua.LUA_OK ? textAt(scratch, -1) : undefined;
}

/**
 * The frames of `co`; when its error came out of a coroutine that it had resumed, the frames of that one first,
 * numbered from the innermost as lua-nginx-module does (`coroutine 0:`).
 */
function tracebackThrough(main: lua_State, co: lua_State, message: string, failures: NestedFailures): string {
  const chain = [co];
  let text = message;
  for (let inner = failures.get(co); inner !== undefined; inner = failures.get(inner.co)) {
    const innerText = toText(inner.message);
    // `coroutine.wrap` and `error(message)` put positions before it; anything else is another error.
    if (!text.endsWith(innerText)) break;
    chain.unshift(inner.co);
    text = innerText;
  }
  if (chain.length === 1) return framesOf(main, co).join("\n");
  const parts = chain.map((each, n) => [`coroutine ${n}:`, ...framesOf(main, each).slice(1)]);
  return ["stack traceback:", ...parts.flat()].join("\n");
}

/** The lines of luaL_traceback, heading first. */
function framesOf(main: lua_State, co: lua_State): string[] {
  lauxlib.luaL_traceback(main, co, null, 0);
  const text = textAt(main, -1) ?? "";
  lua.lua_pop(main, 1);
  return text.split("\n");
}
