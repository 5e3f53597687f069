/** Objects whose keys are all known: an unknown one is an error that offers the nearest known one. */

import { z } from "zod";

/**
 * A strict object whose errors say what it takes. The message of an `unrecognized_keys` issue has one line for each
 * of its `keys`.
 */
export function closedObject<const T extends z.ZodRawShape>(shape: T) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => unknownKeyHint(key, known)).join("\n")
        : `it takes an object of ${known.join(", ")}`,
  });
}

/** What to write instead of an unknown key. */
export function unknownKeyHint(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return near === undefined ? `it takes ${known.join(", ")}` : `did you mean ${near}?`;
}

/** The known key that `key` is probably a slip of: at most a third of its letters differ. */
function nearest(key: string, known: readonly string[]): string | undefined {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[_-]/g, "");
  const [best] = known
    .map((name) => ({ name, slips: distance(plain(key), plain(name)) }))
    .sort((a, b) => a.slips - b.slips);
  return best !== undefined && best.slips <= Math.max(1, key.length / 3) ? best.name : undefined;
}

/** Levenshtein's distance. Bounded work: keys come from outside. */
function distance(a: string, b: string): number {
  if (a.length > 100) return a.length;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (letter === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
