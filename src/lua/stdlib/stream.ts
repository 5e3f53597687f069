/** What a Lua file handle stands on, and the two streams that are not files. */

import { fileError } from "./file-result.ts";

export type Whence = "set" | "cur" | "end";

/** Bytes in order. Everything throws errors of node:fs; what is returned is the caller's to keep. */
export interface LuaStream {
  /** The standard streams cannot be closed. */
  readonly standard: boolean;
  /** The next byte without taking it; -1 at the end. */
  peek(): number;
  /** Takes up to `count` bytes; empty at the end. */
  take(count: number): Uint8Array;
  /** Takes the bytes up to the next newline, and it with them; empty at the end. */
  takeLine(): Uint8Array;
  write(bytes: Uint8Array): void;
  /** Moves and returns the new offset from the start. */
  seek(whence: Whence, offset: number): number;
  flush(): void;
  close(): void;
}

const nothing = new Uint8Array(0);

/** `io.stdin`: a server has none, so it is always at its end. */
export const emptyInput: LuaStream = {
  standard: true,
  peek: () => -1,
  take: () => nothing,
  takeLine: () => nothing,
  write() {
    throw fileError("EBADF");
  },
  seek() {
    throw fileError("ESPIPE");
  },
  flush() {},
  close() {},
};

/** A line without its end is logged when it has grown to this size. */
const longestLineBytes = 65_536;

/**
 * `io.stdout` and `io.stderr`: whole lines go to `line`, what is left when Lua returns to the event loop, or
 * flushes, goes as a line of its own.
 */
export function createLineStream(line: (text: string) => void): LuaStream {
  let partial = "";
  let scheduled = false;
  const flush = (): void => {
    const text = partial;
    partial = "";
    if (text !== "") line(text);
  };
  return {
    standard: true,
    peek() {
      throw fileError("EBADF");
    },
    take() {
      throw fileError("EBADF");
    },
    takeLine() {
      throw fileError("EBADF");
    },
    write(bytes) {
      const lines = (partial + Buffer.from(bytes).toString("latin1")).split("\n");
      partial = lines.pop() ?? "";
      for (const text of lines) line(text);
      if (partial.length > longestLineBytes) flush();
      if (partial === "" || scheduled) return;
      scheduled = true;
      setImmediate(() => {
        scheduled = false;
        flush();
      }).unref();
    },
    seek() {
      throw fileError("ESPIPE");
    },
    flush,
    close() {},
  };
}
