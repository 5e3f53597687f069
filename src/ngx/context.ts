/** `ngx.ctx`: a table of its own for each request, kept through its phases. */

import { lua, type lua_State } from "#fengari";
import { raise, refTo, toText } from "../lua/stack.ts";
import type { Exchange } from "./exchange.ts";
import type { NgxHost } from "./host.ts";
import type { MagicField } from "./magic-fields.ts";
import { requestOf } from "./request-scope.ts";

/** Keeps the table at `index` for the request; the proxy lives and dies with the exchange; +0. */
function keep(L: lua_State, exchange: Exchange, index: number): void {
  exchange.pushContext = refTo(L, index);
}

export function contextField(host: NgxHost): MagicField {
  return {
    get(L) {
      const exchange = requestOf(L, host);
      if (exchange.pushContext !== undefined) {
        exchange.pushContext(L);
        return;
      }
      lua.lua_createtable(L, 0, 4);
      keep(L, exchange, -1);
    },
    set(L, index) {
      const exchange = requestOf(L, host);
      const type = lua.lua_type(L, index);
      if (type !== lua.LUA_TTABLE) {
        raise(L, `ctx should be a table while getting a ${toText(lua.lua_typename(L, type))}`);
      }
      keep(L, exchange, index);
    },
  };
}
