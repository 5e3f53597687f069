/** What `stat` says about a file or folder, and when two such answers mean the same thing. */

import { type Stats, statSync } from "node:fs";

/**
 * A file's version as far as `stat` can tell. ctime is in it since rsync and tar set mtime back; inode numbers alone
 * are used again at once by ext4. Numbers of 53 bits: a rounded inode is caught by the other four.
 */
export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

/** Younger than this, a file can change again without any trace in `stat`: the kernel's clock ticks every 1–10 ms. */
const youngMs = 15;

export function fileIdentity(stats: Stats): FileIdentity {
  const { dev, ino, size, mtimeMs, ctimeMs } = stats;
  return { dev, ino, size, mtimeMs, ctimeMs };
}

export function sameFile(a: FileIdentity, b: FileIdentity): boolean {
  return (
    a.ino === b.ino &&
    a.size === b.size &&
    a.mtimeMs === b.mtimeMs &&
    a.ctimeMs === b.ctimeMs &&
    a.dev === b.dev
  );
}

/** True when a change right after this `stat` could leave the same `stat`. */
export function isYoung(
  stats: { readonly mtimeMs: number; readonly ctimeMs: number },
  nowMs: number,
): boolean {
  const age = nowMs - Math.max(stats.mtimeMs, stats.ctimeMs);
  // A time stamp in the future (another machine's clock) says nothing about age.
  return age < youngMs && age > -1000;
}

/** Which folder it is: the same as long as nobody replaced it by another one under the same name. */
export function folderIdentity(stats: Stats): string {
  return `${stats.dev}:${stats.ino}:${stats.birthtimeMs}`;
}

/** `stat`, with errors as their code: `ENOENT`, `EACCES`, `ELOOP`, …. */
export function statOrCode(path: string): Stats | string {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? "ENOENT";
  } catch (error) {
    return errorCode(error);
  }
}

/** The `code` of a system error; other errors are thrown on. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  throw error;
}

/** True for errors that say that there is nothing at a path. */
export function isGone(code: string): boolean {
  return code === "ENOENT" || code === "ENOTDIR";
}

/** True for errors that will not go away by looking again soon. */
export function isLasting(code: string): boolean {
  return code === "EACCES" || code === "EPERM" || code === "ELOOP" || code === "ENAMETOOLONG";
}

/** Why something that is no ordinary file is no module. */
export function oddKind(
  entry: Pick<Stats, "isFIFO" | "isSocket" | "isCharacterDevice" | "isBlockDevice">,
): string {
  if (entry.isFIFO()) return "FIFO";
  if (entry.isSocket()) return "socket";
  return entry.isCharacterDevice() || entry.isBlockDevice() ? "device" : "not a file";
}
