/** Why no name leads to a path. */

import type { Files } from "./change-set.ts";
import type { Reason } from "./reason.ts";
import { knownFiles, type Resolution, resolvePath } from "./resolution.ts";
import { type FileName, fixedFiles, type SearchPath } from "./search-path.ts";
import type { SkippedPath } from "./status.ts";

/** What decides which paths are modules. */
export interface Bounds {
  readonly searchPath: SearchPath;
  /** The rule by which a path is no module; undefined when none says so. */
  readonly ignoredBy: (path: string) => string | undefined;
  /** Paths that could be modules and were not read. */
  readonly skipped: readonly SkippedPath[];
}

const nothing = knownFiles(new Map());

/** Why nothing is known of what may lie at `path`. */
export function awayReason({ searchPath, ignoredBy, skipped }: Bounds, path: string): Reason {
  const rule = ignoredBy(path);
  if (rule !== undefined) return { code: "ignored", text: `ignored: ${rule}` };
  const skip = skipped.find((each) => each.path === path);
  if (skip !== undefined) return { code: "ignored", text: `skipped: ${skip.reason}` };
  const { names } = resolvePath(searchPath, nothing, path);
  if (names.length === 0 && !fixedFiles(searchPath).includes(path))
    return { code: "outside", text: "outside the search path: no template leads there" };
  return { code: "absent", text: `nothing is at ${path}` };
}

/** Why a file that is known has no name of its own; undefined when it has one. */
export function namelessReason(names: readonly FileName[]): Reason | undefined {
  if (names.some(({ shadowedBy }) => shadowedBy === undefined)) return undefined;
  const [first] = names;
  if (first === undefined) return { code: "outside", text: "no name leads to it: it is run by its path" };
  return { code: "shadowed", text: `shadowed by ${first.shadowedBy}, which answers to ${first.name} before` };
}

/** Why a resolution leads nowhere; undefined when it leads somewhere. */
export function resolutionReason(bounds: Bounds, files: Files, found: Resolution): Reason | undefined {
  if (found.path === undefined)
    return { code: "not-found", text: "nothing on the search path answers to it" };
  return files.has(found.path) ? namelessReason(found.names) : awayReason(bounds, found.path);
}
