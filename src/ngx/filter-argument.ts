/** `ngx.arg`: the piece of output that body_filter_by_lua looks at, and whether it is the last. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { pushBytes, raise, toText } from "../lua/stack.ts";
import type { Exchange } from "./exchange.ts";
import type { NgxHost } from "./host.ts";
import { setComputedTable } from "./magic-fields.ts";
import { strictOutput } from "./output-bytes.ts";
import { disabled, requestOf } from "./request-scope.ts";

const nothing = new Uint8Array(0);

function filtered(L: lua_State, host: NgxHost): Exchange {
  const exchange = requestOf(L, host);
  return exchange.phase === "body_filter" ? exchange : disabled(L, host);
}

function get(L: lua_State, host: NgxHost): number {
  const exchange = filtered(L, host);
  const index = lauxlib.luaL_checkinteger(L, 2);
  if (index === 1) pushBytes(L, exchange.chunk ?? nothing);
  else if (index === 2) lua.lua_pushboolean(L, exchange.chunkIsLast);
  else lua.lua_pushnil(L);
  return 1;
}

function set(L: lua_State, host: NgxHost): number {
  const exchange = filtered(L, host);
  const index = lauxlib.luaL_checkinteger(L, 2);
  if (index === 2) exchange.chunkIsLast = lua.lua_toboolean(L, 3);
  else if (index !== 1) raise(L, `bad index: ${index}`);
  else if (lua.lua_isnil(L, 3)) exchange.chunk = undefined;
  else {
    exchange.chunk =
      strictOutput(L, 3) ?? raise(L, `bad chunk data type: ${toText(lauxlib.luaL_typename(L, 3))}`);
  }
  return 0;
}

/** Sets `arg`; +0. */
export function openFilterArgument(L: lua_State, host: NgxHost): void {
  setComputedTable(
    L,
    "arg",
    (L) => get(L, host),
    (L) => set(L, host),
  );
}
