/** Source lines for people: what stands around a column, and where that column is on a screen. */

/** Lines are shown so far to each side of the place: generated code has very long ones. */
const mostBytesAside = 100;

export interface Excerpt {
  readonly text: string;
  /** UTF-16 units before the place, in `text`. */
  readonly before: number;
}

/**
 * The line around a place.
 * @param source one character per byte
 * @param column from 1, in bytes
 */
export function excerptOf(source: string, column: number): Excerpt {
  const at = Math.min(column - 1, source.length);
  const from = Math.max(0, at - mostBytesAside);
  const to = Math.min(source.length, at + mostBytesAside);
  const head = (from > 0 ? "…" : "") + visible(source.slice(from, at));
  return {
    text: head + visible(source.slice(at, to)) + (to < source.length ? "…" : ""),
    before: head.length,
  };
}

/** The column in UTF-16 units, from 1, of a column in bytes. */
export function utf16Column(source: string, column: number): number {
  return decoded(source.slice(0, column - 1)).length + 1;
}

/** Tabs take one column, control characters none of the terminal's attention. */
function visible(bytes: string): string {
  return decoded(bytes)
    .replaceAll("\t", " ")
    .replace(/\p{Cc}/gu, "\ufffd");
}

function decoded(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
