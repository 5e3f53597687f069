/** The first line of the request as Lua reads and changes it: method, URI, version, and when it came. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { pushNumber, pushText, raise, setFunction, toText } from "../lua/stack.ts";
import { methodBits } from "./constants.ts";
import type { NgxHost } from "./host.ts";
import { disabled, requestOf } from "./request-scope.ts";
import { refuseUnsafeBytes } from "./unsafe-uri.ts";

const methodNames = new Map<number, string>(Object.entries(methodBits).map(([name, bit]) => [bit, name]));

function setMethod(L: lua_State, host: NgxHost): number {
  const exchange = requestOf(L, host);
  if (lua.lua_type(L, 1) !== lua.LUA_TNUMBER) raise(L, "bad method number");
  const number = lua.lua_tonumber(L, 1);
  exchange.method = methodNames.get(number) ?? raise(L, `unsupported HTTP method: ${number}`);
  return 0;
}

function setUri(L: lua_State, host: NgxHost): number {
  const count = lua.lua_gettop(L);
  if (count < 1 || count > 3) raise(L, `expecting 1 or 2 or 3 arguments but seen ${count}`);
  const exchange = requestOf(L, host);
  const uri = toText(lauxlib.luaL_checkstring(L, 1));
  if (uri === "") raise(L, "attempt to use zero-length uri");
  if (count >= 3) lauxlib.luaL_checktype(L, 3, lua.LUA_TBOOLEAN);
  if (!lua.lua_toboolean(L, 3)) refuseUnsafeBytes(L, uri, "uri");
  if (count >= 2) lauxlib.luaL_checktype(L, 2, lua.LUA_TBOOLEAN);
  const jump = lua.lua_toboolean(L, 2);
  if (jump && exchange.phase !== "rewrite") disabled(L, host);
  exchange.uri = uri;
  exchange.internal = true;
  return jump ? host.scheduler.exit(L, { kind: "jump" }) : 0;
}

/** The head as the client sent it, without (`true`) or with its request line. */
function rawHeader(L: lua_State, host: NgxHost): number {
  const { request } = requestOf(L, host);
  let text = lua.lua_toboolean(L, 1)
    ? ""
    : `${request.method} ${request.target} HTTP/${request.httpVersion}\r\n`;
  for (let index = 0; index < request.headers.length; index += 2) {
    text += `${request.headers[index]}: ${request.headers[index + 1]}\r\n`;
  }
  pushText(L, `${text}\r\n`);
  return 1;
}

/** Sets `get_method`, `set_method`, `set_uri`, `http_version`, `raw_header`, `start_time`, `is_internal`; +0. */
export function openRequestLine(L: lua_State, host: NgxHost): void {
  setFunction(L, "get_method", (L) => {
    pushText(L, requestOf(L, host).method);
    return 1;
  });
  setFunction(L, "set_method", (L) => setMethod(L, host));
  setFunction(L, "set_uri", (L) => setUri(L, host));
  setFunction(L, "http_version", (L) => {
    pushNumber(L, Number(requestOf(L, host).request.httpVersion));
    return 1;
  });
  setFunction(L, "raw_header", (L) => rawHeader(L, host));
  setFunction(L, "start_time", (L) => {
    pushNumber(L, requestOf(L, host).request.startedAt / 1000);
    return 1;
  });
  setFunction(L, "is_internal", (L) => {
    lua.lua_pushboolean(L, requestOf(L, host).internal);
    return 1;
  });
}
