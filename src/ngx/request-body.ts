/** The request's body as Lua reads, replaces and discards it. It is in memory always: `get_body_file` is nil. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { pushBytes, raise, setFunction, toText } from "../lua/stack.ts";
import type { Exchange } from "./exchange.ts";
import type { NgxHost } from "./host.ts";
import { requestInMainPhase, requestOf } from "./request-scope.ts";

function expectCount(L: lua_State, expected: number, noun: string): void {
  const count = lua.lua_gettop(L);
  if (count !== expected) raise(L, `expecting ${expected} ${noun} but seen ${count}`);
}

/** Replaces the body, and the length that goes with it. */
function replaceBody(exchange: Exchange, body: Uint8Array): void {
  exchange.body = body;
  exchange.headers.set("Content-Length", [`${body.length}`]);
}

function requireRead(L: lua_State, exchange: Exchange): void {
  if (exchange.bodyState === "discarded") raise(L, "request body already discarded asynchronously");
  if (exchange.bodyState === "unread") raise(L, "request body not read yet");
}

function readBody(L: lua_State, host: NgxHost): number {
  expectCount(L, 0, "arguments");
  const exchange = requestInMainPhase(L, host);
  if (exchange.bodyState === "unread") exchange.bodyState = "read";
  return 0;
}

function discardBody(L: lua_State, host: NgxHost): number {
  expectCount(L, 0, "arguments");
  const exchange = requestOf(L, host);
  if (exchange.bodyState === "unread" && exchange.body !== undefined) {
    exchange.bodyState = "discarded";
    exchange.body = undefined;
  }
  return 0;
}

function getBodyData(L: lua_State, host: NgxHost): number {
  const { body, bodyState } = requestOf(L, host);
  if (bodyState === "unread" || body === undefined || body.length === 0) lua.lua_pushnil(L);
  else pushBytes(L, body);
  return 1;
}

function setBodyData(L: lua_State, host: NgxHost): number {
  expectCount(L, 1, "arguments");
  const body = lauxlib.luaL_checkstring(L, 1);
  const exchange = requestOf(L, host);
  requireRead(L, exchange);
  replaceBody(exchange, body);
  return 0;
}

function initBody(L: lua_State, host: NgxHost): number {
  const count = lua.lua_gettop(L);
  if (count > 1) raise(L, `expecting 0 or 1 argument but seen ${count}`);
  const exchange = requestOf(L, host);
  requireRead(L, exchange);
  if (count === 1) {
    const size = lauxlib.luaL_checkinteger(L, 1);
    if (size < 0) raise(L, `bad size argument: ${size}`);
  }
  exchange.bodyState = "building";
  exchange.bodyPieces = [];
  return 0;
}

function appendBody(L: lua_State, host: NgxHost): number {
  expectCount(L, 1, "arguments");
  const piece = lauxlib.luaL_checkstring(L, 1);
  const exchange = requestOf(L, host);
  if (exchange.bodyState !== "building") raise(L, "request_body not initialized");
  exchange.bodyPieces.push(piece);
  return 0;
}

function finishBody(L: lua_State, host: NgxHost): number {
  expectCount(L, 0, "argument");
  const exchange = requestOf(L, host);
  if (exchange.bodyState !== "building") raise(L, "request_body not initialized");
  const whole = Buffer.concat(exchange.bodyPieces);
  replaceBody(exchange, new Uint8Array(whole.buffer, whole.byteOffset, whole.length));
  exchange.bodyPieces = [];
  exchange.bodyState = "read";
  return 0;
}

/** `$request_body`: the body once it is read; undefined before, and when there is none. */
export function readBodyText({ body, bodyState }: Exchange): string | undefined {
  return bodyState === "unread" || body === undefined || body.length === 0 ? undefined : toText(body);
}

/** Sets the body functions of `ngx.req`; +0. */
export function openRequestBody(L: lua_State, host: NgxHost): void {
  setFunction(L, "read_body", (L) => readBody(L, host));
  setFunction(L, "discard_body", (L) => discardBody(L, host));
  setFunction(L, "get_body_data", (L) => getBodyData(L, host));
  setFunction(L, "get_body_file", (L) => {
    requestOf(L, host);
    lua.lua_pushnil(L);
    return 1;
  });
  setFunction(L, "set_body_data", (L) => setBodyData(L, host));
  setFunction(L, "init_body", (L) => initBody(L, host));
  setFunction(L, "append_body", (L) => appendBody(L, host));
  setFunction(L, "finish_body", (L) => finishBody(L, host));
}
