/** `ngx.req.get_uri_args`, `set_uri_args`, `get_post_args`: query and form arguments of the request. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { pushText, raise, setFunction, textAt, toBytes, toText } from "../lua/stack.ts";
import { defaultMaxArguments, encodeArguments, parseArguments, pushArguments } from "./arguments.ts";
import type { NgxHost } from "./host.ts";
import { requestOf } from "./request-scope.ts";

/** What the functions take as `max`; none, nil and negative mean the default, 0 all; +0. */
function limitAt(L: lua_State, index: number): number {
  if (lua.lua_isnoneornil(L, index)) return defaultMaxArguments;
  const max = lauxlib.luaL_checkinteger(L, index);
  return max < 0 ? defaultMaxArguments : max;
}

function pushParsed(L: lua_State, query: string, max: number): number {
  const { entries, truncated } = parseArguments(query, max);
  pushArguments(L, entries);
  if (!truncated) return 1;
  pushText(L, "truncated");
  return 2;
}

/** Moves the entries of the table at the top into the table at `target`, which takes its place; +0. */
function fillTable(L: lua_State, target: number): void {
  lua.lua_pushnil(L);
  while (lua.lua_next(L, -2)) {
    lua.lua_pushvalue(L, -2);
    lua.lua_insert(L, -2);
    lua.lua_rawset(L, target);
  }
  lua.lua_pop(L, 1);
  lua.lua_pushvalue(L, target);
}

function getUriArgs(L: lua_State, host: NgxHost): number {
  const max = limitAt(L, 1);
  const reused = !lua.lua_isnoneornil(L, 2);
  if (reused) lauxlib.luaL_checktype(L, 2, lua.LUA_TTABLE);
  const { entries, truncated } = parseArguments(requestOf(L, host).args, max);
  pushArguments(L, entries);
  if (reused) {
    clearTable(L, 2);
    fillTable(L, 2);
  }
  if (!truncated) return 1;
  pushText(L, "truncated");
  return 2;
}

function clearTable(L: lua_State, target: number): void {
  lua.lua_pushnil(L);
  while (lua.lua_next(L, target)) {
    lua.lua_pop(L, 1);
    lua.lua_pushvalue(L, -1);
    lua.lua_pushnil(L);
    // Clearing a field while traversing is allowed (manual, `next`).
    lua.lua_rawset(L, target);
  }
}

function setUriArgs(L: lua_State, host: NgxHost): number {
  const count = lua.lua_gettop(L);
  if (count !== 1) raise(L, `expecting 1 argument but seen ${count}`);
  const exchange = requestOf(L, host);
  const type = lua.lua_type(L, 1);
  if (type === lua.LUA_TTABLE) exchange.args = encodeArguments(L, 1);
  else if (type === lua.LUA_TSTRING || type === lua.LUA_TNUMBER) exchange.args = textAt(L, 1) as string;
  else {
    const got = toText(lua.lua_typename(L, type));
    lauxlib.luaL_argerror(L, 1, toBytes(`string, number, or table expected, but got ${got}`));
  }
  exchange.argsGiven = true;
  return 0;
}

function getPostArgs(L: lua_State, host: NgxHost): number {
  const count = lua.lua_gettop(L);
  if (count > 1) raise(L, `expecting 0 or 1 arguments but seen ${count}`);
  const max = limitAt(L, 1);
  const exchange = requestOf(L, host);
  if (exchange.bodyState === "unread") {
    raise(L, "no request body found; maybe you should turn on lua_need_request_body?");
  }
  const body = exchange.bodyState === "discarded" ? undefined : exchange.body;
  return pushParsed(L, body === undefined ? "" : toText(body), max);
}

/** Sets `get_uri_args`, `get_query_args`, `set_uri_args`, `get_post_args` of `ngx.req`; +0. */
export function openRequestArguments(L: lua_State, host: NgxHost): void {
  setFunction(L, "get_uri_args", (L) => getUriArgs(L, host));
  setFunction(L, "get_query_args", (L) => getUriArgs(L, host));
  setFunction(L, "set_uri_args", (L) => setUriArgs(L, host));
  setFunction(L, "get_post_args", (L) => getPostArgs(L, host));
}
