/** The messages between the main thread and the source's thread. */

import type { SourceFile } from "../core/manifest.ts";
import type { SourceOptions, SourceStatus } from "./contract.ts";

/** `workerData` of the thread. It reads everything at once, unasked, and answers as request 0. */
export interface SourceThreadBoot {
  readonly options: SourceOptions;
  /** What the main thread already has, when an earlier thread died. */
  readonly known: readonly SourceFile[];
  /** First arena number that no earlier thread has used. */
  readonly nextArena: number;
}

/** Requests are answered in turn, each by one `step` or `failed` of the same id. */
export type MainToSource =
  | {
      readonly type: "reconcile";
      readonly id: number;
      readonly paths: readonly string[] | "all";
      readonly force: boolean;
    }
  | { readonly type: "files"; readonly id: number; readonly files: readonly string[] };

export type SourceToMain =
  | {
      readonly type: "step";
      /** The request it answers; undefined for a step of the watcher's. */
      readonly id: number | undefined;
      readonly present: readonly SourceFile[];
      /** What is present, by `packFiles`, and then not in `present`: many travel faster that way. */
      readonly packed?: SharedArrayBuffer;
      readonly absent: readonly string[];
      /** New ones only. */
      readonly arenas: ReadonlyMap<number, SharedArrayBuffer>;
    }
  | { readonly type: "status"; readonly status: SourceStatus }
  | { readonly type: "pending"; readonly pending: boolean }
  | { readonly type: "warning"; readonly message: string }
  | { readonly type: "progress"; readonly done: number; readonly total: number };
