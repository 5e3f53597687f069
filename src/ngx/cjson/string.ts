/** Strings within JSON bytes. */

import type { LuaString } from "#fengari";

export type StringRead =
  /** `end` is behind the closing quote. */
  { readonly bytes: LuaString; readonly end: number } | { readonly error: string; readonly at: number };

const backslash = 0x5c;
const quote = 0x22;

/** What the byte behind a backslash stands for; 0 for none. */
const escaped = new Uint8Array(256);
for (const [byte, value] of ['""', "\\\\", "//", "b\b", "t\t", "n\n", "f\f", "r\r"].map((pair) => [
  pair.charCodeAt(0),
  pair.charCodeAt(1),
])) {
  escaped[byte as number] = value as number;
}

/** The four hexadecimal digits at `at` as a number; -1 when they are none. */
function hexadecimal(bytes: LuaString, at: number): number {
  let value = 0;
  for (let index = at; index < at + 4; index++) {
    const digit = Number.parseInt(String.fromCharCode(bytes[index] ?? 0), 16);
    if (Number.isNaN(digit)) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** The code point of the `\uXXXX` at `at`, with its second half where it is a surrogate pair. */
function readCodePoint(
  bytes: LuaString,
  at: number,
): { readonly point: number; readonly end: number } | undefined {
  const high = hexadecimal(bytes, at + 2);
  if (high < 0 || (high & 0xfc00) === 0xdc00) return undefined;
  if ((high & 0xfc00) !== 0xd800) return { point: high, end: at + 6 };
  if (bytes[at + 6] !== backslash || bytes[at + 7] !== 0x75) return undefined;
  const low = hexadecimal(bytes, at + 8);
  if (low < 0 || (low & 0xfc00) !== 0xdc00) return undefined;
  return { point: 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff), end: at + 12 };
}

/** Writes a code point as UTF-8 and returns where it ends. */
function writeUtf8(target: Uint8Array, start: number, point: number): number {
  let at = start;
  if (point < 0x80) target[at++] = point;
  else {
    if (point < 0x800) target[at++] = 0xc0 | (point >> 6);
    else {
      if (point < 0x10000) target[at++] = 0xe0 | (point >> 12);
      else {
        target[at++] = 0xf0 | (point >> 18);
        target[at++] = 0x80 | ((point >> 12) & 0x3f);
      }
      target[at++] = 0x80 | ((point >> 6) & 0x3f);
    }
    target[at++] = 0x80 | (point & 0x3f);
  }
  return at;
}

/** Reads the string whose first byte, behind its quote, is at `start`; bytes that are not UTF-8 pass unchanged. */
export function readString(bytes: LuaString, start: number): StringRead {
  let at = start;
  let byte = bytes[at] ?? 0;
  while (byte !== quote && byte !== backslash && byte !== 0) byte = bytes[++at] ?? 0;
  // A slice, not a view: the string must not keep the whole text alive.
  if (byte === quote) return { bytes: bytes.slice(start, at), end: at + 1 };
  return readEscapedString(bytes, start, at);
}

/** The rest of `readString` for a string that has an escape, or no end, at `at`. */
function readEscapedString(bytes: LuaString, start: number, first: number): StringRead {
  const closing = bytes.indexOf(quote, first);
  // An escape is never shorter than what it stands for; escaped quotes move the end further on.
  let target = new Uint8Array((closing < 0 ? bytes.length : closing) - start + 16);
  target.set(bytes.subarray(start, first));
  let length = first - start;
  let at = first;
  for (;;) {
    const byte = bytes[at] ?? 0;
    if (byte === quote) return { bytes: target.slice(0, length), end: at + 1 };
    if (byte === 0) return { error: "unexpected end of string", at };
    if (length + 4 > target.length) {
      const grown = new Uint8Array(target.length * 2);
      grown.set(target);
      target = grown;
    }
    if (byte !== backslash) {
      target[length++] = byte;
      at += 1;
    } else if (bytes[at + 1] === 0x75) {
      const read = readCodePoint(bytes, at);
      if (read === undefined) return { error: "invalid unicode escape code", at };
      length = writeUtf8(target, length, read.point);
      at = read.end;
    } else {
      const value = escaped[bytes[at + 1] ?? 0] as number;
      if (value === 0) return { error: "invalid escape code", at };
      target[length++] = value;
      at += 2;
    }
  }
}
