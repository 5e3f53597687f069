/** What the main thread has been told of the disk so far, with the memory that it needs. */

import { LayeredFiles } from "../core/layered-files.ts";
import type { SourceFile } from "../core/manifest.ts";

/** The sum of all steps. */
export class KnownFiles {
  readonly #files = new LayeredFiles();
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

  /** Takes a first step in that is nothing but `packed`; returns every arena that it names. */
  begin(
    packed: SharedArrayBuffer,
    fresh: ReadonlyMap<number, SharedArrayBuffer>,
  ): ReadonlyMap<number, SharedArrayBuffer> {
    this.#bring(fresh);
    this.#files.become(packed);
    const named = new Map<number, SharedArrayBuffer>();
    for (const [number, uses] of this.#files.usesOfArenas()) named.set(number, this.#use(number, uses));
    this.#letGo();
    return named;
  }

  /** Takes a step in; returns every arena that `present` names. Memory that no file is in any more is let go. */
  apply(
    present: readonly SourceFile[],
    absent: readonly string[],
    fresh: ReadonlyMap<number, SharedArrayBuffer>,
  ): ReadonlyMap<number, SharedArrayBuffer> {
    this.#bring(fresh);
    const named = new Map<number, SharedArrayBuffer>();
    const left: SourceFile[] = [];
    const put = (path: string, file: SourceFile | undefined) => {
      const was = this.#files.set(path, file);
      if (was !== undefined) left.push(was);
    };
    for (const file of present) {
      put(file.path, file);
      named.set(file.content.arena, this.#use(file.content.arena, 1));
    }
    for (const path of absent) put(path, undefined);
    for (const { content } of left) {
      const arena = this.#arenas.get(content.arena);
      if (arena !== undefined) arena.uses -= 1;
    }
    this.#letGo();
    return named;
  }

  #bring(fresh: ReadonlyMap<number, SharedArrayBuffer>): void {
    for (const [number, memory] of fresh) {
      this.#arenas.set(number, { memory, uses: 0 });
      this.#nextArena = Math.max(this.#nextArena, number + 1);
    }
  }

  #use(number: number, uses: number): SharedArrayBuffer {
    const arena = this.#arenas.get(number);
    if (arena === undefined) throw new Error(`arena ${number} is not known`);
    arena.uses += uses;
    return arena.memory;
  }

  #letGo(): void {
    for (const [number, arena] of this.#arenas) if (arena.uses === 0) this.#arenas.delete(number);
  }
}
