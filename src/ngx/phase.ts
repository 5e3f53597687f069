/** `ngx.get_phase` and `ngx.is_subrequest`: where the running code stands. */

import { lua, type lua_State } from "#fengari";
import { pushText, setFunction } from "../lua/stack.ts";
import { Exchange, Surroundings } from "./exchange.ts";
import type { NgxHost } from "./host.ts";
import type { MagicField } from "./magic-fields.ts";
import { requestOf } from "./request-scope.ts";

/** Sets `get_phase`; +0. */
export function openPhase(L: lua_State, host: NgxHost): void {
  setFunction(L, "get_phase", (L) => {
    const context = host.scheduler.current()?.context;
    pushText(L, context instanceof Exchange || context instanceof Surroundings ? context.phase : "init");
    return 1;
  });
}

/** Relua makes no subrequests, but the question is one of requests only. */
export function isSubrequestField(host: NgxHost): MagicField {
  return {
    get(L) {
      requestOf(L, host);
      lua.lua_pushboolean(L, false);
    },
  };
}
