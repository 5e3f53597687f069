/** The errors of a rejection as lines: place, message, and who required the file. */

import { shorten } from "./abbreviate.ts";
import { readableLines } from "./readable.ts";

/** One error as it is told: its file relative to the prefix. */
export interface ToldError {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly message: string;
  readonly requiredBy: readonly string[];
}

const indent = "    ";
/** Lines of one error message, e.g. the paths that a search tried. */
const messageLines = 12;

/** The first `limit` errors, and how many more there are. */
export function errorLines(errors: readonly ToldError[], limit: number): readonly string[] {
  const { shown, more } = shorten(errors, limit);
  const lines = shown.flatMap(linesOf);
  return more > 0 ? [...lines, `… and ${more} more errors`] : lines;
}

function linesOf({ file, line, message, requiredBy }: ToldError): readonly string[] {
  const { text, line: lineInText } = splitPlace(message, file);
  const place = file === undefined ? "" : [file, line ?? lineInText].filter(Boolean).join(":");
  const { shown, more } = shorten(readableLines(text), messageLines);
  const [first = "", ...rest] = shown;
  const chain = file === undefined ? requiredBy : [...requiredBy, file];
  return [
    place === "" ? first : `${place}: ${first}`,
    ...rest.map((line) => indent + line.trimStart()),
    ...(more > 0 ? [`${indent}… and ${more} more lines`] : []),
    ...(requiredBy.length === 0 ? [] : [`${indent}required by ${chain.join(" → ")}`]),
  ];
}

/** Lua puts `path:line:` before its messages, and the loader one more line; the report says both by itself. */
function splitPlace(
  message: string,
  file: string | undefined,
): { readonly text: string; readonly line?: number } {
  const text = message.replace(/^error loading module '[^']*' from file '[^']*':\n\t/, "");
  const [place, named, line] = /^(.{1,4096}?):(\d+): /s.exec(text) ?? [];
  if (place === undefined || named === undefined || file === undefined) return { text };
  // Lua shortens long names from the left: `...apps/c.lua`.
  const isFile = named.endsWith(file) || (named.startsWith("...") && file.endsWith(named.slice(3)));
  return isFile ? { text: text.slice(place.length), line: Number(line) } : { text };
}
