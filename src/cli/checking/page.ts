/** Findings for a person: place, rule, message, the line with a caret below the place, and a sum at the end. */

import { excerptOf } from "../../check/excerpt.ts";
import type { Finding, Location } from "../../check/finding.ts";
import { shorten } from "../../observe/abbreviate.ts";
import { readableLines } from "../../observe/readable.ts";
import type { Style } from "../../observe/style.ts";

export interface CheckedSum {
  readonly files: number;
  readonly durationMs: number;
}

/** Places that belong to one finding. */
const mostRelated = 10;

export function formatFinding(
  { rule, severity, message, related, source, ...place }: Finding,
  shown: (path: string) => string,
  style: Style,
): string {
  const paint = severity === "error" ? style.bad : style.attention;
  const { text, before } = excerptOf(source, place.column);
  const number = `${place.line}`;
  const at = ({ path, line, column }: Location) => `${shown(path)}:${line}:${column}`;
  const places = shorten(related, mostRelated);
  return [
    `${at(place)}: ${paint(`${severity} ${rule}`)}: ${readableLines(message).join(" ")}`,
    ...(text.trim() === ""
      ? []
      : [
          `  ${style.dim(`${number} |`)} ${text}`,
          `  ${style.dim(`${" ".repeat(number.length)} |`)} ${" ".repeat(before)}${paint("^")}`,
        ]),
    ...places.shown.map((each) => style.dim(`  ${at(each)}: ${readableLines(each.message).join(" ")}`)),
    ...(places.more > 0 ? [style.dim(`  … and ${places.more} more places`)] : []),
  ].join("\n");
}

/** `3 errors, 1 warning in 12 files (40 ms)` */
export function formatSum(findings: readonly Finding[], sum: CheckedSum, style: Style): string {
  const count = (severity: Finding["severity"]) =>
    findings.filter((each) => each.severity === severity).length;
  const [errors, warnings] = [count("error"), count("warning")];
  const files = `in ${counted(sum.files, "file")} (${Math.round(sum.durationMs)} ms)`;
  if (errors + warnings === 0) return style.good(`nothing found ${files}`);
  const paint = errors > 0 ? style.bad : style.attention;
  return `${paint(`${counted(errors, "error")}, ${counted(warnings, "warning")}`)} ${files}`;
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
