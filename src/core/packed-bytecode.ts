/** Compiled functions in shared memory: written once by the canary, read by every VM, copied to none of them. */

import { enter, findEntry, hashOf, slotsFor } from "./open-table.ts";

/**
 * Layout of a piece, in unsigned 32-bit numbers: how many functions, how many slots, where the bytes begin; the slots
 * of an open hash table; the entries; then the bytes, each function's key in UTF-8 and behind it the function.
 */
const headerLength = 3;
const entryLength = 4;
const atHash = 0;
const atFrom = 1;
const atKeyBytes = 2;
const atCodeBytes = 3;

/** A piece is closed when it has so many bytes: one memory for thousands of functions would be copied as it grows. */
const pieceBytes = 1024 ** 2;

/** Collects functions and packs them. */
export class BytecodePacker {
  readonly #pieces: SharedArrayBuffer[] = [];
  #bytes = Buffer.allocUnsafe(8 * 1024);
  #length = 0;
  #entries: number[] = [];

  /** @param code is copied */
  add(key: string, code: Uint8Array): void {
    const from = this.#length;
    const keyBytes = Buffer.byteLength(key);
    this.#makeRoom(keyBytes + code.length);
    this.#bytes.write(key, from);
    this.#bytes.set(code, from + keyBytes);
    this.#length += keyBytes + code.length;
    this.#entries.push(hashOf(key), from, keyBytes, code.length);
    if (this.#length >= pieceBytes) this.#closePiece();
  }

  /** What `PackedBytecode` reads. */
  pack(): readonly SharedArrayBuffer[] {
    if (this.#length > 0) this.#closePiece();
    return this.#pieces;
  }

  #closePiece(): void {
    const functions = this.#entries.length / entryLength;
    const slots = slotsFor(functions);
    const entriesAt = headerLength + slots;
    const bytesAt = (entriesAt + this.#entries.length) * 4;
    const memory = new SharedArrayBuffer(bytesAt + this.#length);
    const numbers = new Uint32Array(memory, 0, bytesAt / 4);
    numbers.set([functions, slots, bytesAt]);
    numbers.set(this.#entries, entriesAt);
    const table = numbers.subarray(headerLength, entriesAt);
    for (let index = 0; index < functions; index++)
      enter(table, this.#entries[index * entryLength + atHash] ?? 0, index + 1);
    new Uint8Array(memory, bytesAt).set(this.#bytes.subarray(0, this.#length));
    this.#pieces.push(memory);
    this.#length = 0;
    this.#entries = [];
  }

  #makeRoom(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 4, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Reads what a packer packed, in whichever thread. */
export class PackedBytecode {
  readonly #pieces: readonly Piece[];

  constructor(pieces: readonly SharedArrayBuffer[]) {
    this.#pieces = pieces.map((memory) => new Piece(memory));
  }

  /** The function under this key, where it lies: to be read only. */
  find(key: string): Uint8Array | undefined {
    const hashed = hashOf(key);
    for (const piece of this.#pieces) {
      const found = piece.find(key, hashed);
      if (found) return found;
    }
    return undefined;
  }
}

class Piece {
  readonly #slots: Uint32Array;
  readonly #entries: Uint32Array;
  readonly #bytes: Buffer;

  constructor(memory: SharedArrayBuffer) {
    const [functions = 0, slots = 0, bytesAt = 0] = new Uint32Array(memory, 0, headerLength);
    this.#slots = new Uint32Array(memory, headerLength * 4, slots);
    this.#entries = new Uint32Array(memory, (headerLength + slots) * 4, functions * entryLength);
    this.#bytes = Buffer.from(memory, bytesAt);
  }

  find(key: string, hashed: number): Uint8Array | undefined {
    const found = findEntry(
      this.#slots,
      hashed,
      (entry) => this.#number(entry, atHash) === hashed && this.#keyOf(entry) === key,
    );
    if (found === 0) return undefined;
    const from = this.#number(found, atFrom) + this.#number(found, atKeyBytes);
    const { buffer, byteOffset } = this.#bytes;
    return new Uint8Array(buffer, byteOffset + from, this.#number(found, atCodeBytes));
  }

  #keyOf(entry: number): string {
    const from = this.#number(entry, atFrom);
    return this.#bytes.toString("utf8", from, from + this.#number(entry, atKeyBytes));
  }

  #number(entry: number, field: number): number {
    return this.#entries[(entry - 1) * entryLength + field] ?? 0;
  }
}
