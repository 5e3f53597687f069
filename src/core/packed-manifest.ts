/** Many files of a manifest in one piece of shared memory: found by path where they lie, copied into no thread. */

import type { SourceFile } from "./manifest.ts";
import { enter, findEntry, hashOf, slotsFor } from "./open-table.ts";

/**
 * Layout, in unsigned 32-bit numbers: how many files, how many slots, where the texts begin (bytes); the slots, an open
 * hash table of entry numbers from 1; the entries; then their texts in UTF-8, each path, real file (nothing where it is
 * the path) and hash in a row.
 */
const headerLength = 3;
const entryLength = 8;
const atHash = 0;
const atText = 1;
const atPathBytes = 2;
const atFileBytes = 3;
const atHashBytes = 4;
const atArena = 5;
const atOffset = 6;
const atLength = 7;

/** Files whose texts are written at once: each by itself takes several times as long. */
const filesPerWrite = 500;

/** Contents lie below 4 GiB in their arenas: the source keeps arenas far smaller. */
export function packFiles(files: readonly SourceFile[]): SharedArrayBuffer {
  const slots = slotsFor(files.length);
  const textsAt = (headerLength + slots + files.length * entryLength) * 4;
  const runs: TextRun[] = [];
  let textBytes = 0;
  for (let from = 0; from < files.length; from += filesPerWrite) {
    const run = textRun(files.slice(from, from + filesPerWrite));
    runs.push(run);
    textBytes += run.bytes;
  }
  const memory = new SharedArrayBuffer(textsAt + textBytes);
  const numbers = new Uint32Array(memory, 0, textsAt / 4);
  const table = numbers.subarray(headerLength, headerLength + slots);
  const buffer = Buffer.from(memory);
  numbers.set([files.length, slots, textsAt]);
  let entry = 0;
  let textAt = textsAt;
  for (const run of runs) {
    let writtenTo = textAt;
    for (const text of run.texts) writtenTo += buffer.write(text, writtenTo);
    for (const { path, file, hash, content } of run.files) {
      const hashed = hashOf(path);
      const at = headerLength + slots + entry * entryLength;
      const pathBytes = run.bytesOf(path);
      const fileBytes = file === path ? 0 : run.bytesOf(file);
      const hashBytes = run.bytesOf(hash);
      numbers[at + atHash] = hashed;
      numbers[at + atText] = textAt;
      numbers[at + atPathBytes] = pathBytes;
      numbers[at + atFileBytes] = fileBytes;
      numbers[at + atHashBytes] = hashBytes;
      numbers[at + atArena] = content.arena;
      numbers[at + atOffset] = content.offset;
      numbers[at + atLength] = content.length;
      textAt += pathBytes + fileBytes + hashBytes;
      entry += 1;
      enter(table, hashed, entry);
    }
  }
  return memory;
}

/** The texts of some files, in a row. */
interface TextRun {
  readonly files: readonly SourceFile[];
  /** One that is all of them, where each character is a byte. */
  readonly texts: readonly string[];
  readonly bytes: number;
  readonly bytesOf: (text: string) => number;
}

function textRun(files: readonly SourceFile[]): TextRun {
  const texts: string[] = [];
  let bytes = 0;
  for (const { path, file, hash } of files) texts.push(path, file === path ? "" : file, hash);
  const joined = texts.join("");
  if (Buffer.byteLength(joined) === joined.length)
    return { files, texts: [joined], bytes: joined.length, bytesOf: (text) => text.length };
  for (const text of texts) bytes += Buffer.byteLength(text);
  return { files, texts, bytes, bytesOf: (text) => Buffer.byteLength(text) };
}

/** Reads what `packFiles` wrote, in whichever thread. */
export class PackedFiles {
  readonly #numbers: Uint32Array;
  readonly #texts: Buffer;
  readonly #slots: Uint32Array;
  readonly #entriesAt: number;
  readonly size: number;
  readonly memory: SharedArrayBuffer;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    const [size = 0, slots = 0, textsAt = 0] = new Uint32Array(memory, 0, headerLength);
    this.size = size;
    this.#slots = new Uint32Array(memory, headerLength * 4, slots);
    this.#entriesAt = headerLength + slots;
    this.#numbers = new Uint32Array(memory, 0, textsAt / 4);
    this.#texts = Buffer.from(memory);
  }

  find(path: string): SourceFile | undefined {
    const hashed = hashOf(path);
    const placeOf = (entry: number) => this.#entriesAt + (entry - 1) * entryLength;
    const found = findEntry(this.#slots, hashed, (entry) => {
      const at = placeOf(entry);
      return this.#numbers[at + atHash] === hashed && this.#pathAt(at) === path;
    });
    return found === 0 ? undefined : this.#fileAt(placeOf(found), path);
  }

  *files(): Iterable<SourceFile> {
    for (let index = 0; index < this.size; index++) {
      const at = this.#entriesAt + index * entryLength;
      yield this.#fileAt(at, this.#pathAt(at));
    }
  }

  /** How many files each arena has contents of. */
  usesOfArenas(): Map<number, number> {
    const uses = new Map<number, number>();
    for (let index = 0; index < this.size; index++) {
      const arena = this.#number(this.#entriesAt + index * entryLength + atArena);
      uses.set(arena, (uses.get(arena) ?? 0) + 1);
    }
    return uses;
  }

  #pathAt(at: number): string {
    const from = this.#number(at + atText);
    return this.#texts.toString("utf8", from, from + this.#number(at + atPathBytes));
  }

  #fileAt(at: number, path: string): SourceFile {
    const fileFrom = this.#number(at + atText) + this.#number(at + atPathBytes);
    const hashFrom = fileFrom + this.#number(at + atFileBytes);
    return {
      path,
      file: hashFrom === fileFrom ? path : this.#texts.toString("utf8", fileFrom, hashFrom),
      hash: this.#texts.toString("latin1", hashFrom, hashFrom + this.#number(at + atHashBytes)),
      content: {
        arena: this.#number(at + atArena),
        offset: this.#number(at + atOffset),
        length: this.#number(at + atLength),
      },
    };
  }

  #number(at: number): number {
    return this.#numbers[at] ?? 0;
  }
}
