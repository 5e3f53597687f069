/** Collects what passes changed in the index, and boils it down to the differences that count. */

import type { SourceFile } from "../core/manifest.ts";
import type { DiskIndex } from "./disk-index.ts";

/** What was found since the last step: a step without its number and memory. */
export interface Differences {
  readonly present: readonly SourceFile[];
  readonly absent: readonly string[];
}

/** Remembers each touched path as it was in the last step. */
export class Changes {
  readonly #before = new Map<string, SourceFile | undefined>();
  /** Contents lose their uses at the end only, so that one which comes back before the next step is still found. */
  readonly #released: string[] = [];

  /** To be called with what was known of `path` whenever that is replaced or removed. */
  note(path: string, was: SourceFile | undefined): void {
    if (!this.#before.has(path)) this.#before.set(path, was);
    if (was !== undefined) this.#released.push(was.hash);
  }

  /** Sets what the receiver of the steps already has, before a first pass over an empty index. */
  assume(known: Iterable<SourceFile>): void {
    for (const file of known) this.#before.set(file.path, file);
  }

  /** The differences between before and now. */
  differences(index: DiskIndex): Differences {
    const present: SourceFile[] = [];
    const absent: string[] = [];
    for (const [path, was] of this.#before) {
      const now = index.file(path)?.source;
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
