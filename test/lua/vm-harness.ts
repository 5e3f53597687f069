/** A LuaVm over sources in memory: writes generations and runs Lua code, for tests of the VM's own parts. */

import { createHash } from "node:crypto";
import type { ManifestDelta, SourceFile } from "../../src/core/manifest.ts";
import { ManifestView } from "../../src/lua/manifest-view.ts";
import { type Allowance, type Ended, LuaVm } from "../../src/lua/vm.ts";

export const root = "/srv/app";
const allowance = { deadlineMs: 5_000, instructions: 0, context: undefined };
let nextArena = 1;

/** Sources by path below `root`, as one difference of manifests; null removes. */
export function change(files: Record<string, string | null>): ManifestDelta {
  const present: SourceFile[] = [];
  const absent: string[] = [];
  const arenas = new Map<number, SharedArrayBuffer>();
  for (const [name, text] of Object.entries(files)) {
    const path = `${root}/${name}`;
    if (text === null) {
      absent.push(path);
      continue;
    }
    const bytes = Buffer.from(text);
    const arena = new SharedArrayBuffer(bytes.length);
    new Uint8Array(arena).set(bytes);
    const number = nextArena++;
    arenas.set(number, arena);
    const hash = createHash("md5").update(text).digest("hex").slice(0, 16);
    present.push({ path, file: path, hash, content: { arena: number, offset: 0, length: bytes.length } });
  }
  return { present, absent, arenas };
}

/** Runs chunks of a VM. */
export interface ChunkRunner {
  /** Runs a chunk that must not suspend; its first value or all of them, or throws its message. */
  run(code: string): unknown;
  /** Runs a chunk that may suspend. */
  begin(code: string): Promise<unknown>;
}

/** @param label the name of a chunk */
export function chunkRunner(
  vm: LuaVm,
  allowance: () => Allowance,
  label: (code: string) => string,
): ChunkRunner {
  const runChunk = (code: string, done: (ended: Ended) => void) => {
    vm.runChunk(label(code), code, allowance(), done, "read");
  };
  return {
    run(code) {
      let result: Ended | undefined;
      runChunk(code, (ended) => {
        result = ended;
      });
      if (!result) throw new Error("the chunk suspended");
      return resultOf(result);
    },
    begin: (code) =>
      new Promise((resolve, reject) => {
        runChunk(code, (ended) => {
          try {
            resolve(resultOf(ended));
          } catch (error) {
            reject(error);
          }
        });
      }),
  };
}

/** The first value of several, or all of them; throws Lua's message. */
export function resultOf(ended: Ended): unknown {
  if (!ended.ok) throw new Error(ended.message, { cause: ended.traceback });
  return ended.values.length > 1 ? ended.values : ended.values[0];
}

/** Moves a VM to its next generation; returns what was evicted. */
export function moveVm(
  vm: LuaVm,
  files: Record<string, string | null>,
  evict: readonly string[],
  roots: readonly string[] = [],
): readonly string[] {
  const generation = vm.generations.active.generation + 1;
  return vm.move({ generation, manifest: change(files), evict, roots }, []);
}

export interface TestVm extends ChunkRunner {
  readonly vm: LuaVm;
  readonly printed: string[];
  move(files: Record<string, string | null>, evict: string[], roots?: string[]): readonly string[];
}

export function testVm(
  files: Record<string, string>,
  options: { packagePath?: string; pinned?: string[] } = {},
): TestVm {
  const printed: string[] = [];
  const vm = new LuaVm({
    generation: 1,
    manifest: ManifestView.complete(change(files)),
    packagePath: options.packagePath ?? `${root}/?.lua;${root}/?/init.lua`,
    cwd: root,
    pinned: options.pinned ?? [],
    print: (line) => printed.push(line),
    printError: (line) => printed.push(line),
  });
  let chunks = 0;
  return {
    vm,
    printed,
    ...chunkRunner(
      vm,
      () => allowance,
      () => `test${++chunks}`,
    ),
    move: (next, evict, roots = []) => moveVm(vm, next, evict, roots),
  };
}
