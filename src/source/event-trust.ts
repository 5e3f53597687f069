/** Judges by what passes find whether events tell of everything. Pure. */

import type { Differences } from "./changes.ts";

/** A hard link or a mapped file is missed now and then; so many steps in a row say that events do not come at all. */
const missedSteps = 3;
/** Events are relied on again after so many steps in a row of which they told. */
const toldSteps = 10;

/** Holds what is found beside what was told. */
export class EventTrust {
  /** Folders that an event told of since the last step, and whether events could tell of everything. */
  readonly #told = new Set<string>();
  #complete = true;
  #missedInRow = 0;
  #toldInRow = 0;
  #missed = 0;
  #lost = false;

  /** Files so far that differed and that no event had told of. */
  get missed(): number {
    return this.#missed;
  }

  /** True while events cannot be relied on. */
  get lost(): boolean {
    return this.#lost;
  }

  /** A pass looked at what events `told` of; not `complete`: they were not expected to tell of everything. */
  heard(told: Iterable<string>, complete: boolean): void {
    for (const folder of told) this.#told.add(folder);
    this.#complete &&= complete;
  }

  /** A step tells of `differences`. Returns how many of them were missed. */
  judge({ present, absent }: Differences): number {
    const paths = [...present.map(({ path }) => path), ...absent];
    const missed = this.#complete ? paths.filter((path) => !isBelow(path, this.#told)).length : 0;
    if (this.#complete && paths.length > 0) this.#count(missed > 0);
    this.#missed += missed;
    this.clear();
    return missed;
  }

  /** What was told is of no interest any more. */
  clear(): void {
    this.#told.clear();
    this.#complete = true;
  }

  #count(missed: boolean): void {
    this.#missedInRow = missed ? this.#missedInRow + 1 : 0;
    this.#toldInRow = missed ? 0 : this.#toldInRow + 1;
    if (this.#missedInRow >= missedSteps) this.#lost = true;
    else if (this.#toldInRow >= toldSteps) this.#lost = false;
  }
}

function isBelow(path: string, folders: ReadonlySet<string>): boolean {
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
    if (folders.has(path.slice(0, end))) return true;
  }
  return folders.has("/");
}
