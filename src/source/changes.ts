/** Collects what passes changed in the index, and boils it down to the differences that count. */

import type { SourceFile } from "../core/manifest.ts";
import type { DiskIndex } from "./disk-index.ts";

/** What was found since the last step: a step without its number and memory. */
export interface Differences {
  readonly present: readonly SourceFile[];
  readonly absent: readonly string[];
}

/** Remembers each touched path, as it was in the last step and as it is. */
export class Changes {
  /** As the last step told them; what it did not have is not here. */
  readonly #before = new Map<string, SourceFile>();
  readonly #now = new Map<string, SourceFile | undefined>();
  /** Contents lose their uses at the end only, so that one which comes back before the next step is still found. */
  readonly #released: string[] = [];
  #differences: Differences | undefined;

  /** To be called whenever what is known of `path` is made, replaced or removed. */
  note(path: string, was: SourceFile | undefined, now: SourceFile | undefined): void {
    if (was !== undefined) {
      if (!this.#now.has(path)) this.#before.set(path, was);
      this.#released.push(was.hash);
    }
    this.#now.set(path, now);
    this.#differences = undefined;
  }

  /** Sets what the receiver of the steps already has, before a first pass over an empty index. */
  assume(known: Iterable<SourceFile>): void {
    for (const file of known) {
      this.#before.set(file.path, file);
      this.#now.set(file.path, undefined);
    }
    this.#differences = undefined;
  }

  /** The differences between before and now. */
  differences(): Differences {
    this.#differences ??= this.#compare();
    return this.#differences;
  }

  #compare(): Differences {
    const present: SourceFile[] = [];
    const absent: string[] = [];
    for (const [path, now] of this.#now) {
      const was = this.#before.get(path);
      if (now === undefined) {
        if (was !== undefined) absent.push(path);
      } else if (was === undefined || was.hash !== now.hash || was.file !== now.file) {
        present.push(now);
      }
    }
    return { present, absent };
  }

  /** To be called once, when a step tells of the differences. */
  finish(index: DiskIndex): void {
    for (const hash of this.#released) index.contents.release(hash);
  }
}
