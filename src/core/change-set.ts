/** The change set: what differs between the active manifest and the disk. */

import type { SourceFile } from "./manifest.ts";

export interface Change {
  /** Path as the search path forms it. */
  readonly path: string;
  readonly kind: "added" | "changed" | "removed";
  readonly hash?: string;
  readonly was?: string;
}

/** Files by path. */
export type Files = ReadonlyMap<string, SourceFile>;

/** How `path` differs between two manifests; undefined where it does not. */
function changeOf(
  path: string,
  was: SourceFile | undefined,
  now: SourceFile | undefined,
): Change | undefined {
  if (was === undefined) return now && { path, kind: "added", hash: now.hash };
  if (now === undefined) return { path, kind: "removed", was: was.hash };
  // Another real file with the same bytes is another identity: its aliases differ.
  if (now.hash === was.hash && now.file === was.file) return undefined;
  return { path, kind: "changed", hash: now.hash, was: was.hash };
}

/** The changes among `paths`, in the order of the paths' names. */
export function changesBetween(paths: Iterable<string>, active: Files, disk: Files): readonly Change[] {
  const changes: Change[] = [];
  for (const path of [...paths].sort()) {
    const change = changeOf(path, active.get(path), disk.get(path));
    if (change) changes.push(change);
  }
  return changes;
}
