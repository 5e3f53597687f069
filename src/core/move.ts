/** The move to the next generation, as it is ordered: rehearsed by the canary first, then made by every VM. */

import type { ManifestDelta } from "./manifest.ts";
import type { LoadError } from "./outcome.ts";

/** From one generation to the next. */
export interface Move {
  /** The next one's number. */
  readonly generation: number;
  readonly manifest: ManifestDelta;
  /** Module names to evict, dependents first. */
  readonly evict: readonly string[];
  /** Where the closure starts: a VM that has loaded more dependents meanwhile evicts those as well. */
  readonly roots: readonly string[];
}

/** To the canary: load the next generation aside. */
export interface RehearsalOrder extends Move {
  /** Paths whose content must compile. */
  readonly compile: readonly string[];
  /** Module names that must load, dependencies first; undefined when compiling is enough. */
  readonly load: readonly string[] | undefined;
  /** Rehearse in a VM that starts on this generation: pinned modules changed, which the present one keeps. */
  readonly fresh: boolean;
  /** Whether `requires` is to be told. */
  readonly tellRequires: boolean;
}

/** A require that ran in a rehearsal, and what it led to. */
export interface RehearsedRequire {
  readonly from: string;
  readonly to: string;
  /** Where it stands: `apps/a.lua:3`. */
  readonly at: string;
  /** Path of the file that it stands in, where that is known. */
  readonly path: string | undefined;
  /** Canonical real path of the file behind `to`. */
  readonly file: string;
}

/**
 * `string.dump` of what compiled, packed by packed-bytecode.ts under `codeKey` of lua/files.ts: content and path
 * together.
 */
export type Bytecode = readonly SharedArrayBuffer[];

/** What came of a rehearsal: without errors the order may be committed. */
export interface Rehearsed {
  readonly errors: readonly LoadError[];
  readonly bytecode: Bytecode;
  /** Of the modules that were loaded, where that was asked for and can be known. */
  readonly requires?: readonly RehearsedRequire[];
}

/** To every VM. */
export interface ActivationOrder extends Move {
  /** What a warm VM loads again of what it evicted, dependencies first. */
  readonly load: readonly string[];
  readonly bytecode: Bytecode;
}
