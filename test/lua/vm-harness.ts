/** A LuaVm over sources in memory: writes generations and runs Lua code, for tests of the VM's own parts. */

import { createHash } from "node:crypto";
import type { SourceFile } from "../../src/core/manifest.ts";
import { type ManifestChange, ManifestView } from "../../src/lua/manifest-view.ts";
import { type Ended, LuaVm } from "../../src/lua/vm.ts";

export const root = "/srv/app";
const allowance = { deadlineMs: 5_000, instructions: 0, context: undefined };
let nextArena = 1;

/** Sources by path below `root`, as one manifest change; null removes. */
export function change(files: Record<string, string | null>): ManifestChange {
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

export interface TestVm {
  readonly vm: LuaVm;
  readonly printed: string[];
  /** Runs a chunk that must not suspend; its first value, or throws its message. */
  run(code: string): unknown;
  /** Runs a chunk that may suspend. */
  begin(code: string): Promise<unknown>;
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
  const value = (ended: Ended) => {
    if (!ended.ok) throw new Error(ended.message, { cause: ended.traceback });
    return ended.values.length > 1 ? ended.values : ended.values[0];
  };
  return {
    vm,
    printed,
    run(code) {
      let result: Ended | undefined;
      const keep = (ended: Ended) => {
        result = ended;
      };
      vm.runChunk(`test${++chunks}`, code, allowance, keep, "read");
      if (!result) throw new Error("the chunk suspended");
      return value(result);
    },
    begin: (code) =>
      new Promise((resolve, reject) => {
        const settle = (ended: Ended) => {
          try {
            resolve(value(ended));
          } catch (error) {
            reject(error);
          }
        };
        vm.runChunk(`test${++chunks}`, code, allowance, settle, "read");
      }),
    move: (next, evict, roots = []) =>
      vm.move({
        generation: vm.generations.active.generation + 1,
        manifest: change(next),
        evict,
        roots,
        bytecode: new Map(),
      }),
  };
}
