/** Makes text of any origin fit for a terminal and a log: bytes read as UTF-8, control characters shown, bounded. */

/** Characters of one message; nginx cuts its log lines at 2,048 (NGX_MAX_ERROR_STR). */
export const messageLimit = 4096;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The text as one or more lines without control characters, so that no message can forge or repaint a line. */
export function readableLines(text: string, limit = messageLimit): readonly string[] {
  // Half a UTF-8 sequence at the cut would make all of it unreadable.
  const kept = text.length > limit ? text.slice(0, limit).replace(/[\xc0-\xf7][\x80-\xbf]{0,2}$/, "") : text;
  const left = text.length - kept.length;
  const lines = decode(kept).trimEnd().split(/\r?\n/).map(showControls);
  if (left > 0) lines[lines.length - 1] += ` … and ${left} more characters`;
  return lines;
}

/** Lua text comes as one character per byte, the agent's own as characters; bytes that are no UTF-8 stay latin1. */
function decode(text: string): string {
  if (!/[\x80-\xff]/.test(text) || /[^\p{ASCII}\x80-\xff]/u.test(text)) return text;
  try {
    return utf8.decode(Buffer.from(text, "latin1"));
  } catch {
    return text;
  }
}

/** Control characters as Lua escapes; tabs stay. */
function showControls(line: string): string {
  return line.replace(
    /(?!\t)\p{Cc}/gu,
    (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
