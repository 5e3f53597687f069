/**
 * `relua.hot`: what a module keeps over its reloads and wants to hear of them. Every module that requires it gets a
 * handle of its own: `data`, `dispose(fn)`, `adopt(fn)`, `pin()`.
 */

import { lauxlib, lua, type lua_State } from "#fengari";
import type { Generations, View } from "./generations.ts";
import type { Observations } from "./observations.ts";
import { type LuaRef, raise, refTo, setFunction, textAt } from "./stack.ts";

/** The name that `require` answers with the caller's handle. */
export const hotName = "relua.hot";

/** Functions that one instance of a module may register for each of the two occasions. */
const functionsAtMost = 256;

/** Lua's words on what went wrong. */
export interface HotFailure {
  readonly message: string;
  readonly traceback: string;
}

/** Hears what goes wrong. Where nobody does, as in a canary, dispose and adopt functions do not run. */
export interface HotListener {
  /** A dispose function failed: whatever it was to clean up is still there, and the move goes on. */
  disposeFailed(name: string, failure: HotFailure): void;
  /** An adopt function failed: this VM must be replaced. */
  adoptFailed(name: string, failure: HotFailure): void;
}

export interface HotParts {
  readonly generations: Generations;
  readonly observations: Observations;
  readonly listener: HotListener | undefined;
  /** Calls a function with one argument on `view`, to its end: it cannot suspend. */
  readonly call: (view: View, fn: LuaRef, argument: LuaRef) => HotFailure | undefined;
  /** Whether the active generation finds this name, which was loaded from `path` before. */
  readonly resolves: (name: string, path: string | undefined) => boolean;
}

/** One loading of one module: its chunk ran once, and so did what it registered. */
export class Instance {
  readonly name: string;
  readonly disposers: LuaRef[] = [];
  readonly adopters: LuaRef[] = [];
  pinned = false;
  handle: LuaRef | undefined;

  constructor(name: string) {
    this.name = name;
  }
}

export class Hot {
  readonly #parts: HotParts;
  /** `hot.data` by module name: one table each, until the name resolves nowhere any more. */
  readonly #data = new Map<string, LuaRef>();
  /** Instances of the active generation. */
  readonly #current = new Map<string, Instance>();
  /** Instances that only an older generation has. */
  readonly #apart = new WeakMap<View, Map<string, Instance>>();
  readonly #pinned = new Set<string>();
  /** Evicted and not loaded again: their next load is a reload. */
  readonly #reloading = new Set<string>();

  constructor(parts: HotParts) {
    this.#parts = parts;
  }

  /** Whether the module of this name has pinned itself in this VM. */
  isPinned(name: string): boolean {
    return this.#pinned.has(name);
  }

  /** The instance of a module as `view` has it. */
  instanceOf(name: string, view: View): Instance {
    const instances = view.apart.has(name) ? this.#instancesApart(view) : this.#current;
    const known = instances.get(name);
    if (known) return known;
    const instance = new Instance(name);
    instances.set(name, instance);
    return instance;
  }

  /** Pushes the handle of an instance, the same table every time; +1. */
  push(L: lua_State, instance: Instance): void {
    if (instance.handle) {
      instance.handle(L);
      return;
    }
    this.#pushNewHandle(L, instance);
    instance.handle = refTo(L, -1);
  }

  /** The active generation has loaded the module. Asks nothing of it yet: see `adopt`. */
  loaded(name: string, instance: Instance | undefined): void {
    if (!instance) {
      this.#current.delete(name);
      return;
    }
    this.#current.set(name, instance);
    if (instance.pinned) this.#pinned.add(name);
  }

  /** Runs the adopt functions of a module that has been loaded again. Does nothing at its first load. */
  adopt(name: string, view: View): void {
    if (!this.#reloading.delete(name)) return;
    const { listener, call } = this.#parts;
    const instance = this.#current.get(name);
    if (!listener || !instance) return;
    for (const fn of instance.adopters.splice(0)) {
      const failure = call(view, fn, this.#dataOf(name));
      if (!failure) continue;
      listener.adoptFailed(name, failure);
      return;
    }
  }

  /** An older generation has loaded the module for itself. */
  loadedApart(view: View, instance: Instance): void {
    this.#instancesApart(view).set(instance.name, instance);
  }

  /** Runs the dispose functions of these modules, in this order. Returns whether there were any. */
  dispose(names: Iterable<string>): boolean {
    const { active } = this.#parts.generations;
    let any = false;
    for (const name of names) {
      const instance = this.#current.get(name);
      if (instance && this.#disposeOf(instance, active)) any = true;
    }
    return any;
  }

  /** The active generation has lost the module. `held` says whether it had it in `package.loaded`. */
  evicted(name: string, path: string | undefined, held: boolean): void {
    const instance = this.#current.get(name);
    this.#current.delete(name);
    for (const view of this.#parts.generations.older) {
      if (instance && !view.apart.has(name)) this.#instancesApart(view).set(name, instance);
    }
    if (held) this.#reloading.add(name);
    if (this.#parts.resolves(name, path)) return;
    this.#data.delete(name);
    this.#reloading.delete(name);
  }

  /** The last request of an older generation is over: what only that generation had goes with it. */
  ending(view: View): void {
    for (const instance of this.#apart.get(view)?.values() ?? []) this.#disposeOf(instance, view);
  }

  #disposeOf(instance: Instance, view: View): boolean {
    const { listener, call } = this.#parts;
    if (!listener || instance.disposers.length === 0) return false;
    for (const fn of instance.disposers.splice(0)) {
      const failure = call(view, fn, this.#dataOf(instance.name));
      if (failure) listener.disposeFailed(instance.name, failure);
    }
    return true;
  }

  #instancesApart(view: View): Map<string, Instance> {
    const known = this.#apart.get(view);
    if (known) return known;
    const instances = new Map<string, Instance>();
    this.#apart.set(view, instances);
    return instances;
  }

  #dataOf(name: string): LuaRef {
    return (L) => {
      const known = this.#data.get(name);
      if (known) {
        known(L);
        return;
      }
      lua.lua_createtable(L, 0, 0);
      this.#data.set(name, refTo(L, -1));
    };
  }

  #pushNewHandle(L: lua_State, instance: Instance): void {
    const { name } = instance;
    lua.lua_createtable(L, 0, 3);
    for (const [occasion, functions] of [
      ["dispose", instance.disposers],
      ["adopt", instance.adopters],
    ] as const)
      setFunction(L, occasion, (L) => {
        lauxlib.luaL_checktype(L, 1, lua.LUA_TFUNCTION);
        if (functions.length >= functionsAtMost)
          raise(L, `more than ${functionsAtMost} ${occasion} functions in one module`);
        functions.push(refTo(L, 1));
        return 0;
      });
    setFunction(L, "pin", () => {
      this.#pin(instance);
      return 0;
    });
    // `data` lives behind the handle: `hot.data = {…}` has to reach the next instance as well.
    lua.lua_createtable(L, 0, 2);
    setFunction(L, "__index", (L) => {
      if (textAt(L, 2) === "data") this.#dataOf(name)(L);
      else lua.lua_pushnil(L);
      return 1;
    });
    setFunction(L, "__newindex", (L) => {
      if (textAt(L, 2) !== "data") {
        lua.lua_rawset(L, 1);
        return 0;
      }
      if (lua.lua_type(L, 3) !== lua.LUA_TTABLE) raise(L, "hot.data must be a table");
      this.#data.set(name, refTo(L, 3));
      return 0;
    });
    lua.lua_setmetatable(L, -2);
  }

  #pin(instance: Instance): void {
    instance.pinned = true;
    if (this.#current.get(instance.name) !== instance) return;
    this.#pinned.add(instance.name);
    this.#parts.observations.pinned(instance.name);
  }
}
