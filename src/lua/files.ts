/**
 * The files of a VM: watched ones come from the manifest and never from the disk (Invariant 3); what lies outside of
 * the watched folders is read from the disk and reported without a hash, that is as unwatched.
 */

import { readFileSync, statSync } from "node:fs";
import { posix } from "node:path";
import type { lua_State } from "#fengari";
import type { SourceFile } from "../core/manifest.ts";
import type { Bytecode } from "../core/move.ts";
import { PackedBytecode } from "../core/packed-bytecode.ts";
import { parsePackagePath, sourceRoots } from "../core/search-path.ts";
import type { CodeCache, Compiled } from "./code-cache.ts";
import type { View } from "./generations.ts";
import type { ManifestView } from "./manifest-view.ts";
import type { Observations } from "./observations.ts";

/** A file that a search found. */
export interface FoundFile {
  /** Absolute and normalised. */
  readonly path: string;
  /** Canonical real path where it is known. */
  readonly file: string;
  /** Undefined for a file outside of the manifest. */
  readonly hash: string | undefined;
}

export interface FilesParts {
  readonly codeCache: CodeCache;
  readonly observations: Observations;
  readonly cwd: string;
  /** The configured search path: its folders are the manifest's alone. */
  readonly packagePath: string;
}

export class Files {
  readonly #parts: FilesParts;
  readonly #roots: readonly { readonly folder: string; readonly suffixes: readonly string[] }[];
  /** Names that were loaded from a path, for edges out of functions of that file. */
  readonly #names = new Map<string, Set<string>>();
  /** Under which key the code of a watched path was kept last. */
  readonly #keys = new Map<string, string>();
  /** Keys, by path, of code that was compiled ahead of the move that brings it. */
  readonly #ahead = new Map<string, string>();
  #sharing = 0;
  /** Bytecode that came with the last generation, by code key. */
  #bytecode = new PackedBytecode([]);

  constructor(parts: FilesParts) {
    this.#parts = parts;
    this.#roots = sourceRoots(parsePackagePath(parts.packagePath, parts.cwd)).map(({ folder, suffixes }) => ({
      folder: folder === "/" ? folder : `${folder}/`,
      suffixes,
    }));
  }

  /** The absolute form of a path as Lua code has it. */
  absolute(path: string): string {
    return posix.resolve(this.#parts.cwd, path);
  }

  /** The file at an absolute path in the given generation. */
  find(path: string, view: View): FoundFile | undefined {
    const watched = view.manifest.lookup(path);
    if (watched) return { path, file: watched.file, hash: watched.hash };
    if (this.#isCovered(path)) return undefined;
    // FIFOs and devices would block the thread when they are opened.
    return statSync(path, { throwIfNoEntry: false })?.isFile()
      ? { path, file: path, hash: undefined }
      : undefined;
  }

  /** Pushes the main function of a file; +1 when ok. */
  push(L: lua_State, found: FoundFile, view: View): Compiled {
    const chunkName = `@${found.path}`;
    const watched = found.hash === undefined ? undefined : view.manifest.lookup(found.path);
    if (!watched) {
      const { mtimeMs, size } = statSync(found.path);
      const key = `disk ${mtimeMs} ${size} ${found.path}`;
      return this.#parts.codeCache.push(L, key, chunkName, () => withoutShebang(readFileSync(found.path)));
    }
    const key = codeKey(watched);
    const before = this.#keys.get(found.path);
    if (before !== undefined && before !== key) this.#parts.codeCache.drop(before);
    this.#keys.set(found.path, key);
    return this.#parts.codeCache.push(
      L,
      key,
      chunkName,
      () => this.#bytecode.find(key) ?? this.sourceOf(view.manifest, watched),
    );
  }

  /** A watched file's Lua source, ready for the compiler. */
  sourceOf(manifest: ManifestView, file: SourceFile): Uint8Array {
    return withoutShebang(manifest.bytes(file.content));
  }

  /** Pops the main function of a file's content to be, and keeps it for whoever loads the file after the move; -1. */
  compiledAhead(L: lua_State, file: SourceFile): void {
    const key = codeKey(file);
    this.#parts.codeCache.keep(L, key);
    this.#ahead.set(file.path, key);
  }

  /** What was compiled ahead and has not been loaded is not kept. */
  forgetAhead(): void {
    for (const [path, key] of this.#ahead) if (this.#keys.get(path) !== key) this.#parts.codeCache.drop(key);
    this.#ahead.clear();
  }

  /** Bytecode of the contents that a new generation brings; replaces what was offered before. */
  offerBytecode(bytecode: Bytecode): void {
    this.#bytecode = new PackedBytecode(bytecode);
  }

  /** The next generation has another content at this path: what was compiled of this one is not kept. */
  replaced(path: string): void {
    const key = this.#keys.get(path);
    if (key === undefined) return;
    this.#keys.delete(path);
    this.#parts.codeCache.drop(key);
  }

  /** Grows when functions of one path come to require on behalf of one more: what was told of them is incomplete then. */
  get sharing(): number {
    return this.#sharing;
  }

  /** Functions of this path require on behalf of `name` from now on. */
  loadedAs(path: string, name: string): void {
    const names = this.#names.get(path);
    if (names || this.#parts.observations.graph.module(chunkNode(path))) this.#sharing++;
    if (names) names.add(name);
    else this.#names.set(path, new Set([name]));
  }

  unloaded(path: string, name: string): void {
    const names = this.#names.get(path);
    if (names?.delete(name) && names.size === 0) this.#names.delete(path);
  }

  /** A file that runs as a chunk of its own (`dofile`, `content_by_file`): a node of the graph without a module name. */
  runs(found: FoundFile, view: View): string {
    if (this.#names.has(found.path) && !this.#parts.observations.graph.module(chunkNode(found.path)))
      this.#sharing++;
    return this.searched(chunkNode(found.path), found, [], view);
  }

  /** A file that was to run and is not there: one that appears at its path changes what comes of that. */
  misses(path: string, view: View): string {
    return this.searched(chunkNode(path), undefined, [{ path }], view);
  }

  /** What a search other than `require`'s came to: a node of the graph called `label`. Returns that. */
  searched(
    label: string,
    found: FoundFile | undefined,
    missed: readonly { readonly path: string }[],
    { generation }: View,
  ): string {
    const { observations } = this.#parts;
    const known = observations.graph.module(label);
    const probes = missed.map(({ path }) => path);
    const isKnown =
      known?.path === found?.path && known?.hash === found?.hash && known?.probes.length === probes.length;
    if (!isKnown)
      observations.loaded({
        name: label,
        // Without its real file: it is no other name of the module that is loaded from there.
        ...(found && { path: found.path }),
        ...(found?.hash !== undefined && { hash: found.hash }),
        probes,
        held: false,
        generation,
      });
    return label;
  }

  /** On whose behalf a function of this chunk requires: module names, or the chunk itself. */
  requirersOf(source: string): Iterable<string> {
    // Code that `load` got as a string is named by itself.
    if (!source.startsWith("@")) return source.startsWith("=") ? [source] : [];
    const path = source.slice(1);
    const names = this.#names.get(path);
    const chunk = chunkNode(path);
    if (!names) return [chunk];
    // Of two functions of one text nobody can tell which of them a module has, and which dofile made.
    return this.#parts.observations.graph.module(chunk) ? [...names, chunk] : names;
  }

  /** The modules that a chunk's functions are part of, as `view` has them; none for handlers and other chunks. */
  modulesOf(source: string, view: View): readonly string[] {
    if (!source.startsWith("@")) return [];
    const path = source.slice(1);
    const apart = [...view.apart].flatMap(([name, from]) => (from === path ? [name] : []));
    return apart.length > 0 ? apart : [...(this.#names.get(path) ?? [])];
  }

  /** Whether a path lies where the manifest is complete: what it does not name does not exist. */
  #isCovered(path: string): boolean {
    return this.#roots.some(
      ({ folder, suffixes }) => path.startsWith(folder) && suffixes.some((suffix) => path.endsWith(suffix)),
    );
  }
}

/** Key of a watched file's compiled code: content and chunk name together. */
export function codeKey(file: { readonly hash: string; readonly path: string }): string {
  return `${file.hash} ${file.path}`;
}

function chunkNode(path: string): string {
  return `=file(${path})`;
}

/** Lua skips a first line that starts with `#` (luaL_loadfile), keeping line numbers. */
function withoutShebang(bytes: Uint8Array): Uint8Array {
  let start = 0;
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) start = 3;
  if (bytes[start] !== 0x23) return start === 0 ? bytes : bytes.subarray(start);
  const end = bytes.indexOf(0x0a, start);
  return end < 0 ? new Uint8Array() : bytes.subarray(end);
}
