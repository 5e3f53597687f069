/** Texts that an expression gives whatever happens: string literals, and literals joined by `..`. */

import type { Expression, StringLiteral } from "luaparse";

/** The text, one character per byte; undefined when it is made at run time. */
export function constantText(expression: Expression | undefined): string | undefined {
  if (expression === undefined) return undefined;
  if (expression.type === "StringLiteral") return literalText(expression);
  if (expression.type !== "BinaryExpression" || expression.operator !== "..") return undefined;
  const left = constantText(expression.left);
  return left === undefined ? undefined : joined(left, constantText(expression.right));
}

function joined(left: string, right: string | undefined): string | undefined {
  return right === undefined ? undefined : left + right;
}

/** luaparse leaves the contents to us (see parse-lua.ts); it has made sure that the escapes are right. */
function literalText({ raw }: StringLiteral): string {
  const [opening, , newline = ""] = /^\[(=*)\[(\r\n|\n\r|\n|\r)?/.exec(raw) ?? [];
  if (opening !== undefined) return raw.slice(opening.length, newline.length - opening.length || undefined);
  const inner = raw.slice(1, -1);
  return inner.includes("\\") ? inner.replace(escapes, unescaped) : inner;
}

const escapes = /\\(?:z[ \t\v\f\r\n]*|x([\da-fA-F]{2})|u\{([\da-fA-F]+)\}|(\d{1,3})|(\r\n|\n\r|[\s\S]))/g;

const letters: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

function unescaped(whole: string, hex?: string, point?: string, decimal?: string, letter?: string): string {
  if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
  if (point !== undefined)
    return Buffer.from(String.fromCodePoint(Number.parseInt(point, 16))).toString("latin1");
  if (decimal !== undefined) return String.fromCharCode(Number(decimal));
  if (letter === undefined) return whole.startsWith("\\z") ? "" : whole;
  return /[\r\n]/.test(letter) ? "\n" : (letters[letter] ?? letter);
}
