/** The text of a content in shared memory. */

import type { ContentRef } from "../core/manifest.ts";

/** One character per byte. */
export function contentText(
  { arena, offset, length }: ContentRef,
  arenas: ReadonlyMap<number, SharedArrayBuffer>,
): string {
  const memory = arenas.get(arena);
  if (memory === undefined) throw new Error(`There is no arena ${arena}`);
  return Buffer.from(memory, offset, length).toString("latin1");
}
