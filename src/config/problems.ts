/** Turns what zod found into Relua's lines: the path of the key, what was found, what is allowed. */

import type { z } from "zod";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** One line per issue, e.g. `watch.settleMs is -5; it takes 0 to 60000`. `at` is where `input` stands in the file. */
export function describeIssues(issues: readonly Issue[], input: unknown, at: Path): readonly string[] {
  return [...new Set(issues.flatMap((issue) => describe(issue, input, at, [])))];
}

function describe(issue: Issue, input: unknown, at: Path, outer: Path): readonly string[] {
  const path = [...outer, ...issue.path];
  if (issue.code === "invalid_union") {
    // A branch that found fault below the value itself is the one that was meant: false or { settleMs: -5 }.
    const meant = issue.errors.find((branch) =>
      branch.every((found) => found.path.length > 0 || found.code === "unrecognized_keys"),
    );
    if (meant !== undefined && meant.length > 0)
      return meant.flatMap((found) => describe(found, input, at, path));
  }
  if (issue.code === "unrecognized_keys") {
    const hints = issue.message.split("\n");
    return issue.keys.map(
      (key, index) => `${formatPath([...at, ...path, key])} is not known; ${hints[index]}`,
    );
  }
  if (issue.code === "invalid_key") {
    return issue.issues.map((found) => `${formatPath([...at, ...path])} is no name; ${found.message}`);
  }
  const value = valueAt(input, path);
  return [
    `${formatPath([...at, ...path])} is ${value === undefined ? "missing" : show(value)}; ${issue.message}`,
  ];
}

/** `servers[0].locations[2].lua.content_by` */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    const name = String(key);
    if (!/^[A-Za-z_$][\w$]*$/.test(name)) return `${text}[${JSON.stringify(name)}]`;
    return text === "" ? name : `${text}.${name}`;
  }, "");
}

function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    input,
  );
}

/** A value in few characters. */
function show(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value) ? "a list" : "an object";
  }
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
