/** `getfenv` and `setfenv` over 5.3's `_ENV` upvalues. */

import { lauxlib, lua, type lua_CFunction, type lua_State } from "#fengari";
import { loadPrelude } from "../prelude.ts";
import { type LuaRef, raise, refTo, toBytes, toText } from "../stack.ts";

export interface EnvironmentFunctions {
  readonly getfenv: lua_CFunction;
  readonly setfenv: lua_CFunction;
  /** `debug.getfenv(o)` and `debug.setfenv(o, t)`: functions and coroutines, no stack levels. */
  readonly debugGetfenv: lua_CFunction;
  readonly debugSetfenv: lua_CFunction;
  /** Pushes the environment of this coroutine when `setfenv(0, t)` gave it one; +1 or +0. */
  pushThreadEnvironment(L: lua_State): boolean;
}

/** Makes the four functions for this state; they share what they remember. */
export function environmentFunctions(L: lua_State): EnvironmentFunctions {
  loadPrelude(L, "environment");
  lua.lua_call(L, 0, 1);
  /** Pushes a Lua function `holder(env)` whose result has `env` as its one upvalue. */
  const pushHolder = refTo(L, -1);
  lua.lua_pop(L, 1);
  // 5.1 functions have an environment even when they use no global; 5.3 gives those no upvalue for it.
  const ofFunctions = new WeakMap<object, LuaRef>();
  const ofThreads = new WeakMap<object, LuaRef>();

  function pushThreadEnvironment(L: lua_State): boolean {
    const push = ofThreads.get(L);
    push?.(L);
    return push !== undefined;
  }

  /** Pushes the environment of the function at `index`; +1. */
  function pushEnvironment(L: lua_State, index: number): void {
    const upvalue = environmentUpvalue(L, index);
    if (upvalue > 0) {
      lua.lua_getupvalue(L, index, upvalue);
      return;
    }
    const push = ofFunctions.get(lua.lua_topointer(L, index));
    if (push) push(L);
    else if (!pushThreadEnvironment(L)) lua.lua_pushglobaltable(L);
  }

  /** Gives the function at `index` the table at `table` as its environment; false for C functions; +0. */
  function setEnvironment(L: lua_State, index: number, table: number): boolean {
    if (lua.lua_iscfunction(L, index)) return false;
    const upvalue = environmentUpvalue(L, index);
    if (upvalue > 0) {
      // Functions of one chunk share the upvalue: this one gets its own, the others keep theirs.
      pushHolder(L);
      lua.lua_pushvalue(L, table);
      lua.lua_call(L, 1, 1);
      lua.lua_upvaluejoin(L, index, upvalue, -1, 1);
      lua.lua_pop(L, 1);
    } else {
      ofFunctions.set(lua.lua_topointer(L, index), refTo(L, table));
    }
    return true;
  }

  return {
    pushThreadEnvironment,
    getfenv(L) {
      if (!pushSubject(L, 1, 1)) {
        if (!pushThreadEnvironment(L)) lua.lua_pushglobaltable(L);
        return 1;
      }
      pushEnvironment(L, lua.lua_gettop(L));
      return 1;
    },
    setfenv(L) {
      lauxlib.luaL_checktype(L, 2, lua.LUA_TTABLE);
      if (!pushSubject(L, 1)) {
        ofThreads.set(L, refTo(L, 2));
        return 0;
      }
      if (!setEnvironment(L, lua.lua_gettop(L), 2)) refuse(L);
      return 1;
    },
    debugGetfenv(L) {
      lauxlib.luaL_checkany(L, 1);
      if (lua.lua_isfunction(L, 1)) {
        pushEnvironment(L, 1);
        return 1;
      }
      const thread = lua.lua_tothread(L, 1);
      const push = thread && ofThreads.get(thread);
      if (push) push(L);
      else if (thread) lua.lua_pushglobaltable(L);
      else lua.lua_pushnil(L);
      return 1;
    },
    debugSetfenv(L) {
      lauxlib.luaL_checktype(L, 2, lua.LUA_TTABLE);
      lua.lua_settop(L, 2);
      const thread = lua.lua_tothread(L, 1);
      if (thread) ofThreads.set(thread, refTo(L, 2));
      else if (!lua.lua_isfunction(L, 1) || !setEnvironment(L, 1, 2)) refuse(L);
      lua.lua_settop(L, 1);
      return 1;
    },
  };
}

function refuse(L: lua_State): never {
  return raise(L, "'setfenv' cannot change environment of given object");
}

/**
 * Pushes the function that argument `arg` means: itself, or the one at that stack level, seen from the caller;
 * +1 and true. Level 0 means the running coroutine: +0 and false.
 */
function pushSubject(L: lua_State, arg: number, defaultLevel?: number): boolean {
  if (lua.lua_isfunction(L, arg)) {
    lua.lua_pushvalue(L, arg);
    return true;
  }
  const level =
    defaultLevel === undefined
      ? lauxlib.luaL_checkinteger(L, arg)
      : lauxlib.luaL_optinteger(L, arg, defaultLevel);
  lauxlib.luaL_argcheck(L, level >= 0, arg, toBytes("level must be non-negative"));
  if (level === 0) return false;
  const frame = new lua.lua_Debug();
  if (!lua.lua_getstack(L, level, frame)) lauxlib.luaL_argerror(L, arg, toBytes("invalid level"));
  lua.lua_getinfo(L, toBytes("f"), frame);
  return true;
}

/** The number of the upvalue `_ENV` of the function at `index`; 0 when it has none; +0. */
function environmentUpvalue(L: lua_State, index: number): number {
  if (lua.lua_iscfunction(L, index)) return 0;
  for (let n = 1; ; n++) {
    const name = lua.lua_getupvalue(L, index, n) as Uint8Array | null;
    if (name === null) return 0;
    lua.lua_pop(L, 1);
    if (toText(name) === "_ENV") return n;
  }
}
