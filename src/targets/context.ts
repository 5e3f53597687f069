/** What the targets need of the agent: what is active, what is on disk, the graph, and where to say something. */

import type { ClosureMember } from "../core/closure.ts";
import type { LogLevel } from "../core/log.ts";
import type { ObservedBatch } from "../reload/graph-feed.ts";

/** A watched file as one manifest has it. */
export interface KnownContent {
  /** Canonical real path. */
  readonly file: string;
  /** XXH64 of the bytes. */
  readonly hash: string;
  /** The bytes themselves, out of the content store. */
  readonly bytes: () => Uint8Array;
}

export interface TargetContext {
  /** Random, made at the start of this process: generations count within it. */
  readonly agent: string;
  /** `$prefix`, absolute: where relative paths and programs start. */
  readonly prefix: string;
  /** The active generation. */
  generation(): number;
  /** The content at an absolute path in the active generation; undefined where nothing is, or nothing is watched. */
  active(path: string): KnownContent | undefined;
  /** The same on the disk, as it was read last: rejected, held back, or about to be planned where it differs. */
  onDisk(path: string): KnownContent | undefined;
  /** These names, all names of their files and everything that depends on them, dependents first; no pinned ones. */
  closure(names: Iterable<string>): readonly ClosureMember[];
  /** What a worker has loaded and dropped, for the graph. */
  observed(worker: number, batch: ObservedBatch): void;
  /** A worker is gone, or starts anew: it holds nothing. */
  gone(worker: number): void;
  /** A number that no other worker, and no VM, of this agent has. */
  nextWorker(): number;
  /** Why a module name is never evicted; undefined when it may be. */
  pinnedWhy(name: string): string | undefined;
  log(level: LogLevel, message: string): void;
}
