/** Compiled Lua of one thread: each content is compiled once and instantiated again as often as it is needed. */

import { lauxlib, lua, type lua_State } from "#fengari";
import { toBytes, utf8Bytes, utf8Text } from "./stack.ts";

/** Fengari's insides that a second closure over the same compiled function needs. */
interface LClosure {
  p: unknown;
  nupvalues: number;
  upvals: { type: number; value: unknown }[];
}

/** Entries beyond this are dropped, oldest use first. */
const capacity = 10_000;

/** The outcome of a compilation: the function is on the stack, or a message says what is wrong. */
export type Compiled = { readonly ok: true } | { readonly ok: false; readonly message: string };

/** Lives as long as its Lua state: closures belong to the state they were made in. */
export class CodeCache {
  readonly #L: lua_State;
  readonly #templates = new Map<string, LClosure>();

  constructor(L: lua_State) {
    this.#L = L;
  }

  /**
   * Pushes a fresh main function with `_ENV` set to the globals; +1 when ok, +0 otherwise.
   * @param key names content and chunk name together
   * @param source gives Lua source, or bytecode of our own making; asked on the first use only
   * @param chunkName as Lua has it: `@path` or `=name`, UTF-8
   */
  push(L: lua_State, key: string, chunkName: string, source: () => Uint8Array): Compiled {
    const known = this.#templates.get(key);
    if (known) {
      this.#templates.delete(key);
      this.#templates.set(key, known);
      this.#instantiate(L, known);
      return { ok: true };
    }
    const bytes = source();
    const status = lauxlib.luaL_loadbufferx(L, bytes, bytes.length, utf8Bytes(chunkName), toBytes("bt"));
    if (status !== lua.LUA_OK) {
      const message = messageAt(L, -1);
      lua.lua_pop(L, 1);
      return { ok: false, message };
    }
    // The template stays untouched: setfenv on what we hand out must not reach the next user.
    this.#instantiate(L, this.keep(L, key));
    return { ok: true };
  }

  /** Contents that are kept compiled, for tests and figures. */
  get size(): number {
    return this.#templates.size;
  }

  /** Forgets what was compiled under a key; functions made of it live on. */
  drop(key: string): void {
    this.#templates.delete(key);
  }

  /** Pops a main function that the compiler has just made, and keeps it for those who push what is under the key; -1. */
  keep(L: lua_State, key: string): LClosure {
    const template = lua.lua_topointer(L, -1) as LClosure;
    lua.lua_pop(L, 1);
    this.#templates.set(key, template);
    if (this.#templates.size > capacity) {
      const oldest = this.#templates.keys().next().value;
      if (oldest !== undefined) this.#templates.delete(oldest);
    }
    return template;
  }

  /** Pushes a new closure over the template's code; its only upvalue is a new `_ENV` holding the globals; +1. */
  #instantiate(L: lua_State, template: LClosure): void {
    const Closure = template.constructor as new (L: lua_State, upvalues: number) => LClosure;
    const closure = new Closure(this.#L, template.nupvalues);
    closure.p = template.p;
    for (let i = 0; i < template.nupvalues; i++) {
      const upvalue = template.upvals[i]!;
      const Value = upvalue.constructor as new (
        type: number,
        value: unknown,
      ) => { type: number; value: unknown };
      closure.upvals[i] = new Value(upvalue.type, upvalue.value);
    }
    lua.lua_pushcfunction(L, placeholder);
    const slot = L as unknown as { stack: { type: number; value: unknown }[]; top: number };
    const value = slot.stack[slot.top - 1]!;
    value.type = lua.LUA_TFUNCTION | (0 << 4);
    value.value = closure;
  }
}

function placeholder(): number {
  return 0;
}

/** The error message at `index` as a JavaScript string. */
export function messageAt(L: lua_State, index: number): string {
  const bytes = lua.lua_tostring(L, index) as Uint8Array | null;
  return bytes ? utf8Text(bytes) : "(error object is not a string)";
}
