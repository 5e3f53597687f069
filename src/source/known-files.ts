/** What the main thread has been told of the disk so far, with the memory that it needs. */

import type { SourceFile } from "../core/manifest.ts";

/** The sum of all steps. */
export class KnownFiles {
  readonly #files = new Map<string, SourceFile>();
  readonly #arenas = new Map<number, { readonly memory: SharedArrayBuffer; uses: number }>();
  #nextArena = 1;

  /** All files, in no order. */
  files(): SourceFile[] {
    return [...this.#files.values()];
  }

  /** First arena number that has not been seen. */
  get nextArena(): number {
    return this.#nextArena;
  }

  /** Takes a step in; returns every arena that `present` names. Memory that no file is in any more is let go. */
  apply(
    present: readonly SourceFile[],
    absent: readonly string[],
    fresh: ReadonlyMap<number, SharedArrayBuffer>,
  ): ReadonlyMap<number, SharedArrayBuffer> {
    for (const [number, memory] of fresh) {
      this.#arenas.set(number, { memory, uses: 0 });
      this.#nextArena = Math.max(this.#nextArena, number + 1);
    }
    const named = new Map<number, SharedArrayBuffer>();
    const left: SourceFile[] = [];
    for (const file of present) {
      const was = this.#files.get(file.path);
      if (was !== undefined) left.push(was);
      this.#files.set(file.path, file);
      const arena = this.#arenas.get(file.content.arena);
      if (arena === undefined) throw new Error(`arena ${file.content.arena} of ${file.path} is not known`);
      arena.uses += 1;
      named.set(file.content.arena, arena.memory);
    }
    for (const path of absent) {
      const was = this.#files.get(path);
      if (was !== undefined) left.push(was);
      this.#files.delete(path);
    }
    for (const { content } of left) {
      const arena = this.#arenas.get(content.arena);
      if (arena !== undefined) arena.uses -= 1;
    }
    for (const [number, arena] of this.#arenas) if (arena.uses === 0) this.#arenas.delete(number);
    return named;
  }
}
