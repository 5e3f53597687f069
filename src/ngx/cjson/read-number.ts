/** Numbers within JSON bytes. */

import type { LuaString } from "#fengari";
import { toText } from "../../lua/stack.ts";

/** A place in JSON bytes. */
export interface Cursor {
  readonly bytes: LuaString;
  /** Next byte to look at. */
  at: number;
  /** The text of `bytes`, made when it is needed. */
  text: string | undefined;
}

/** What json text may hold as a number when invalid numbers are allowed: all that C's strtod reads. */
const strtodForm =
  /[+-]?(?:0x[\da-f]+(?:\.[\da-f]*)?(?:p[+-]?\d+)?|\d+\.?\d*(?:e[+-]?\d+)?|inf(?:inity)?|nan)/iy;

/** Whether `inf` or `nan`, in any case, stands here, perhaps behind a minus. */
export function startsLenientNumber(cursor: Cursor): boolean {
  const start = cursor.at + (cursor.bytes[cursor.at] === 0x2d ? 1 : 0);
  return /^(?:inf|nan)/i.test(toText(cursor.bytes.subarray(start, start + 3)));
}

/**
 * Reads the number that stands at the cursor, and moves it behind. `lenient`: all that C's strtod reads, else
 * without `inf`, `nan`, hexadecimal digits, leading zeros and plus signs. Undefined, and nothing moved, for none.
 */
export function takeNumber(cursor: Cursor, lenient: boolean): number | undefined {
  const { bytes } = cursor;
  const start = cursor.at;
  // Most numbers are short integers: no text, no regular expression.
  let at = start;
  const negative = bytes[at] === 0x2d;
  if (negative) at += 1;
  const first = at;
  let value = 0;
  let byte = bytes[at] ?? 0;
  while (byte >= 0x30 && byte <= 0x39 && at - first < 15) {
    value = value * 10 + (byte - 0x30);
    byte = bytes[++at] ?? 0;
  }
  const leadingZero = bytes[first] === 0x30 && at - first > 1;
  const ends =
    byte !== 0x2e && (byte | 0x20) !== 0x65 && (byte | 0x20) !== 0x78 && !(byte >= 0x30 && byte <= 0x39);
  if (at > first && ends && !leadingZero) {
    cursor.at = at;
    return negative ? -value : value;
  }
  if (!lenient) {
    const hexadecimal = bytes[first] === 0x30 && ((bytes[first + 1] ?? 0) | 0x20) === 0x78;
    if (leadingZero || hexadecimal || bytes[start] === 0x2b || startsLenientNumber(cursor)) return undefined;
  }
  cursor.text ??= toText(bytes);
  strtodForm.lastIndex = start;
  const form = strtodForm.exec(cursor.text)?.[0];
  if (form === undefined) return undefined;
  cursor.at = start + form.length;
  return parseForm(form.toLowerCase());
}

function parseForm(form: string): number {
  const sign = form.startsWith("-") ? -1 : 1;
  const size = form.replace(/^[+-]/, "");
  if (size.startsWith("inf")) return sign * Number.POSITIVE_INFINITY;
  if (size.startsWith("nan")) return Number.NaN;
  if (!size.startsWith("0x")) return sign * Number(size);
  const [digits = "", power = "0"] = size.slice(2).split("p");
  const [whole = "", part = ""] = digits.split(".");
  return sign * Number.parseInt(whole + part, 16) * 2 ** (Number(power) - 4 * part.length);
}
