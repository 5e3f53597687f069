/** Which contents are alive, and where: equal contents of several files are stored once. */

import type { ContentRef } from "../core/manifest.ts";

/** Counts the uses of each content by hash. */
export class ContentTable {
  readonly #byHash = new Map<string, { readonly ref: ContentRef; uses: number }>();

  /** Where a content of this hash and length is, when one is alive. */
  find(hash: string, length: number): ContentRef | undefined {
    const known = this.#byHash.get(hash);
    return known?.ref.length === length ? known.ref : undefined;
  }

  /** One more use. */
  acquire(hash: string, ref: ContentRef): void {
    const known = this.#byHash.get(hash);
    if (known === undefined) this.#byHash.set(hash, { ref, uses: 1 });
    else known.uses += 1;
  }

  /** One use less; with the last one the content is forgotten. */
  release(hash: string): void {
    const known = this.#byHash.get(hash);
    if (known === undefined) return;
    known.uses -= 1;
    if (known.uses === 0) this.#byHash.delete(hash);
  }
}
