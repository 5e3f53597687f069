/** Compares the folders where walking starts with what they were: no event tells of a link swapped further up. */

import type { DiskIndex } from "./disk-index.ts";
import { folderNow } from "./pass.ts";
import type { Territory } from "./territory.ts";
import { turningPoints } from "./turning-points.ts";

/** A few system calls for each root. */
const everyMs = 250;
/** An event at a turning point is followed at once, and not for each of several. */
const soonMs = 1;

/** Looks every 250 ms, and when asked to. */
export class TopsWatch {
  readonly #territory: Territory;
  readonly #index: DiskIndex;
  readonly #differs: (folder: string) => void;
  readonly #turned: (points: ReadonlySet<string>) => void;
  readonly #last = new Map<string, string>();
  #points: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;

  /** `differs` is told of a top that is not what it was; `turned` of the folders to watch for the next time. */
  constructor(
    territory: Territory,
    index: DiskIndex,
    differs: (folder: string) => void,
    turned: (points: ReadonlySet<string>) => void,
  ) {
    this.#territory = territory;
    this.#index = index;
    this.#differs = differs;
    this.#turned = turned;
  }

  /** Looks now, and from now on. */
  check(): void {
    const points = new Set<string>();
    for (const { folder } of this.#territory.tops()) {
      const now = folderNow(folder);
      const key = now === undefined ? "missing" : `${now.identity} ${now.real}`;
      const node = this.#index.folder(folder);
      const known = node === undefined ? "missing" : `${node.identity} ${node.real}`;
      // Told once: a pass that has not judged it yet will come back to it by itself.
      if (key !== known && key !== this.#last.get(folder)) this.#differs(folder);
      this.#last.set(folder, key);
      for (const point of turningPoints(folder)) points.add(point);
    }
    if (points.size !== this.#points.size || [...points].some((point) => !this.#points.has(point))) {
      this.#points = points;
      this.#turned(points);
    }
    this.#checkIn(everyMs);
  }

  checkSoon(): void {
    this.#checkIn(soonMs);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #checkIn(delayMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.check(), delayMs);
  }
}
