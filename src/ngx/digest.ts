/** Digests of the ngx API: MD5, SHA-1, HMAC-SHA-1 and CRC-32 over bytes. */

import { createHash, createHmac } from "node:crypto";
import { crc32 } from "node:zlib";
import { lauxlib, lua, type lua_State } from "#fengari";
import { pushBytes, pushNumber, pushText, raise, setFunction } from "../lua/stack.ts";
import type { NgxHost } from "./host.ts";
import { looseBytesAt } from "./loose.ts";

function digest(algorithm: "md5" | "sha1", L: lua_State): Buffer {
  return createHash(algorithm).update(looseBytesAt(L, 1)).digest();
}

function hmacSha1(L: lua_State): number {
  const count = lua.lua_gettop(L);
  if (count !== 2) raise(L, `expecting 2 arguments, but got ${count}`);
  const secret = lauxlib.luaL_checkstring(L, 1);
  const text = lauxlib.luaL_checkstring(L, 2);
  pushBytes(L, new Uint8Array(createHmac("sha1", secret).update(text).digest()));
  return 1;
}

function pushCrc32(L: lua_State): number {
  pushNumber(L, crc32(looseBytesAt(L, 1)));
  return 1;
}

/** Sets `md5`, `md5_bin`, `sha1_bin`, `hmac_sha1`, `crc32_short`, `crc32_long`; +0. */
export function openDigest(L: lua_State, _host: NgxHost): void {
  setFunction(L, "md5", (L) => {
    pushText(L, digest("md5", L).toString("hex"));
    return 1;
  });
  setFunction(L, "md5_bin", (L) => {
    pushBytes(L, new Uint8Array(digest("md5", L)));
    return 1;
  });
  setFunction(L, "sha1_bin", (L) => {
    pushBytes(L, new Uint8Array(digest("sha1", L)));
    return 1;
  });
  setFunction(L, "hmac_sha1", hmacSha1);
  // nginx's two differ in speed for short and long texts only.
  setFunction(L, "crc32_short", pushCrc32);
  setFunction(L, "crc32_long", pushCrc32);
}
