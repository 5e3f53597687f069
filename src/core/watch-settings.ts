/** How the disk is watched: `watch` of the config, as it reaches the source. */

export interface WatchSettings {
  /** Quiet that ends a burst of changes. */
  readonly settleMs: number;
  /** Longest time from the first change of a burst to its step. */
  readonly maxWaitMs: number;
  /** Compare file by file at intervals instead of asking the system for events. */
  readonly polling: boolean;
  /** Shortest pause between two comparisons of the whole tree with what is known. */
  readonly sweepMs: number;
}
