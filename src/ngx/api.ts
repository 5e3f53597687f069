/** Puts the one API table together, which Lua code knows as `ngx` and as `njt`. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { toBytes } from "../lua/stack.ts";
import { openArguments } from "./arguments.ts";
import { openConfig } from "./config.ts";
import { openConstants } from "./constants.ts";
import { contextField } from "./context.ts";
import { openControl } from "./control.ts";
import { openDigest } from "./digest.ts";
import { openEncoding } from "./encoding.ts";
import { openFilterArgument } from "./filter-argument.ts";
import { openHeaders } from "./headers.ts";
import type { NgxHost } from "./host.ts";
import { openLog } from "./log.ts";
import { setMagicFields } from "./magic-fields.ts";
import { openNull } from "./null.ts";
import { openOutput } from "./output.ts";
import { isSubrequestField, openPhase } from "./phase.ts";
import { openRequest } from "./request.ts";
import { headersSentField, statusField } from "./response.ts";
import { openSleep } from "./sleep.ts";
import { openTime } from "./time.ts";
import { openTimer } from "./timer.ts";
import { openVariables } from "./variables.ts";
import { openWorker } from "./worker.ts";

/** Each adds its topic's functions to the table at the top; +0. */
const topics: readonly ((L: lua_State, host: NgxHost) => void)[] = [
  openConstants,
  openLog,
  openNull,
  openOutput,
  openControl,
  openHeaders,
  openRequest,
  openVariables,
  openPhase,
  openFilterArgument,
  openArguments,
  openEncoding,
  openDigest,
  openTime,
  openSleep,
  openTimer,
  openWorker,
  openConfig,
];

/** The two names of the table, as globals and in `package.loaded`. */
const apiNames = ["ngx", "njt"] as const;

/** Makes the API of a state whose standard library is open: the globals and `package.loaded` entries; +0. */
export function openNgx(L: lua_State, host: NgxHost): void {
  lua.lua_createtable(L, 0, 160);
  for (const open of topics) open(L, host);
  setMagicFields(
    L,
    new Map([
      ["status", statusField(host)],
      ["headers_sent", headersSentField(host)],
      ["ctx", contextField(host)],
      ["is_subrequest", isSubrequestField(host)],
    ]),
  );
  lua.lua_getfield(L, lua.LUA_REGISTRYINDEX, lauxlib.LUA_LOADED_TABLE);
  for (const name of apiNames) {
    lua.lua_pushvalue(L, -2);
    lua.lua_setfield(L, -2, toBytes(name));
    lua.lua_pushvalue(L, -2);
    lua.lua_setglobal(L, toBytes(name));
  }
  lua.lua_pop(L, 2);
}
