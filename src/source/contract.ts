/** What the source side of the agent promises: the truth about the disk, in settled steps. */

import type { SourceFile } from "../core/manifest.ts";
import type { SearchFolder } from "../core/search-path.ts";
import type { WatchStatus } from "../core/status.ts";
import type { WatchSettings } from "../core/watch-settings.ts";

/** A step of the disk: what differs from the step before. Applied in the order of `sequence`. */
export interface SourceStep {
  /** Counts up by one. */
  readonly sequence: number;
  /** Paths that are new or have another content, hash or real file than before. */
  readonly present: readonly SourceFile[];
  /** The same in shared memory, by `packFiles`; only where there are many. Whoever can do with it leaves `present` alone. */
  readonly packed?: SharedArrayBuffer;
  /** Paths that are gone. */
  readonly absent: readonly string[];
  /**
   * Every arena that `present` names, by number: also one that arrived before, since equal contents are stored once.
   * A number always means the same memory, so a receiver may drop arenas that nothing it keeps names.
   */
  readonly arenas: ReadonlyMap<number, SharedArrayBuffer>;
}

export interface SourceOptions {
  /** Watched is what ends in one of their suffixes and what no rule ignores. */
  readonly roots: readonly SearchFolder[];
  /** Single files beside the roots: `content_by_file` paths without variables. Absolute. */
  readonly files: readonly string[];
  /** Paths or globs that are never modules, beside the built-in rule (`node_modules`, dot folders, editor files). */
  readonly ignore: readonly string[];
  readonly maxFileBytes: number;
  /** False: no watcher and no sweep; the disk is read at start and on `reconcile`. */
  readonly watch: false | WatchSettings;
}

export interface SourceStatus extends WatchStatus {
  /** Events or differences seen whose step has not been emitted yet. */
  readonly pending: boolean;
}

export interface SourceEvents {
  /** A settled step from the watcher or the sweep, not empty. */
  step(step: SourceStep): void;
  /** Something may have changed; a step (or nothing) follows after the settle window. */
  pending(pending: boolean): void;
  /** `SourceStatus.live` has changed: false at start, and for a moment while folders are added. */
  live(live: boolean): void;
  warning(message: string): void;
  /**
   * A pass that has been running for over a second: files looked at, of those found so far; the numbers are equal once,
   * when it has ended.
   */
  progress(filesDone: number, filesTotal: number): void;
}

/** The disk as the agent sees it. Owns a thread; `close` ends it. */
export interface Source {
  /** Reads every root; resolves with all files as one step. Rejects `source-failed`. */
  start(): Promise<SourceStep>;
  /**
   * Reads the disk again, now: the named paths (files, or folders with everything below) and nothing else, or
   * everything. With `force`, named paths are hashed even when their stat data did not change. Paths that no root and
   * no single file covers, or that a rule ignores, are left out. The step may be empty. Rejects `source-failed` when
   * the thread dies meanwhile: its successor emits what differs as a step of its own.
   */
  reconcile(
    what: { readonly paths: readonly string[]; readonly force?: boolean } | "all",
  ): Promise<SourceStep>;
  /** Replaces the single files that are watched beside the roots. */
  setFiles(files: readonly string[]): Promise<SourceStep>;
  status(): SourceStatus;
  on<E extends keyof SourceEvents>(event: E, listener: SourceEvents[E]): void;
  close(): Promise<void>;
}
