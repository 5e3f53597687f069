/** Paths as people read them. */

import { posix } from "node:path";

/** Relative to the folder where they are in it. Both absolute. */
export function shownPath(path: string, folder: string): string {
  const relative = posix.relative(folder, path);
  return relative === "" || relative === ".." || relative.startsWith("../") ? path : relative;
}
