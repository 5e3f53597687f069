/** A VM's own view of the manifest: which bytes each path has in one generation, out of shared memory. */

import type { ContentRef, SourceFile } from "../core/manifest.ts";

/** What changes from one generation to the next (the complete manifest at boot). */
export interface ManifestChange {
  readonly present: readonly SourceFile[];
  readonly absent: readonly string[];
  readonly arenas: ReadonlyMap<number, SharedArrayBuffer>;
}

/** Arenas beyond this number since the last look make a VM look which of them are still named. */
const arenasBetweenLooks = 64;

/** Layers above the common base that are folded into it when no older view needs it. */
const foldAbove = 256;

/** Immutable for its readers; `next` gives the following generation's view at the cost of the change. */
export class ManifestView {
  readonly #base: Map<string, SourceFile>;
  readonly #changed: ReadonlyMap<string, SourceFile | null>;
  readonly #arenas: Map<number, SharedArrayBuffer>;

  private constructor(
    base: Map<string, SourceFile>,
    changed: ReadonlyMap<string, SourceFile | null>,
    arenas: Map<number, SharedArrayBuffer>,
  ) {
    this.#base = base;
    this.#changed = changed;
    this.#arenas = arenas;
  }

  static complete(change: ManifestChange): ManifestView {
    const base = new Map(change.present.map((file) => [file.path, file]));
    return new ManifestView(base, new Map(), new Map(change.arenas));
  }

  /** The file at a path in this generation. */
  lookup(path: string): SourceFile | undefined {
    const changed = this.#changed.get(path);
    return changed === undefined ? this.#base.get(path) : (changed ?? undefined);
  }

  /** A copy of a file's bytes, out of shared memory. */
  bytes(content: ContentRef): Uint8Array {
    const arena = this.#arenas.get(content.arena);
    if (!arena) throw new Error(`arena ${content.arena} is not in this VM`);
    return new Uint8Array(arena, content.offset, content.length).slice();
  }

  /**
   * The view of the next generation.
   * @param alone no other view of this VM is in use, so that the common base may change
   */
  next(change: ManifestChange, alone: boolean): ManifestView {
    for (const [number, arena] of change.arenas) this.#arenas.set(number, arena);
    const changed = new Map(this.#changed);
    for (const path of change.absent) changed.set(path, null);
    for (const file of change.present) changed.set(file.path, file);
    if (!alone || changed.size <= foldAbove) return new ManifestView(this.#base, changed, this.#arenas);
    for (const [path, file] of changed) {
      if (file === null) this.#base.delete(path);
      else this.#base.set(path, file);
    }
    const folded = new ManifestView(this.#base, new Map(), this.#arenas);
    folded.#dropUnnamedArenas();
    return folded;
  }

  #dropUnnamedArenas(): void {
    if (this.#arenas.size <= arenasBetweenLooks) return;
    const named = new Set<number>();
    for (const file of this.#base.values()) named.add(file.content.arena);
    for (const number of [...this.#arenas.keys()]) if (!named.has(number)) this.#arenas.delete(number);
  }
}
