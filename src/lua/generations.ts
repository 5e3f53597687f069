/**
 * The generations that live in one Lua state at the same time (Invariant 1): the active one owns the original
 * `package.loaded`; requests that began on an older one see a copy, taken at the move and shown while they run.
 */

import { lauxlib, lua, type lua_State } from "#fengari";
import type { ManifestDelta } from "../core/manifest.ts";
import type { GenerationView } from "./activity.ts";
import { clearGlobal, pushGlobal, setGlobal } from "./global-path.ts";
import type { ManifestView } from "./manifest-view.ts";
import { pushUtf8 } from "./stack.ts";

/** The insides of a Fengari table; two tables change contents by swapping these, whatever their size. */
interface TableInsides {
  strong: unknown;
  dead_strong: unknown;
  dead_weak: unknown;
  f: unknown;
  l: unknown;
}

function swapContents(a: TableInsides, b: TableInsides): void {
  const { strong, dead_strong, dead_weak, f, l } = a;
  a.strong = b.strong;
  a.dead_strong = b.dead_strong;
  a.dead_weak = b.dead_weak;
  a.f = b.f;
  a.l = b.l;
  b.strong = strong;
  b.dead_strong = dead_strong;
  b.dead_weak = dead_weak;
  b.f = f;
  b.l = l;
}

/** One generation as this VM lives it. */
export class View implements GenerationView {
  readonly generation: number;
  readonly manifest: ManifestView;
  readonly #owner: Generations;
  /** Activities that run on it. */
  users = 0;
  /** Registry reference of the table that holds this view's modules while the original holds others'. */
  box: number | undefined;
  /** Dotted paths of globals (made by `module()`) in which this view differs from the active one. */
  readonly globals = new Set<string>();
  /** Registry reference of a table path → value: the side of `globals` that is not shown now. */
  globalsBox: number | undefined;
  /**
   * Names whose module here is not the active generation's, and the path it came from: evicted since, or loaded
   * for this generation alone.
   */
  readonly apart = new Map<string, string | undefined>();

  constructor(owner: Generations, generation: number, manifest: ManifestView) {
    this.#owner = owner;
    this.generation = generation;
    this.manifest = manifest;
  }

  enter(): void {
    this.#owner.show(this);
  }

  leave(): void {
    this.#owner.unshow();
  }
}

export class Generations {
  readonly #L: lua_State;
  #active: View;
  /** Older views that requests still run on, oldest first. */
  #older: View[] = [];
  /** Views whose Lua code is running: a C function may start another activity. */
  readonly #entered: View[] = [];
  #shown: View;

  constructor(L: lua_State, generation: number, manifest: ManifestView) {
    this.#L = L;
    this.#active = new View(this, generation, manifest);
    this.#shown = this.#active;
  }

  get active(): View {
    return this.#active;
  }

  /** The view whose modules `package.loaded` holds at this moment. */
  get shown(): View {
    return this.#shown;
  }

  /** Views newer than `view`, in order. */
  newerThan(view: View): readonly View[] {
    return [...this.#older, this.#active].filter((other) => other.generation > view.generation);
  }

  /** Number of generations that this state holds. */
  get size(): number {
    return this.#older.length + 1;
  }

  /** Views that requests still run on though a newer one is active, oldest first. */
  get older(): readonly View[] {
    return this.#older;
  }

  /** The active view, or another that is in use, kept alive until `release`. */
  acquire(view: View = this.#active): View {
    view.users++;
    return view;
  }

  /** The last user of an older generation frees it. */
  release(view: View): void {
    view.users--;
    if (view.users > 0 || view === this.#active) return;
    this.#older = this.#older.filter((other) => other !== view);
    for (const reference of [view.box, view.globalsBox])
      if (reference !== undefined) lauxlib.luaL_unref(this.#L, lua.LUA_REGISTRYINDEX, reference);
    this.#tidyManifest();
  }

  /** Moves to the next generation; only at a safe point, with no Lua code running. */
  advance(generation: number, delta: ManifestDelta): View {
    if (this.#entered.length > 0) throw new Error("advance while Lua code runs");
    const before = this.#active;
    if (before.users > 0) {
      before.box = this.#copyOfLoaded();
      this.#older.push(before);
    }
    this.#active = new View(this, generation, before.manifest.next(delta));
    this.#shown = this.#active;
    this.#tidyManifest();
    return this.#active;
  }

  show(view: View): void {
    this.#entered.push(view);
    this.#turnTo(view);
  }

  unshow(): void {
    this.#entered.pop();
    this.#turnTo(this.#entered.at(-1) ?? this.#active);
  }

  /** Pushes the table that holds the modules of `view` at this moment; +1. */
  pushLoaded(view: View): void {
    const holder = view === this.#shown ? undefined : view === this.#active ? this.#shown.box : view.box;
    if (holder === undefined) lua.lua_getfield(this.#L, lua.LUA_REGISTRYINDEX, lauxlib.LUA_LOADED_TABLE);
    else lua.lua_rawgeti(this.#L, lua.LUA_REGISTRYINDEX, holder);
  }

  /** The active generation loses a module; the older ones keep it. */
  setApart(name: string, path: string | undefined): void {
    for (const view of this.#older) if (!view.apart.has(name)) view.apart.set(name, path);
  }

  /** The active generation loses a global that `module()` made; the older ones keep it. */
  retireGlobal(path: string): void {
    for (const view of this.#older) {
      if (view.globals.has(path)) continue;
      view.globals.add(path);
      pushGlobal(this.#L, path);
      this.#setInGlobalsBox(view, path);
    }
    clearGlobal(this.#L, path);
  }

  /** A global that `module()` has just made while an older generation runs: the active one does not have it. */
  confineGlobal(path: string): void {
    if (this.#shown !== this.#active) this.#shown.globals.add(path);
  }

  #tidyManifest(): void {
    this.#active.manifest.tidy(this.#older.map((view) => view.manifest));
  }

  #turnTo(view: View): void {
    if (view === this.#shown) return;
    if (this.#shown !== this.#active) this.#swap(this.#shown);
    if (view !== this.#active) this.#swap(view);
    this.#shown = view;
  }

  #swap(view: View): void {
    const L = this.#L;
    lua.lua_getfield(L, lua.LUA_REGISTRYINDEX, lauxlib.LUA_LOADED_TABLE);
    lua.lua_rawgeti(L, lua.LUA_REGISTRYINDEX, view.box as number);
    swapContents(lua.lua_topointer(L, -2), lua.lua_topointer(L, -1));
    lua.lua_pop(L, 2);
    for (const path of view.globals) {
      pushGlobal(L, path);
      this.#pushGlobalsBox(view);
      pushUtf8(L, path);
      lua.lua_rawget(L, -2);
      setGlobal(L, path);
      lua.lua_pop(L, 1);
      this.#setInGlobalsBox(view, path);
    }
  }

  #pushGlobalsBox(view: View): void {
    const L = this.#L;
    if (view.globalsBox === undefined) {
      lua.lua_createtable(L, 0, 0);
      view.globalsBox = lauxlib.luaL_ref(L, lua.LUA_REGISTRYINDEX);
    }
    lua.lua_rawgeti(L, lua.LUA_REGISTRYINDEX, view.globalsBox);
  }

  /** Pops a value and keeps it as the hidden side of a global; -1. */
  #setInGlobalsBox(view: View, path: string): void {
    const L = this.#L;
    this.#pushGlobalsBox(view);
    pushUtf8(L, path);
    lua.lua_pushvalue(L, -3);
    lua.lua_rawset(L, -3);
    lua.lua_pop(L, 2);
  }

  /** A registry reference to a copy of `package.loaded` as it is now. */
  #copyOfLoaded(): number {
    const L = this.#L;
    lua.lua_getfield(L, lua.LUA_REGISTRYINDEX, lauxlib.LUA_LOADED_TABLE);
    lua.lua_createtable(L, 0, 0);
    lua.lua_pushnil(L);
    while (lua.lua_next(L, -3) !== 0) {
      lua.lua_pushvalue(L, -2);
      lua.lua_insert(L, -2);
      lua.lua_rawset(L, -4);
    }
    const reference = lauxlib.luaL_ref(L, lua.LUA_REGISTRYINDEX);
    lua.lua_pop(L, 1);
    return reference;
  }
}

/** Pushes the value of a module in `view`, nil when it has none; +1. */
export function pushModule(L: lua_State, generations: Generations, view: View, name: string): void {
  generations.pushLoaded(view);
  pushUtf8(L, name);
  lua.lua_rawget(L, -2);
  lua.lua_remove(L, -2);
}
