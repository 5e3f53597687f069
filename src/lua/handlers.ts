/** Handlers of locations: each request gets a fresh function with globals of its own over those of the VM. */

import { lua, type lua_State } from "#fengari";
import type { CodeCache, Compiled } from "./code-cache.ts";
import type { Files } from "./files.ts";
import type { View } from "./generations.ts";
import { toBytes, utf8Bytes } from "./stack.ts";

/** The outcome of pushing a handler: ready, its file is not there, or it does not compile. */
export type PushedHandler =
  | Compiled
  | { readonly ok: false; readonly missing: true; readonly message: string };

const keysKept = 1_000;

export class Handlers {
  readonly #files: Files;
  readonly #codeCache: CodeCache;
  /** By code: the text of a location is one and the same string for all of its requests. */
  readonly #keys = new Map<string, { readonly chunkName: string; readonly key: string }>();

  constructor(parts: { files: Files; codeCache: CodeCache }) {
    this.#files = parts.files;
    this.#codeCache = parts.codeCache;
  }

  /** The code cache's key, made once: to put it together and hash it for each request costs more than the rest. */
  #keyOf(chunkName: string, code: string): string {
    const known = this.#keys.get(code);
    if (known?.chunkName === chunkName) return known.key;
    const key = `inline ${chunkName} ${code}`;
    if (this.#keys.size >= keysKept) this.#keys.clear();
    this.#keys.set(code, { chunkName, key });
    return key;
  }

  /** Pushes inline code as a function; +1 when ok. `label` is its chunk name: `content_by(/x)`. */
  pushInline(L: lua_State, label: string, code: string): PushedHandler {
    const chunkName = `=${label}`;
    const key = this.#keyOf(chunkName, code);
    return this.#inOwnEnvironment(
      L,
      this.#codeCache.push(L, key, chunkName, () => utf8Bytes(code)),
    );
  }

  /** Pushes the main function of a file as `view` has it; +1 when ok. */
  pushFile(L: lua_State, path: string, view: View): PushedHandler {
    const found = this.#files.find(path, view);
    if (!found) return { ok: false, missing: true, message: `cannot open "${path}": no such file` };
    this.#files.runs(found, view);
    return this.#inOwnEnvironment(L, this.#files.push(L, found, view));
  }

  /** Gives the function on top an environment that reads through to the globals and keeps writes to itself. */
  #inOwnEnvironment(L: lua_State, compiled: Compiled): Compiled {
    if (!compiled.ok) return compiled;
    lua.lua_createtable(L, 0, 1);
    lua.lua_pushvalue(L, -1);
    lua.lua_setfield(L, -2, globalsKey);
    pushReadThrough(L);
    lua.lua_setmetatable(L, -2);
    lua.lua_setupvalue(L, -2, 1);
    return compiled;
  }
}

/** Pushes the metatable `{ __index = _G }`, one for the whole state; +1. */
function pushReadThrough(L: lua_State): void {
  if (lua.lua_getfield(L, lua.LUA_REGISTRYINDEX, readThroughKey) !== lua.LUA_TNIL) return;
  lua.lua_pop(L, 1);
  lua.lua_createtable(L, 0, 1);
  lua.lua_pushglobaltable(L);
  lua.lua_setfield(L, -2, indexKey);
  lua.lua_pushvalue(L, -1);
  lua.lua_setfield(L, lua.LUA_REGISTRYINDEX, readThroughKey);
}

const globalsKey = toBytes("_G");
const indexKey = toBytes("__index");
const readThroughKey = toBytes("relua.request-globals");
