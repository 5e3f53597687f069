/** `ngx.sleep`: lets other coroutines of the VM run for a while. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { raise, setFunction } from "../lua/stack.ts";
import type { NgxHost } from "./host.ts";
import { requireYieldable } from "./request-scope.ts";

/** Node's longest timer; a longer one would fire at once. 24.8 days outlast every request. */
const longestMs = 2 ** 31 - 1;

/** Sets `sleep`; +0. */
export function openSleep(L: lua_State, host: NgxHost): void {
  setFunction(L, "sleep", (L) => {
    const count = lua.lua_gettop(L);
    if (count !== 1) raise(L, `attempt to pass ${count} arguments, but accepted 1`);
    const delayMs = Math.trunc(lauxlib.luaL_checknumber(L, 1) * 1000);
    if (!(delayMs >= 0)) raise(L, `invalid sleep duration "${delayMs}"`);
    requireYieldable(L, host);
    if (host.scheduler.current() === undefined) raise(L, "API disabled in the current context");
    return host.scheduler.suspend(L, (wake) => {
      if (delayMs === 0) {
        const turn = setImmediate(() => wake());
        return () => clearImmediate(turn);
      }
      const timer = setTimeout(() => wake(), Math.min(delayMs, longestMs));
      return () => clearTimeout(timer);
    });
  });
}
