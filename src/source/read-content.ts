/** Reads one file into an arena and hashes it, noticing when somebody writes to it meanwhile. */

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import xxhash from "xxhash-wasm";
import type { ContentRef } from "../core/manifest.ts";
import type { ArenaWriter } from "./arena.ts";
import type { ContentTable } from "./contents.ts";
import { errorCode, type FileIdentity, fileIdentity, oddKind, sameFile } from "./stat-identity.ts";

const { h64Raw } = await xxhash();

/** XXH64 of some bytes, 16 hexadecimal digits. */
function hashOf(bytes: Uint8Array): string {
  return h64Raw(bytes).toString(16).padStart(16, "0");
}

export type ReadResult =
  | {
      readonly kind: "read";
      /** False: the file changed while it was read. */
      readonly stable: boolean;
      readonly identity: FileIdentity;
      readonly hash: string;
      readonly content: ContentRef;
    }
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "error"; readonly code: string };

/** Reads `file` once; equal contents that are alive in `contents` are referred to instead of kept again. */
export function readContent(
  file: string,
  maxBytes: number,
  arena: ArenaWriter,
  contents: ContentTable,
): ReadResult {
  let fd: number;
  try {
    // O_NONBLOCK: should a FIFO have taken the file's place since it was looked at, opening it returns.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return { kind: "error", code: errorCode(error) };
  }
  try {
    const before = fstatSync(fd);
    if (!before.isFile()) return { kind: "skipped", reason: oddKind(before) };
    if (before.size > maxBytes)
      return { kind: "skipped", reason: `larger than maxFileBytes (${before.size} bytes)` };
    // One byte more than there should be shows that the file has grown.
    const room = arena.reserve(before.size + 1);
    const length = Math.min(readFully(fd, room), before.size);
    const identity = fileIdentity(before);
    const stable = length === before.size && sameFile(identity, fstatSync(fd));
    const hash = hashOf(room.subarray(0, length));
    const content = contents.find(hash, length) ?? arena.keep(length);
    return { kind: "read", stable, identity, hash, content };
  } catch (error) {
    return { kind: "error", code: errorCode(error) };
  } finally {
    closeSync(fd);
  }
}

function readFully(fd: number, room: Uint8Array): number {
  let length = 0;
  while (length < room.length) {
    const got = readSync(fd, room, length, room.length - length, null);
    length += got;
    // A short read of an ordinary file is its end; asking once more would cost a system call per file.
    if (got === 0 || length === room.length - 1) break;
  }
  return length;
}
