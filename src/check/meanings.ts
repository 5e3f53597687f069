/** What expressions stand for, as far as the text says: globals of Lua that load code, under whatever local name. */

import type { Expression } from "luaparse";
import { constantText } from "./constants.ts";
import type { Scopes } from "./scopes.ts";

/** Globals that the walk follows through locals; all others mean nothing to it. */
const followed: ReadonlySet<string> = new Set([
  "require",
  "pcall",
  "xpcall",
  "dofile",
  "loadfile",
  "module",
  "package",
  "rawset",
  "setfenv",
  "_G",
  "_ENV",
]);

/** Modules whose functions are followed; their names differ from the paths of globals by the mark before them. */
const followedModules: ReadonlySet<string> = new Set(["ffi", "relua.hot"]);

/** What a module stands for: `=ffi`. */
export function moduleMeaning(name: string | undefined): string | undefined {
  return name !== undefined && followedModules.has(name) ? `=${name}` : undefined;
}

/** Whatever is deeper than this stands for nothing: chains of calls can be as long as the text. */
const deepest = 8;

/** The path of a global or of a field of a followed module: `require`, `package.loaded`, `=ffi.cdef`. */
export function meaningOf(expression: Expression | undefined, scopes: Scopes, depth = 0): string | undefined {
  if (depth > deepest) return undefined;
  switch (expression?.type) {
    case "Identifier": {
      const local = scopes.find(expression.name);
      if (local !== undefined) return local.meaning;
      return followed.has(expression.name) ? expression.name : undefined;
    }
    case "MemberExpression":
      return fieldOf(meaningOf(expression.base, scopes, depth + 1), expression.identifier.name);
    case "IndexExpression": {
      const base = meaningOf(expression.base, scopes, depth + 1);
      return base === undefined ? undefined : fieldOf(base, constantText(expression.index));
    }
    case "CallExpression":
    case "StringCallExpression": {
      const called = calledBy(expression.base, argumentsOf(expression), scopes, depth + 1);
      return called?.meaning === "require" && !called.guarded
        ? moduleMeaning(constantText(called.args[0]))
        : undefined;
    }
    case "LogicalExpression": {
      const right = meaningOf(expression.right, scopes, depth + 1);
      if (expression.operator === "and" || right === "require") return right;
      return meaningOf(expression.left, scopes, depth + 1) ?? right;
    }
    default:
      return undefined;
  }
}

/** A call as it ends up: what is called, with which arguments, and whether its errors are caught. */
export interface Called {
  readonly meaning: string;
  readonly args: readonly Expression[];
  readonly guarded: boolean;
}

/** Looks through pcall and xpcall, which hand their further arguments on. Undefined for calls that mean nothing. */
export function calledBy(
  base: Expression,
  args: readonly Expression[],
  scopes: Scopes,
  depth = 0,
  guarded = false,
): Called | undefined {
  const meaning = meaningOf(base, scopes, depth);
  if (meaning === undefined) return undefined;
  const [first] = args;
  const caught =
    first === undefined || (meaning !== "pcall" && meaning !== "xpcall")
      ? undefined
      : calledBy(first, args.slice(meaning === "pcall" ? 1 : 2), scopes, depth + 1, true);
  return caught ?? { meaning, args, guarded };
}

export type Call = Extract<
  Expression,
  { type: "CallExpression" | "StringCallExpression" | "TableCallExpression" }
>;

/** The arguments of a call in each of its forms. */
export function argumentsOf(call: Call): readonly Expression[] {
  switch (call.type) {
    case "CallExpression":
      return call.arguments;
    case "StringCallExpression":
      return [call.argument];
    case "TableCallExpression":
      // luaparse calls it `arguments` although it is one table.
      return [call.arguments as unknown as Expression];
  }
}

function fieldOf(base: string | undefined, field: string | undefined): string | undefined {
  if (base === undefined || field === undefined) return undefined;
  if (base === "_G" || base === "_ENV") return followed.has(field) ? field : undefined;
  return `${base}.${field}`;
}
