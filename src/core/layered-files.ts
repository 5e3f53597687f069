/** Files by path: many in shared memory, which no heap holds, and over them what has changed since. */

import type { SourceFile } from "./manifest.ts";
import { PackedFiles } from "./packed-manifest.ts";

/** A Map, but for files that did not change since they were packed. */
export class LayeredFiles implements ReadonlyMap<string, SourceFile> {
  #packed: PackedFiles | undefined;
  /** Null where nothing is any more. */
  readonly #changed = new Map<string, SourceFile | null>();
  #size = 0;

  /** @param packed by `packFiles` */
  constructor(packed?: SharedArrayBuffer) {
    if (packed !== undefined) this.become(packed);
  }

  /** Becomes what is packed, whatever it was. */
  become(packed: SharedArrayBuffer): void {
    this.#packed = new PackedFiles(packed);
    this.#changed.clear();
    this.#size = this.#packed.size;
  }

  get size(): number {
    return this.#size;
  }

  /** Paths that have changed since the others were packed, gone ones among them. */
  get changed(): ReadonlyMap<string, SourceFile | null> {
    return this.#changed;
  }

  get(path: string): SourceFile | undefined {
    const changed = this.#changed.get(path);
    return changed === undefined ? this.#packed?.find(path) : (changed ?? undefined);
  }

  has(path: string): boolean {
    const changed = this.#changed.get(path);
    return changed === undefined ? this.#packed?.find(path) !== undefined : changed !== null;
  }

  /** Puts `file` at `path`, or nothing; returns what was there. */
  set(path: string, file: SourceFile | undefined): SourceFile | undefined {
    const was = this.get(path);
    if (file !== undefined) this.#changed.set(path, file);
    // Without anything beneath, what is gone needs no mark: names that come and go would be kept for ever.
    else if (this.#packed?.find(path) === undefined) this.#changed.delete(path);
    else this.#changed.set(path, null);
    this.#size += (file === undefined ? 0 : 1) - (was === undefined ? 0 : 1);
    return was;
  }

  *values(): Generator<SourceFile, undefined> {
    const packed = this.#packed;
    if (packed !== undefined)
      for (const file of packed.files()) if (!this.#changed.has(file.path)) yield file;
    for (const file of this.#changed.values()) if (file !== null) yield file;
  }

  *keys(): Generator<string, undefined> {
    for (const { path } of this.values()) yield path;
  }

  *entries(): Generator<[string, SourceFile], undefined> {
    for (const file of this.values()) yield [file.path, file];
  }

  [Symbol.iterator](): Generator<[string, SourceFile], undefined> {
    return this.entries();
  }

  forEach(take: (file: SourceFile, path: string, files: ReadonlyMap<string, SourceFile>) => void): void {
    for (const file of this.values()) take(file, file.path, this);
  }

  /** How many files each arena has contents of. */
  usesOfArenas(): ReadonlyMap<number, number> {
    const uses = this.#packed?.usesOfArenas() ?? new Map<number, number>();
    const use = (file: SourceFile | null | undefined, more: 1 | -1) => {
      if (file) uses.set(file.content.arena, (uses.get(file.content.arena) ?? 0) + more);
    };
    for (const [path, file] of this.#changed) {
      use(this.#packed?.find(path), -1);
      use(file, 1);
    }
    for (const [arena, count] of uses) if (count === 0) uses.delete(arena);
    return uses;
  }

  copy(): LayeredFiles {
    const copy = new LayeredFiles(this.#packed?.memory);
    for (const [path, file] of this.#changed) copy.#changed.set(path, file);
    copy.#size = this.#size;
    return copy;
  }
}
