/** Contents of one step in shared memory: files are read straight into it, one after another. */

import type { ContentRef } from "../core/manifest.ts";

const smallestBytes = 64 * 1024;
const largestBytes = 16 * 1024 * 1024;

interface OpenArena {
  readonly number: number;
  readonly memory: SharedArrayBuffer;
  used: number;
  kept: number;
}

/** Gives out numbers for arenas that are unique for the life of a source. */
export class ArenaNumbers {
  #next: number;

  constructor(next: number) {
    this.#next = next;
  }

  take(): number {
    return this.#next++;
  }
}

/**
 * Fills arenas. `reserve`, write, then `keep`; what is not kept is overwritten by the next `reserve`.
 * Arenas grow from 64 KiB to 16 MiB, so that a save costs little and a scan of a large tree needs few of them,
 * which can still be dropped one by one.
 */
export class ArenaWriter {
  readonly #numbers: ArenaNumbers;
  readonly #full = new Map<number, SharedArrayBuffer>();
  #open: OpenArena | undefined;
  #nextBytes = smallestBytes;

  constructor(numbers: ArenaNumbers) {
    this.#numbers = numbers;
  }

  /** Room for `bytes` bytes. */
  reserve(bytes: number): Uint8Array {
    if (this.#open === undefined || this.#open.memory.byteLength - this.#open.used < bytes)
      this.#turnOver(bytes);
    const open = this.#open as OpenArena;
    return new Uint8Array(open.memory, open.used, bytes);
  }

  /** Keeps the first `length` bytes of what was reserved last. */
  keep(length: number): ContentRef {
    const open = this.#open as OpenArena;
    const ref = { arena: open.number, offset: open.used, length };
    open.used += length;
    open.kept += 1;
    return ref;
  }

  /** All arenas with kept contents, by number. The writer starts anew afterwards. */
  finish(): ReadonlyMap<number, SharedArrayBuffer> {
    this.#close();
    this.#nextBytes = smallestBytes;
    const finished = new Map(this.#full);
    this.#full.clear();
    return finished;
  }

  #turnOver(bytes: number): void {
    this.#close();
    const size = Math.max(this.#nextBytes, bytes);
    this.#nextBytes = Math.min(this.#nextBytes * 2, largestBytes);
    this.#open = { number: this.#numbers.take(), memory: new SharedArrayBuffer(size), used: 0, kept: 0 };
  }

  #close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined || open.kept === 0) return;
    const wasted = open.memory.byteLength - open.used;
    this.#full.set(
      open.number,
      wasted * 8 > open.memory.byteLength ? open.memory.slice(0, open.used) : open.memory,
    );
  }
}
