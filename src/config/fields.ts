/** The kinds of field that the config file has; each says in its error what it takes. */

import { z } from "zod";
import { closedObject } from "../core/closed-object.ts";

/** "it takes …", the second half of a problem's line. */
export const takes = (what: string) => ({ error: `it takes ${what}` });

export const flag = () => z.boolean(takes("true or false"));

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number, what = `${least} to ${most}`) {
  const range = takes(what);
  return z.int(range).min(least, range).max(most, range);
}

export const text = (what: string) => z.string(takes(what));

export const choice = <const T extends readonly string[]>(values: T) =>
  z.enum(values, takes(orList(values.map((value) => JSON.stringify(value)))));

/** Names, globs, hosts, …: strings with something in them. */
export function texts(what: string) {
  const each = takes(`a list of ${what}`);
  return z.array(z.string(each).min(1, each), each);
}

/** A part of the file with keys of its own, all of which have defaults. */
export const section = <const T extends z.ZodRawShape>(shape: T) => closedObject(shape).prefault({} as never);

const unitBytes: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** A number of bytes, or a text in nginx's form, `"512"`, `"64k"`, `"10m"`, `"1g"`; becomes a number of bytes. */
export function size(least: string, most: string) {
  const range = takes(
    `a size from ${JSON.stringify(least)} to ${JSON.stringify(most)}, in bytes or as "10m"`,
  );
  return z.union([z.number(), z.string()], range).transform((value, context) => {
    const bytes = typeof value === "number" ? value : parseSize(value);
    if (
      bytes !== undefined &&
      Number.isInteger(bytes) &&
      bytes >= parseSize(least)! &&
      bytes <= parseSize(most)!
    ) {
      return bytes;
    }
    context.issues.push({ code: "custom", message: range.error, input: value });
    return z.NEVER;
  });
}

/** Bytes of a size as nginx writes it (k, m, g in either case); undefined for anything else. */
function parseSize(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,15})([kmg]?)$/i.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * (unitBytes[(unit ?? "").toLowerCase()] ?? 1);
}

function orList(values: readonly string[]): string {
  return values.length < 2 ? values.join("") : `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
}
