/** From Lua source to its syntax tree: Lua 5.1 to 5.3 and LuaJIT, whichever the text was written for. */

import luaparse, { type Chunk } from "luaparse";
import { missedFault, type SyntaxFault } from "./missed-faults.ts";

export type Parsed = { readonly chunk: Chunk } | { readonly fault: SyntaxFault };

/** What luaparse throws; `index` counts from 0. */
interface LuaparseError extends Error {
  readonly index: number;
}

type Dialect = (text: string) => Parsed;

/**
 * In this order, because nearly all texts end at the first: 5.3 takes what 5.1 takes. The third takes LuaJIT's
 * numbers (`1LL`, `0x1p4i`) with the empty statements that OpenResty builds it with, the last names called `goto`.
 */
const dialects: readonly Dialect[] = [
  (text) => parseAs("5.3", text),
  (text) => parseAs("5.3", withPlainNumbers(text, ["pointed"])),
  (text) => parseAs("5.2", withPlainNumbers(text, ["pointed", "whole", "imaginary"])),
  (text) => parseAs("LuaJIT", text),
];

const bytecodeMark = "\x1b";
const emptyChunk: Chunk = { type: "Chunk", body: [] };

/**
 * Parses a text of one character per byte. It is accepted when one of the dialects takes it; the fault is that of the
 * dialect that got furthest. Bytecode says nothing: it is an empty chunk.
 */
export function parseLua(text: string): Parsed {
  if (text.startsWith(bytecodeMark)) return { chunk: emptyChunk };
  const source = blankHead(text);
  let furthest: Parsed | undefined;
  for (const dialect of dialects) {
    const parsed = dialect(source);
    if ("chunk" in parsed) return parsed;
    if (furthest === undefined || ("fault" in furthest && parsed.fault.offset > furthest.fault.offset))
      furthest = parsed;
  }
  return furthest as Parsed;
}

/** The text is nested more deeply than the stack holds; Lua itself stops at 200 levels. */
export const tooDeep = "chunk has too many syntax levels";

function parseAs(luaVersion: "5.2" | "5.3" | "LuaJIT", text: string): Parsed {
  const onCreateNode = (node: object) => {
    const fault = missedFault(node, text, luaVersion !== "5.3");
    if (fault !== undefined) throw new MissedFault(fault);
  };
  try {
    // With another encoding mode the contents of strings are taken for keywords: `return "end" end` is refused.
    const options = {
      luaVersion,
      encodingMode: "none",
      comments: false,
      ranges: true,
      onCreateNode,
    } as const;
    return { chunk: luaparse.parse(text, { ...options, extendedIdentifiers: true as never }) };
  } catch (error) {
    if (error instanceof RangeError) return { fault: { offset: 0, message: tooDeep } };
    if (error instanceof MissedFault) return { fault: error.fault };
    if (!isLuaparseError(error)) throw error;
    return { fault: { offset: error.index, message: error.message.replace(/^\[\d+:\d+\] /, "") } };
  }
}

/** Gets out of luaparse from one of its callbacks. */
class MissedFault extends Error {
  readonly fault: SyntaxFault;

  constructor(fault: SyntaxFault) {
    super(fault.message);
    this.fault = fault;
  }
}

function isLuaparseError(error: unknown): error is LuaparseError {
  return error instanceof Error && typeof (error as Partial<LuaparseError>).index === "number";
}

/** Lua skips a byte order mark, and a first line that starts with `#` (luaL_loadfilex). Offsets stay. */
function blankHead(text: string): string {
  const [head = ""] = /^(?:\xef\xbb\xbf)?(?:#[^\n\r]*)?/.exec(text) ?? [];
  return head === "" ? text : " ".repeat(head.length) + text.slice(head.length);
}

/** What can hold something that looks like a number, and the numbers that luaparse does not take as Lua 5.3's. */
const unusualNumber = new RegExp(
  [
    /--\[(?<dashes>=*)\[[\s\S]*?(?:\]\k<dashes>\]|$)/,
    /--[^\n\r]*/,
    /\[(?<level>=*)\[[\s\S]*?(?:\]\k<level>\]|$)/,
    /"(?:\\[\s\S]|[^"\\\n\r])*"|'(?:\\[\s\S]|[^'\\\n\r])*'/,
    /(?<![\w.\x80-\xff])(?<whole>(?:0[xX][\da-fA-F]+|\d+)(?:[uU]?[lL]{2}|[lL]{2}[uU]))(?![\w\x80-\xff])/,
    /(?<![\w\x80-\xff])(?<imaginary>(?:0[xX](?:[\da-fA-F]+(?:\.[\da-fA-F]*)?|\.[\da-fA-F]+)(?:[pP][+-]?\d+)?|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[iI])(?![\w\x80-\xff])/,
    /(?<![\w\x80-\xff])(?<pointed>0[xX]\.[\da-fA-F]+(?:[pP][+-]?\d+)?)(?![\w\x80-\xff.])/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);

/** Writes 0 for numbers of the kinds named in `unusualNumber`, so that luaparse takes them. Offsets stay. */
function withPlainNumbers(text: string, kinds: readonly string[]): string {
  return text.replace(unusualNumber, (match: string, ...rest: readonly unknown[]) => {
    const groups = rest.at(-1) as Readonly<Record<string, string | undefined>>;
    return kinds.some((kind) => groups[kind] !== undefined) ? "0".padEnd(match.length) : match;
  });
}
