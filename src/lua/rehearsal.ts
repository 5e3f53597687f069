/** The canary's work: compile what changed and load what is affected, on a VM that serves nobody. */

import { lauxlib, lua } from "#fengari";
import type { Bytecode, Move, Rehearsed, RehearsedRequire } from "../core/move.ts";
import type { LoadError } from "../core/outcome.ts";
import { BytecodePacker } from "../core/packed-bytecode.ts";
import { messageAt } from "./code-cache.ts";
import { codeKey } from "./files.ts";
import type { ManifestView } from "./manifest-view.ts";
import { dumpFunction, toBytes, utf8Bytes } from "./stack.ts";
import type { Allowance, LuaVm } from "./vm.ts";

export interface Rehearsal {
  /** Undefined when the VM started on the generation to rehearse. */
  readonly move: Move | undefined;
  /** Paths whose content must compile. */
  readonly compile: readonly string[];
  /** Names that must load, dependencies first; undefined when compiling is enough. */
  readonly load: readonly string[] | undefined;
  /** For all loads together. */
  readonly allowance: Allowance;
  /** Whether `requires` is to be told. */
  readonly tellRequires: boolean;
}

/** Moves `vm`, when that is to be done, and loads. After errors the VM is of no further use: it holds what loaded and misses the rest. */
export function rehearse(vm: LuaVm, rehearsal: Rehearsal): Rehearsed {
  const { move, compile, load, allowance } = rehearsal;
  const errors = new Map<string, LoadError>();
  const report = (error: LoadError) => {
    const key = `${error.path} ${error.line} ${error.message}`;
    const known = errors.get(key);
    // One defect fails every dependent: it is told once, with the longest chain.
    if (!known || known.requiredBy.length < error.requiredBy.length) errors.set(key, error);
  };

  const { manifest } = vm.generations.active;
  const next = move === undefined ? manifest : manifest.next(move.manifest);
  const bytecode = compileAll(vm, next, compile, report);
  const pathBefore = new Map([...vm.observations.graph.modules()].map(({ name, path }) => [name, path]));
  const evicted = move === undefined ? [] : vm.move(move, bytecode);
  // What the canary itself holds was loaded by initBy: a VM that starts later must be able to load it, too.
  const own = evicted.filter((name) => next.lookup(pathBefore.get(name) ?? "") !== undefined).reverse();
  const names = load === undefined ? [] : new Set([...own, ...load]);
  const broken = new Set([...errors.values()].map((error) => error.path));
  const until = performance.now() + allowance.deadlineMs;
  let late = false;
  for (const name of names) {
    const deadlineMs = Math.max(1, until - performance.now());
    vm.load(name, { ...allowance, deadlineMs }, (ended) => {
      if (ended.ok) return;
      if (ended.killed === "deadline") {
        late = true;
        const message = `did not finish loading within ${allowance.deadlineMs} ms (reload.canaryMs)`;
        const path = next.lookup(vm.pathOf(vm.failedChain.at(-1) ?? name) ?? "")?.path;
        report({ path, line: undefined, message, requiredBy: vm.failedChain.slice(0, -1) });
        return;
      }
      const place = placeOf(ended.message);
      const chain = vm.failedChain;
      const path = place?.path ?? next.lookup(vm.pathOf(chain.at(-1) ?? name) ?? "")?.path;
      // Its compilation has been told above, in the compiler's own words.
      const told = [...broken].some(
        (file) => file !== undefined && ended.message.includes(`from file '${file}'`),
      );
      if (told) return;
      const last = chain.at(-1);
      const notFound =
        last !== undefined && ended.message.includes(`module '${last}' not found:`) ? last : undefined;
      report({
        path,
        line: place?.line,
        message: ended.message,
        requiredBy: chain.slice(0, -1),
        ...(notFound !== undefined && { notFound }),
      });
    });
    vm.forgetFailures();
    if (late) break;
  }
  vm.files.forgetAhead();
  return {
    errors: [...errors.values()],
    bytecode,
    ...(rehearsal.tellRequires && { requires: requiresIn(vm) }),
  };
}

/** What the modules that have been loaded in the active generation require, of modules from files. */
function requiresIn(vm: LuaVm): readonly RehearsedRequire[] {
  const { graph } = vm.observations;
  const { generation } = vm.generations.active;
  const requires: RehearsedRequire[] = [];
  for (const module of graph.modules()) {
    if (module.generation !== generation || module.vms.size === 0) continue;
    for (const { from, to, at } of graph.requires(module.name)) {
      const file = graph.module(to)?.file;
      if (file !== undefined) requires.push({ from, to, at, path: module.path, file });
    }
  }
  return requires;
}

function compileAll(
  vm: LuaVm,
  manifest: ManifestView,
  paths: readonly string[],
  report: (error: LoadError) => void,
): Bytecode {
  const { L } = vm;
  const bytecode = new BytecodePacker();
  for (const path of paths) {
    const file = manifest.lookup(path);
    if (!file) continue;
    const source = vm.files.sourceOf(manifest, file);
    const chunkName = utf8Bytes(`@${path}`);
    if (lauxlib.luaL_loadbufferx(L, source, source.length, chunkName, toBytes("t")) === lua.LUA_OK) {
      dumpFunction(L, (code) => bytecode.add(codeKey(file), code));
      // What it holds it is about to load again: from what it has just compiled, not from the bytecode of that.
      if (vm.observations.holdsFrom(path)) vm.files.compiledAhead(L, file);
      else lua.lua_pop(L, 1);
      continue;
    }
    const message = messageAt(L, -1);
    lua.lua_pop(L, 1);
    report({ path, line: placeOf(message)?.line, message, requiredBy: [] });
  }
  return bytecode.pack();
}

/** Where a Lua message says it comes from: `path:line: text`. */
function placeOf(message: string): { readonly path: string; readonly line: number } | undefined {
  const match = /^(?:error loading module .* from file .*:\n\t)?(\/.*?):(\d+): /s.exec(message);
  return match ? { path: match[1]!, line: Number(match[2]) } : undefined;
}
