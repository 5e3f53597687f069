/** What `relua check` found: a rule, a place, and a sentence. */

import type { RuleId, Severity } from "../core/check-rules.ts";
import type { Place } from "../core/source-facts.ts";

/** A place in a file. */
export interface Location extends Place {
  /** Absolute. */
  readonly path: string;
}

export interface Finding extends Location {
  readonly rule: RuleId;
  readonly severity: Severity;
  readonly message: string;
  /** Further places that belong to it, e.g. the other requires of a cycle. */
  readonly related: readonly (Location & { readonly message: string })[];
  /** The line of the place, one character per byte. */
  readonly source: string;
}

/** By file, then in the order of the text. */
export function inOrder(a: Finding, b: Finding): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return a.line - b.line || a.column - b.column || (a.rule < b.rule ? -1 : 1);
}
