/** Names as labels of a drawing: one line, without control characters, not endless. */

import { readableLines } from "../../../observe/readable.ts";

/** Characters of one label. */
const longest = 200;

export function labelOf(name: string): string {
  return readableLines(name, longest).join("\\n");
}
