/** `ngx.req`: puts the table of request functions together. */

import { lua, type lua_State } from "#fengari";
import { toBytes } from "../lua/stack.ts";
import type { NgxHost } from "./host.ts";
import { openRequestArguments } from "./request-arguments.ts";
import { openRequestBody } from "./request-body.ts";
import { openRequestHeaders } from "./request-headers.ts";
import { openRequestLine } from "./request-line.ts";

/** Sets `req`; +0. */
export function openRequest(L: lua_State, host: NgxHost): void {
  lua.lua_createtable(L, 0, 24);
  openRequestLine(L, host);
  openRequestHeaders(L, host);
  openRequestArguments(L, host);
  openRequestBody(L, host);
  lua.lua_setfield(L, -2, toBytes("req"));
}
