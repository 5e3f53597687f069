/** Whether a rejection still says what is wrong with the disk, after something else was committed. */

import type { Outcome, PlannedChange } from "../core/outcome.ts";
import type { ManifestStore } from "./manifest-store.ts";

/**
 * A rejection stands until the disk changes where it failed. A commit of other files, or a rollback, repairs nothing:
 * what was rejected lies on the disk as it did.
 */
export function stillStands(
  rejected: Outcome,
  { active, disk }: Pick<ManifestStore, "active" | "disk">,
): boolean {
  const failed = new Set(rejected.errors.map((error) => error.path));
  const blamed = rejected.changes.filter(({ path }) => failed.has(path));
  const isThere = ({ path, hash }: PlannedChange) =>
    disk.get(path)?.hash === hash && active.get(path)?.hash !== hash;
  // An error is told of the file that requires, also where another one that was removed is to blame.
  return (blamed.length > 0 ? blamed : rejected.changes).some(isThere);
}
