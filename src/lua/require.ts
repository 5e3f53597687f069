/**
 * `require` of a VM: loads modules out of the shown generation's manifest, records every edge, and leaves nothing
 * behind of a module that failed. Semantics: Lua 5.1 manual, 5.3, with 5.2's `package.searchers` beside `loaders`.
 */

import { lauxlib, lua, type lua_CFunction, type lua_State } from "#fengari";
import { callerOf } from "./caller.ts";
import { EnteredNames } from "./entered-names.ts";
import type { Files } from "./files.ts";
import { type Generations, pushModule, type View } from "./generations.ts";
import { type Hot, hotName, Instance } from "./hot.ts";
import type { Observations } from "./observations.ts";
import { secondName } from "./one-name.ts";
import type { Loading, Requirers } from "./requirers.ts";
import { installSearchers, nameArgument, pushPackage } from "./searchers.ts";
import { bytesAt, pushUtf8, raiseUtf8, toBytes, utf8Text } from "./stack.ts";

export interface RequireParts {
  readonly L: lua_State;
  readonly generations: Generations;
  readonly observations: Observations;
  readonly files: Files;
  readonly hot: Hot;
  readonly requirers: Requirers;
  /** A require that would load a file under a second name raises an error. */
  readonly oneNamePerFile: boolean;
  /** Absolute; relative templates start here. */
  readonly cwd: string;
  /** `package.path` of the new state. */
  readonly packagePath: string;
}

/** The installed `require` and what others need to know of it. */
export interface Require {
  /** The chain of names that led to the last failure, outermost first; empty when there was none since `forgetFailures`. */
  failedChain(): readonly string[];
  forgetFailures(): void;
}

/** Sets the global `require` and fills `package`; +0. */
export function installRequire(parts: RequireParts): Require {
  const { L: main, generations, observations, files, hot, requirers, oneNamePerFile } = parts;
  const stack = requirers.loading;
  const entered = new EnteredNames(main, generations, observations);
  let failed: readonly string[] = [];

  const require: lua_CFunction = (L) => {
    const name = nameArgument(L, 1);
    lua.lua_settop(L, 1);
    if (name === hotName) return pushHot(L);
    const isNews = requirers.record(L, name);
    lua.lua_getfield(L, lua.LUA_REGISTRYINDEX, lauxlib.LUA_LOADED_TABLE);
    lua.lua_pushvalue(L, 1);
    lua.lua_rawget(L, 2);
    if (lua.lua_toboolean(L, -1)) {
      if (isNews) refuseSecondName(L, name, observations.graph.module(name)?.file);
      return 1;
    }
    lua.lua_settop(L, 2);
    const begun = stack.findIndex((loading) => loading.name === name);
    if (begun >= 0) {
      const cycle = [...stack.slice(begun).map((loading) => loading.name), name].join(" -> ");
      raiseUtf8(L, `loop or previous error loading module '${name}' (${cycle})`);
    }
    return load(L, name);
  };

  /** With the name at 1 and `package.loaded` at 2: raises where one name for each file is asked for; +0. */
  const refuseSecondName = (L: lua_State, name: string, file: string | undefined) => {
    const problem = oneNamePerFile ? secondName(observations.graph, name, file) : undefined;
    if (problem === undefined) return;
    lua.lua_pushvalue(L, 1);
    lua.lua_pushnil(L);
    lua.lua_rawset(L, 2);
    observations.unloaded(name);
    raiseUtf8(L, problem);
  };

  /** `require "relua.hot"`: the handle of the module whose code asks, or of the one that is loading; +1. */
  const pushHot = (L: lua_State): number => {
    const caller = callerOf(L);
    const names = caller ? files.modulesOf(caller.source, generations.shown) : [];
    const loading =
      names.length === 0 ? stack.at(-1) : stack.findLast((candidate) => names.includes(candidate.name));
    const [name] = names;
    if (loading) {
      loading.instance ??= new Instance(loading.name);
      hot.push(L, loading.instance);
    } else if (name !== undefined) {
      hot.push(L, hot.instanceOf(name, generations.shown));
    } else {
      raiseUtf8(L, `${hotName} belongs to a module: require it in the module's own file`);
    }
    return 1;
  };

  /** With the name at 1 and `package.loaded` at 2: finds the module, runs it and remembers it; +1. */
  const load = (L: lua_State, name: string): number => {
    const view = generations.shown;
    const loading: Loading = { name, requires: new Set(), found: undefined, probes: [], instance: undefined };
    const outer = stack.at(-1);
    if (outer) entered.look(outer.name, stack);
    else entered.begin();
    stack.push(loading);
    let loaded = false;
    try {
      pushLoader(L, loading);
      refuseSecondName(L, name, loading.found?.file);
      run(L, loading);
      loaded = true;
    } finally {
      // Not a catch: the traceback of an error belongs to the place that raised it.
      entered.look(name, stack);
      if (!loaded) {
        fail(L, loading);
        entered.begin();
      }
      stack.pop();
    }
    if (shareWithNewer(view, loading)) {
      hot.loaded(name, loading.instance);
      observe(loading, view, true);
      hot.adopt(name, view);
    } else {
      view.apart.set(name, loading.found?.path);
      if (loading.instance) hot.loadedApart(view, loading.instance);
    }
    return 1;
  };

  /** With the loader and its extra value on top: calls it and puts the module into `package.loaded`; leaves it on top. */
  const run = (L: lua_State, { name, found }: Loading) => {
    if (found) files.loadedAs(found.path, name);
    // 5.1 calls the loader with the name alone; a searcher of 5.2's kind gets its extra value back.
    const extra = !found && !lua.lua_isnil(L, -1);
    lua.lua_pushvalue(L, 1);
    lua.lua_insert(L, -2);
    if (!extra) lua.lua_pop(L, 1);
    lua.lua_call(L, extra ? 2 : 1, 1);
    if (!lua.lua_isnil(L, -1)) setLoaded(L);
    lua.lua_pushvalue(L, 1);
    lua.lua_rawget(L, 2);
    if (!lua.lua_isnil(L, -1)) return;
    lua.lua_pushboolean(L, true);
    lua.lua_pushvalue(L, -1);
    setLoaded(L);
  };

  /** Pops a value into `package.loaded[name]`, with the name at 1 and the table at 2; -1. */
  const setLoaded = (L: lua_State) => {
    lua.lua_pushvalue(L, 1);
    lua.lua_insert(L, -2);
    lua.lua_rawset(L, 2);
  };

  /** Asks each searcher in turn; pushes the loader and its extra value (nil for none), or raises; +2. */
  const pushLoader = (L: lua_State, { name }: Loading) => {
    pushPackage(L);
    lua.lua_getfield(L, -1, toBytes("searchers"));
    if (!lua.lua_istable(L, -1)) raiseUtf8(L, "'package.searchers' must be a table");
    const searchers = lua.lua_gettop(L);
    let reasons = "";
    for (let i = 1; ; i++) {
      lua.lua_rawgeti(L, searchers, i);
      if (lua.lua_isnil(L, -1)) raiseUtf8(L, `module '${name}' not found:${reasons}`);
      lua.lua_pushvalue(L, 1);
      lua.lua_call(L, 1, 2);
      if (lua.lua_isfunction(L, -2)) return;
      const reason = bytesAt(L, -2);
      if (reason) reasons += utf8Text(reason);
      lua.lua_settop(L, searchers);
    }
  };

  /** An error is on its way out, its message on top of the stack: forget the module, keep the chain; +0. */
  const fail = (L: lua_State, loading: Loading) => {
    const chain = stack.map(({ name }) => name);
    if (failed.length < chain.length) failed = chain;
    lua.lua_getfield(L, lua.LUA_REGISTRYINDEX, lauxlib.LUA_LOADED_TABLE);
    pushUtf8(L, loading.name);
    lua.lua_pushnil(L);
    lua.lua_rawset(L, -3);
    lua.lua_pop(L, 1);
    if (loading.found) files.unloaded(loading.found.path, loading.name);
    observe(loading, generations.shown, false);
  };

  const observe = ({ name, found, probes }: Loading, view: View, held: boolean) => {
    observations.loaded({
      name,
      ...(found && { path: found.path, file: found.file }),
      ...(found?.hash !== undefined && { hash: found.hash }),
      probes,
      held,
      generation: view.generation,
      ...(held && hot.isPinned(name) && { pinned: true }),
    });
  };

  /**
   * A module that an older generation's request loaded lazily enters the newer generations as well, as long as they
   * would load the same: the same file by the same search, on top of the very same modules. Returns whether the
   * active generation has it now.
   */
  const shareWithNewer = (view: View, { name, found, probes, requires }: Loading): boolean => {
    for (const newer of generations.newerThan(view)) {
      const there = found && newer.manifest.lookup(found.path);
      const sameFile = there?.hash === found?.hash && there?.file === found?.file;
      const shadowed = probes.some((probe) => newer.manifest.lookup(probe) !== undefined);
      if (!sameFile || shadowed) return false;
      for (const required of requires) if (!isSameModule(view, newer, required)) return false;
      pushModule(main, generations, newer, name);
      const taken = lua.lua_toboolean(main, -1);
      lua.lua_pop(main, 1);
      if (taken) return false;
      generations.pushLoaded(newer);
      pushUtf8(main, name);
      pushModule(main, generations, view, name);
      lua.lua_rawset(main, -3);
      lua.lua_pop(main, 1);
    }
    return true;
  };

  const isSameModule = (a: View, b: View, name: string): boolean => {
    pushModule(main, generations, a, name);
    pushModule(main, generations, b, name);
    const same: boolean = lua.lua_rawequal(main, -2, -1);
    lua.lua_pop(main, 2);
    return same;
  };

  installSearchers({
    ...parts,
    searchFor: (name) => (stack.at(-1)?.name === name ? stack.at(-1) : undefined),
  });
  lua.lua_pushcfunction(main, require);
  lua.lua_pushvalue(main, -1);
  lua.lua_setfield(main, lua.LUA_REGISTRYINDEX, requireKey);
  lua.lua_setglobal(main, toBytes("require"));

  return {
    failedChain: () => failed,
    forgetFailures: () => {
      failed = [];
    },
  };
}

/** Pushes the VM's own `require`, whatever Lua code put into the global; +1. */
export function pushRequire(L: lua_State): void {
  lua.lua_getfield(L, lua.LUA_REGISTRYINDEX, requireKey);
}

const requireKey = toBytes("relua.require");
