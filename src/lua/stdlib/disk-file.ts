/** A file that Lua code opened: synchronous, reads buffered, writes not. */

import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { fileError } from "./file-result.ts";
import type { LuaStream, Whence } from "./stream.ts";

const chunkBytes = 65_536;
/** More than this in one read is an error, as `/dev/zero` has no end. */
const largestReadBytes = 128 * 1024 * 1024;

const { O_APPEND, O_CREAT, O_NONBLOCK, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;

/** C's fopen modes, `b` left out. Reading does not wait for a FIFO's writer: it would stop the VM. */
const flags: Readonly<Record<string, number>> = {
  r: O_RDONLY | O_NONBLOCK,
  "r+": O_RDWR,
  w: O_WRONLY | O_CREAT | O_TRUNC,
  "w+": O_RDWR | O_CREAT | O_TRUNC,
  a: O_WRONLY | O_CREAT | O_APPEND,
  "a+": O_RDWR | O_CREAT | O_APPEND,
};

/** Lua has no finalizers here: a file that was dropped unclosed is closed with its stream object. */
const unclosed = new FinalizationRegistry<number>((fd) => closeSync(fd));

/** Opens `path` (bytes) in a mode of C's fopen. Throws errors of node:fs. */
export function openDiskFile(path: Uint8Array, mode: string): DiskFile {
  const flag = /^[rwa](\+b?|b\+?)?$/.test(mode) ? flags[mode.replace("b", "")] : undefined;
  if (flag === undefined) throw new RangeError(`invalid mode ${mode}`);
  return new DiskFile(openSync(Buffer.from(path), flag, 0o666), (flag & O_APPEND) !== 0);
}

export class DiskFile implements LuaStream {
  readonly standard = false;
  readonly #fd: number;
  readonly #append: boolean;
  /** Regular files are read and written at `#offset`, others where the system stands. */
  readonly #regular: boolean;
  /** Offset of the end of what is buffered. */
  #offset = 0;
  #buffered: Uint8Array = new Uint8Array(0);
  #closed = false;

  constructor(fd: number, append: boolean) {
    this.#fd = fd;
    this.#append = append;
    this.#regular = fstatSync(fd).isFile();
    unclosed.register(this, fd, this);
  }

  peek(): number {
    if (this.#buffered.length === 0) this.#fill();
    return this.#buffered[0] ?? -1;
  }

  take(count: number): Uint8Array {
    return this.#takeUntil((bytes, taken) => Math.min(bytes.length, count - taken), count);
  }

  takeLine(): Uint8Array {
    return this.#takeUntil((bytes) => bytes.indexOf(10) + 1 || bytes.length, Number.POSITIVE_INFINITY, 10);
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#unread();
    for (let done = 0; done < bytes.length; ) {
      const position = this.#regular && !this.#append ? this.#offset : null;
      const written = writeSync(this.#fd, bytes, done, bytes.length - done, position);
      done += written;
      this.#offset += written;
    }
    if (this.#append) this.#offset = fstatSync(this.#fd).size;
  }

  seek(whence: Whence, offset: number): number {
    if (!this.#regular) throw fileError("ESPIPE");
    this.#unread();
    const base = { set: 0, cur: this.#offset, end: whence === "end" ? fstatSync(this.#fd).size : 0 }[whence];
    if (base + offset < 0) throw new RangeError("negative offset");
    this.#offset = base + offset;
    return this.#offset;
  }

  flush(): void {}

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    unclosed.unregister(this);
    closeSync(this.#fd);
  }

  /** Takes what `part` says of each buffered piece, until `limit` bytes, the byte `last`, or the end. */
  #takeUntil(part: (bytes: Uint8Array, taken: number) => number, limit: number, last = -1): Uint8Array {
    const pieces: Uint8Array[] = [];
    let taken = 0;
    while (taken < limit && this.peek() !== -1) {
      const piece = this.#buffered.subarray(0, part(this.#buffered, taken));
      this.#buffered = this.#buffered.subarray(piece.length);
      pieces.push(piece);
      taken += piece.length;
      if (taken > largestReadBytes) throw fileError("ENOMEM");
      if (piece[piece.length - 1] === last) break;
    }
    // A copy: a Lua string must not keep the whole chunk alive.
    return pieces.length === 1 && pieces[0] ? pieces[0].slice() : new Uint8Array(Buffer.concat(pieces));
  }

  #fill(): void {
    const chunk = new Uint8Array(chunkBytes);
    const read = readSync(this.#fd, chunk, 0, chunkBytes, this.#regular ? this.#offset : null);
    this.#offset += read;
    this.#buffered = chunk.subarray(0, read);
  }

  /** Forgets what was read ahead, so that the next access happens where Lua code is. */
  #unread(): void {
    if (this.#regular) this.#offset -= this.#buffered.length;
    this.#buffered = this.#buffered.subarray(0, 0);
  }
}
