/** A checked edit to one of Fengari's files, and how a file's edits are applied. */

/** Replaces a text that must stand in the file exactly once. */
export interface Edit {
  /** File name below Fengari's `src`. */
  readonly file: string;
  /** What the edit is for; every edit has its reason. */
  readonly why: string;
  /** Exact text, found once and once only. */
  readonly find: string;
  /** What stands there afterwards. */
  readonly replace: string;
}

/** The installed Fengari is not the one that the edits were written for. */
export class EditError extends Error {
  override readonly name = "EditError";
}

/** `text` with all `edits` applied in turn. Throws EditError when a place is missing or not the only one. */
export function applyEdits(file: string, text: string, edits: readonly Edit[]): string {
  return edits.reduce((edited, edit) => applyEdit(file, edited, edit), text);
}

function applyEdit(file: string, text: string, edit: Edit): string {
  const at = text.indexOf(edit.find);
  if (at < 0) throw new EditError(`fengari/src/${file}: not found: ${firstLine(edit.find)} (${edit.why})`);
  if (text.indexOf(edit.find, at + 1) >= 0) {
    throw new EditError(`fengari/src/${file}: found more than once: ${firstLine(edit.find)} (${edit.why})`);
  }
  return text.slice(0, at) + edit.replace + text.slice(at + edit.find.length);
}

function firstLine(text: string): string {
  const [line, ...rest] = text.trim().split("\n");
  return rest.length === 0 ? `"${line}"` : `"${line} …"`;
}
