/** What the source side of the agent promises: the truth about the disk, in settled steps. */

import type { SourceFile } from "../core/manifest.ts";

/** A step of the disk: what differs from the step before. Applied in the order of `sequence`. */
export interface SourceStep {
  /** Counts up by one. */
  readonly sequence: number;
  /** Paths that are new or have another content, hash or real file than before. */
  readonly present: readonly SourceFile[];
  /** Paths that are gone. */
  readonly absent: readonly string[];
  /**
   * Every arena that `present` names, by number: also one that arrived before, since equal contents are stored once.
   * A number always means the same memory, so a receiver may drop arenas that nothing it keeps names.
   */
  readonly arenas: ReadonlyMap<number, SharedArrayBuffer>;
}

/** A path that could be a module and is none, and why: `FIFO`, `larger than maxFileBytes`, `EACCES`, … */
export interface SkippedPath {
  readonly path: string;
  readonly reason: string;
}

/** A folder to watch: everything below it that ends in one of `suffixes` and that no rule ignores. */
export interface SourceRoot {
  /** Absolute, lexical. */
  readonly folder: string;
  /** For example `.lua` for `folder/?.lua` and `/init.lua` for `folder/?/init.lua`. */
  readonly suffixes: readonly string[];
}

export interface SourceOptions {
  readonly roots: readonly SourceRoot[];
  /** Single files beside the roots: `content_by_file` paths without variables. Absolute. */
  readonly files: readonly string[];
  /** Paths or globs that are never modules, beside the built-in rule (`node_modules`, dot folders, editor files). */
  readonly ignore: readonly string[];
  readonly maxFileBytes: number;
  /** False: no watcher and no sweep; the disk is read at start and on `reconcile`. */
  readonly watch:
    | false
    | {
        readonly settleMs: number;
        readonly maxWaitMs: number;
        readonly polling: boolean;
        readonly sweepMs: number;
      };
}

export interface SourceStatus {
  readonly files: number;
  readonly folders: number;
  readonly mode: "events" | "polling" | "sweep" | "manual";
  /** Roots that do not exist now; watched until they appear. */
  readonly missingRoots: readonly string[];
  readonly skipped: readonly SkippedPath[];
  /** Events or differences seen whose step has not been emitted yet. */
  readonly pending: boolean;
  /** Changes from now on are noticed without being asked for: every folder is watched, or compared by the sweep. */
  readonly live: boolean;
  readonly sweep: SweepStatus;
}

/** What comparing the whole tree with the index, beside all events, has cost and found. */
export interface SweepStatus {
  /** Milliseconds since the epoch at which the last one ended; undefined before that and without sweeps. */
  readonly lastAt: number | undefined;
  readonly costMs: number;
  /** Differences so far that no event had told of: above 0, the watcher misses things. */
  readonly missed: number;
}

export interface SourceEvents {
  /** A settled step from the watcher or the sweep, not empty. */
  step(step: SourceStep): void;
  /** Something may have changed; a step (or nothing) follows after the settle window. */
  pending(pending: boolean): void;
  /** `SourceStatus.live` has changed: false at start, and for a moment while folders are added. */
  live(live: boolean): void;
  warning(message: string): void;
  /** A pass that has been running for over a second: files looked at, of those to look at. */
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
