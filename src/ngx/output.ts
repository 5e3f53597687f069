/** `ngx.print`, `say`, `flush`, `eof`, `send_headers`: what Lua writes, on its way to the client. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { pushText, raise, setFunction } from "../lua/stack.ts";
import type { NgxHost } from "./host.ts";
import { argumentsAsOutput } from "./output-bytes.ts";
import { requestInMainPhase } from "./request-scope.ts";

/** Pushes nil and a message; the results of a function that failed as expected. */
function refuse(L: lua_State, message: string): number {
  lua.lua_pushnil(L);
  pushText(L, message);
  return 2;
}

function accept(L: lua_State): number {
  lua.lua_pushinteger(L, 1);
  return 1;
}

const filterError = "nginx output filter error";

function write(L: lua_State, host: NgxHost, newline: boolean): number {
  const { stream } = requestInMainPhase(L, host);
  if (stream.ended) return refuse(L, "seen eof");
  const bytes = argumentsAsOutput(L, newline);
  const written = bytes.length === 0 ? stream.sendHead(L) : stream.write(L, bytes);
  return written ? accept(L) : refuse(L, filterError);
}

function flush(L: lua_State, host: NgxHost): number {
  const count = lua.lua_gettop(L);
  if (count > 1) raise(L, `attempt to pass ${count} arguments, but accepted 0 or 1`);
  if (count === 1) lauxlib.luaL_checktype(L, 1, lua.LUA_TBOOLEAN);
  const wait = count === 1 && lua.lua_toboolean(L, 1);
  const { stream } = requestInMainPhase(L, host);
  if (stream.ended) return refuse(L, "seen eof");
  if (stream.buffering) return refuse(L, "buffering");
  if (!stream.headSent || !(stream.written || wait)) return refuse(L, "nothing to flush");
  stream.handOver();
  if (!wait) return accept(L);
  return host.scheduler.suspend(L, (wake) => {
    const turn = setImmediate(() => wake(accept));
    return () => clearImmediate(turn);
  });
}

function eof(L: lua_State, host: NgxHost): number {
  if (lua.lua_gettop(L) !== 0) raise(L, "no argument is expected");
  const { stream } = requestInMainPhase(L, host);
  if (stream.ended) return refuse(L, "seen eof");
  return stream.end(L) ? accept(L) : refuse(L, filterError);
}

/** Sets `print`, `say`, `flush`, `eof`, `send_headers`; +0. */
export function openOutput(L: lua_State, host: NgxHost): void {
  setFunction(L, "print", (L) => write(L, host, false));
  setFunction(L, "say", (L) => write(L, host, true));
  setFunction(L, "flush", (L) => flush(L, host));
  setFunction(L, "eof", (L) => eof(L, host));
  setFunction(L, "send_headers", (L) =>
    requestInMainPhase(L, host).stream.sendHead(L) ? accept(L) : refuse(L, filterError),
  );
}
