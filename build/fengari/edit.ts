/** A checked edit to one of Fengari's files, and how a file's edits are applied. */

/** Replaces a text that must stand in the file exactly once. */
export interface Edit {
  /** File name below Fengari's `src`. */
  readonly file: string;
  /** What the edit is for; every edit has its reason. */
  readonly why: string;
  /** Exact text, found once and once only, unless `times` says otherwise. */
  readonly find: string;
  /** The edit reaches from `find` to the end of this text; it, too, stands in the file exactly once. */
  readonly through?: string;
  /** How often `find` stands in the file, exactly; each is replaced. Not together with `through`. */
  readonly times?: number;
  /** What stands there afterwards. */
  readonly replace: string;
}

/** The installed Fengari is not the one that the edits were written for. */
export class EditError extends Error {
  override readonly name = "EditError";
}

/** `text` with all `edits` applied in turn. Throws one EditError that names every place that is not as expected. */
export function applyEdits(file: string, text: string, edits: readonly Edit[]): string {
  const problems: string[] = [];
  let edited = text;
  for (const edit of edits) {
    const problem = problemOf(edited, edit);
    if (problem === undefined) edited = applyEdit(edited, edit);
    else problems.push(`fengari/src/${file}: ${problem} (${edit.why})`);
  }
  if (problems.length > 0) throw new EditError(problems.join("\n"));
  return edited;
}

function problemOf(text: string, { find, through, times = 1 }: Edit): string | undefined {
  const found = occurrences(text, find);
  if (found !== times) return `found ${found} times instead of ${times}: ${quote(find)}`;
  if (through === undefined) return undefined;
  const ends = occurrences(text, through);
  if (ends !== 1) return `found ${ends} times instead of 1: ${quote(through)}`;
  if (text.indexOf(through) >= text.indexOf(find) + find.length) return undefined;
  return `${quote(through)} is not after ${quote(find)}`;
}

function applyEdit(text: string, { find, through, replace }: Edit): string {
  if (through === undefined) return text.split(find).join(replace);
  return text.slice(0, text.indexOf(find)) + replace + text.slice(text.indexOf(through) + through.length);
}

function occurrences(text: string, find: string): number {
  return text.split(find).length - 1;
}

function quote(text: string): string {
  const [line, ...rest] = text.trim().split("\n");
  return rest.length === 0 ? `"${line}"` : `"${line} …"`;
}
