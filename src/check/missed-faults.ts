/** Faults that luaparse lets pass: found in the text around the nodes that it makes. */

import type { Node } from "luaparse";
import { endOf, offsetOf } from "./ranges.ts";

/** Where and why a text is no Lua. */
export interface SyntaxFault {
  /** Bytes from the start of the text. */
  readonly offset: number;
  readonly message: string;
}

/** What is wrong with a node that luaparse has just made; all of them come by, so this must be quick. */
export function missedFault(made: object, text: string, luaJit: boolean): SyntaxFault | undefined {
  const node = made as Node;
  switch (node.type) {
    case "NumericLiteral":
      return runsOn(text, node, luaJit);
    case "CallExpression":
      return node.arguments.length === 0 ? undefined : strayComma(text, endOf(node.base), node.arguments[0]);
    case "ReturnStatement":
      return node.arguments.length === 0 ? undefined : strayComma(text, offsetOf(node), node.arguments[0]);
    default:
      return undefined;
  }
}

/** `0for`, `1..2`: Lua reads hexadecimal digits and dots to the end, LuaJIT all letters, then looks what they are. */
function runsOn(text: string, node: object, luaJit: boolean): SyntaxFault | undefined {
  const next = text.charCodeAt(endOf(node));
  if (Number.isNaN(next) || !(luaJit ? /[\w.]/ : /[\da-fA-F.]/).test(String.fromCharCode(next)))
    return undefined;
  const [number = ""] = /^[\w.]*/.exec(text.slice(offsetOf(node), endOf(node) + 20)) ?? [];
  return { offset: offsetOf(node), message: `malformed number near '${number}'` };
}

/** `f(, x)`, `return , x` */
function strayComma(text: string, from: number, first: object | undefined): SyntaxFault | undefined {
  const to = first === undefined ? from : offsetOf(first);
  if (to - from <= 1) return undefined;
  const between = text.slice(from, to);
  if (!between.includes(",")) return undefined;
  const comma = between.replace(/--\[(=*)\[[\s\S]*?\]\1\]|--[^\n\r]*/g, (comment) =>
    " ".repeat(comment.length),
  );
  const at = comma.indexOf(",");
  return at < 0 ? undefined : { offset: from + at, message: "unexpected symbol near ','" };
}
