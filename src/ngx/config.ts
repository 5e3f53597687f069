/** `ngx.config`: what programs ask to know which nginx and ngx_lua they run on. */

import { lua, type lua_State } from "#fengari";
import { pushText, setField, setFunction, toBytes } from "../lua/stack.ts";
import type { NgxHost } from "./host.ts";

/** The releases whose behaviour the API follows: nginx 1.25.3 with ngx_lua 0.10.26 (OpenResty 1.25.3). */
const nginxVersion = 1_025_003;
const ngxLuaVersion = 10_026;

/** Sets `config.debug`, `prefix`, `nginx_version`, `nginx_configure`, `ngx_lua_version`, `subsystem`; +0. */
export function openConfig(L: lua_State, host: NgxHost): void {
  lua.lua_createtable(L, 0, 6);
  setField(L, "debug", false);
  setField(L, "nginx_version", nginxVersion);
  setField(L, "ngx_lua_version", ngxLuaVersion);
  setField(L, "subsystem", "http");
  // nginx's prefix ends in a slash, and programs append to it without one; paths are UTF-8 for Lua.
  const prefix = Buffer.from(host.prefix.endsWith("/") ? host.prefix : `${host.prefix}/`).toString("latin1");
  setFunction(L, "prefix", (L) => {
    pushText(L, prefix);
    return 1;
  });
  // Nothing was configured with nginx's script.
  setFunction(L, "nginx_configure", (L) => {
    pushText(L, "");
    return 1;
  });
  lua.lua_setfield(L, -2, toBytes("config"));
}
