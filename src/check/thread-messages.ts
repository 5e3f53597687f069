/** The messages between the main thread and the one that reads sources. */

import type { ContentRef } from "../core/manifest.ts";
import type { SourceFacts } from "../core/source-facts.ts";

/** Contents to read; answered by one or more `FactsRead`, the last one with `done`. */
export interface ReadContents {
  readonly id: number;
  readonly contents: readonly (readonly [hash: string, content: ContentRef])[];
  /** Every arena that `contents` names. */
  readonly arenas: ReadonlyMap<number, SharedArrayBuffer>;
}

export interface FactsRead {
  readonly id: number;
  readonly facts: readonly (readonly [hash: string, facts: SourceFacts])[];
  readonly done: boolean;
}
