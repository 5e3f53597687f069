/** The pattern of a location, in the forms of nginx's `location` directive. */

import { ReluaError } from "../errors.ts";

/** A parsed location pattern. Regexes are JavaScript's; nginx's are PCRE, near enough for what locations use. */
export type LocationPattern =
  /** `/prefix`, or `^~ /prefix`, which keeps regexes from being tried (`final`). */
  | { readonly kind: "prefix"; readonly path: string; readonly final: boolean }
  /** `= /exact` */
  | { readonly kind: "exact"; readonly path: string }
  /** `~ regex`, or `~* regex`, which ignores case. */
  | { readonly kind: "regex"; readonly regex: RegExp }
  /** `@name`: for internal redirects only. */
  | { readonly kind: "named"; readonly name: string };

const forms = "/prefix, = /exact, ^~ /prefix, ~ regex, ~* regex or @name";

/**
 * Parses a location pattern. nginx also takes the modifier without a space behind it (`=/x`, `~\.lua$`), so this does.
 * @throws ReluaError `config-invalid`
 */
export function parseLocationPattern(text: string): LocationPattern {
  const [, modifier, rest] = /^(=|\^~|~\*|~)?\s*(.*?)\s*$/s.exec(text) as unknown as [
    string,
    string?,
    string?,
  ];
  const body = rest ?? "";
  if (/^~\*?$/.test(modifier ?? "") && body !== "")
    return { kind: "regex", regex: regex(body, modifier === "~*") };
  if (modifier === undefined && /^@./.test(body)) return { kind: "named", name: body };
  if (!body.startsWith("/")) throw new ReluaError("config-invalid", `it takes ${forms}`);
  if (modifier === "=") return { kind: "exact", path: body };
  return { kind: "prefix", path: body, final: modifier === "^~" };
}

/** What is wrong with a location pattern; undefined for a good one. */
export function locationPatternProblem(text: string): string | undefined {
  try {
    parseLocationPattern(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function regex(source: string, ignoreCase: boolean): RegExp {
  try {
    return new RegExp(source, ignoreCase ? "i" : "");
  } catch (error) {
    throw new ReluaError("config-invalid", (error as Error).message, [], { cause: error });
  }
}
