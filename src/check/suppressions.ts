/** What comments in a source ask `relua check` not to tell. */

import type { Places } from "./places.ts";

/** True for a finding of `rule` in `line` that a comment asks to leave out. */
export type Suppressed = (rule: string, line: number) => boolean;

const never: Suppressed = () => false;

/** `-- relua: ignore RULE, RULE` and `-- relua: ignore-file RULE`; what follows the names is for readers. */
const comments = /--[[=\s]*relua:[ \t]*(ignore|ignore-file)[ \t]+([a-z-]+(?:[ \t]*,[ \t]*[a-z-]+)*)/g;

/** A comment counts for its own line; one that has the line to itself, for the next line as well. */
export function suppressionsOf(text: string, places: Places): Suppressed {
  if (!text.includes("relua:")) return never;
  const everywhere = new Set<string>();
  const lines = new Map<number, Set<string>>();
  const ignore = (line: number, names: readonly string[]) =>
    lines.set(line, new Set([...(lines.get(line) ?? []), ...names]));
  for (const { index, 1: scope, 2: list = "" } of text.matchAll(comments)) {
    const names = list.split(",").map((name) => name.trim());
    const { line, column } = places.at(index);
    if (scope === "ignore-file") for (const name of names) everywhere.add(name);
    else {
      ignore(line, names);
      if (
        places
          .line(line)
          .slice(0, column - 1)
          .trim() === ""
      )
        ignore(line + 1, names);
    }
  }
  return (rule, line) => everywhere.has(rule) || lines.get(line)?.has(rule) === true;
}
