/** A Lua state with an ngx table of the topics under test, for the specifications of this folder. */

import { lauxlib, lua, type lua_State, lualib } from "#fengari";
import type { LogLevel } from "../../src/core/log.ts";
import type { Scheduler } from "../../src/lua/activity.ts";
import { pushText, textAt, toBytes } from "../../src/lua/stack.ts";
import type { NgxHost } from "../../src/ngx/host.ts";

/** A scheduler for code that never waits. */
const idle: Scheduler = {
  run: () => {
    throw new Error("nothing runs here");
  },
  current: () => undefined,
  suspend: () => {
    throw new Error("nothing waits here");
  },
  exit: () => {
    throw new Error("nothing exits here");
  },
  size: 0,
};

export interface LuaWithNgx {
  readonly L: lua_State;
  readonly logged: { level: LogLevel; message: string }[];
  /** Runs a chunk named `@test.lua` and returns its results as latin1 texts; a Lua error is thrown as its message. */
  run(code: string, ...args: readonly string[]): string[];
  /** The message of the Lua error that `code` raises. */
  error(code: string, ...args: readonly string[]): string;
}

/** `topics` are called as src/ngx/api.ts calls them: with the ngx table at the top. */
export function luaWithNgx(
  topics: readonly ((L: lua_State, host: NgxHost) => void)[],
  changes: Partial<NgxHost> = {},
): LuaWithNgx {
  const L = lauxlib.luaL_newstate() as lua_State;
  lualib.luaL_openlibs(L);
  const logged: LuaWithNgx["logged"] = [];
  const host: NgxHost = {
    scheduler: idle,
    workerId: 0,
    workerCount: 1,
    prefix: "/srv/app",
    log: (level, message) => logged.push({ level, message }),
    exiting: () => false,
    ...changes,
  };
  lua.lua_newtable(L);
  for (const open of topics) open(L, host);
  if (lua.lua_gettop(L) !== 1) throw new Error("a topic left something on the stack");
  lua.lua_setglobal(L, toBytes("ngx"));

  const call = (code: string, args: readonly string[]): boolean => {
    lua.lua_settop(L, 0);
    const chunk = toBytes(Buffer.from(code, "utf8").toString("latin1"));
    if (lauxlib.luaL_loadbuffer(L, chunk, chunk.length, toBytes("@app/test.lua")) !== lua.LUA_OK)
      return false;
    for (const arg of args) pushText(L, arg);
    return lua.lua_pcall(L, args.length, lua.LUA_MULTRET, 0) === lua.LUA_OK;
  };
  const text = (index: number): string => {
    lauxlib.luaL_tolstring(L, index);
    const result = textAt(L, -1) as string;
    lua.lua_pop(L, 1);
    return result;
  };
  return {
    L,
    logged,
    run: (code, ...args) => {
      if (!call(code, args)) throw new Error(text(-1));
      return Array.from({ length: lua.lua_gettop(L) }, (_, index) => text(index + 1));
    },
    error: (code, ...args) => {
      if (call(code, args)) throw new Error("no error was raised");
      return text(-1);
    },
  };
}
