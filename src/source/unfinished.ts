/** Tells the files that somebody is still writing, as far as size and time can show it. */

import type { FileIdentity } from "./stat-identity.ts";

/** What is known of a file that differs, beside its `stat`. */
export interface WritingSigns {
  /** A `stat` from a moment before, in the same pass. */
  readonly earlier: FileIdentity | undefined;
  /** When it was judged unfinished for the first time; undefined when it was not. */
  readonly sinceMs: number | undefined;
  /** A file that was written to so recently may be written to again; 0 after a quiet. */
  readonly writingMs: number;
}

/** Whoever empties a file is about to write to it, and may be interrupted in between. */
const emptyMs = 200;
/** A file that grows for so long is one that never ends. */
const longestMs = 5000;

/**
 * What to do with a file that differs: read it, look again after `writingMs`, or leave it as it is known. One that
 * grows between two looks is being written. One that shrinks, or is another file, was written anew: it will not be
 * more finished at any later time.
 */
export function judgeWriting(
  stats: FileIdentity,
  { earlier, sinceMs, writingMs }: WritingSigns,
  nowMs: number,
): "finished" | "unsure" | "unfinished" {
  const ageMs = nowMs - stats.mtimeMs;
  // A time stamp in the future says nothing about age.
  if (ageMs < 0 || nowMs - (sinceMs ?? nowMs) >= longestMs) return "finished";
  if (stats.size === 0 && ageMs < emptyMs) return "unfinished";
  if (ageMs >= writingMs) return "finished";
  if (earlier === undefined) return "unsure";
  return earlier.ino === stats.ino && stats.size > earlier.size ? "unfinished" : "finished";
}
