/** Open hash tables in shared memory: entry numbers from 1, found by a text's hash in whichever thread. */

/** How many slots a table of so many entries has: at most half of them full, so that a miss, the usual case, ends at once. */
export function slotsFor(entries: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, entries * 2)));
}

/** Puts an entry's number into the first free slot for its hash. */
export function enter(slots: Uint32Array, hashed: number, entry: number): void {
  let slot = hashed & (slots.length - 1);
  while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
  slots[slot] = entry;
}

/** The number of the first entry under this hash that `isIt`; 0 when there is none. */
export function findEntry(slots: Uint32Array, hashed: number, isIt: (entry: number) => boolean): number {
  for (let slot = hashed & (slots.length - 1); ; slot = (slot + 1) & (slots.length - 1)) {
    const entry = slots[slot] ?? 0;
    if (entry === 0 || isIt(entry)) return entry;
  }
}

/** FNV-1a over UTF-16 code units: short, and the same in every thread. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
