/** The report of a reload: one line that says what changed, what was evicted, where and how long it took. */

import type { Change } from "../core/change-set.ts";
import type { ClosureMember } from "../core/closure.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Kept } from "../core/plan.ts";
import { chainsOf, listNames, shorten } from "./abbreviate.ts";
import { count, formatMs } from "./quantities.ts";
import { readableLines } from "./readable.ts";
import type { Style } from "./style.ts";

/** An outcome as it is told: files relative to the prefix. The control API's JSON has the same fields. */
export interface Report
  extends Pick<Outcome, "id" | "outcome" | "generation" | "trigger" | "durationMs" | "recycleRequired"> {
  readonly reason?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly changes: readonly { readonly file: string; readonly kind: Change["kind"] }[];
  readonly evicted: readonly ClosureMember[];
  readonly kept: readonly Kept[];
  readonly vms: readonly { readonly id: number }[];
  readonly errors: readonly {
    readonly file?: string | undefined;
    readonly line?: number | undefined;
    readonly message: string;
    readonly requiredBy: readonly string[];
  }[];
}

const indent = "    ";
/** Lines of one error message, e.g. the paths that a search tried. */
const messageLines = 12;
/** Errors of one rejection. */
const errorsShown = 20;

export function reportOf(outcome: Outcome, prefix: string): Report {
  const within = `${prefix}/`;
  const relative = (path: string) => (path.startsWith(within) ? path.slice(within.length) : path);
  return {
    ...outcome,
    changes: outcome.changes.map(({ path, kind }) => ({ file: relative(path), kind })),
    errors: outcome.errors.map(({ path, line, message, requiredBy }) => ({
      file: path === undefined ? undefined : relative(path),
      line,
      message: message.replaceAll(within, ""),
      requiredBy,
    })),
    kept: outcome.kept.map(({ name, why }) => ({ name, why: why.replaceAll(within, "") })),
  };
}

/** @param vms how many VMs there are, when known: those that did not report yet are told then */
export function formatReport(report: Report, style: Style, vms?: number): string {
  const head = `${style.dim(`${style.clock(report.startedAt)} #${report.id}`)} ${headline(report, style, vms)}`;
  return [head, ...errorNotes(report, style), ...notes(report, style)].join("\n");
}

function headline(report: Report, style: Style, vms: number | undefined): string {
  const asked = askedBy(report);
  switch (report.outcome) {
    case "committed":
      return `${style.good(`generation ${report.generation}`)}${effect(report, asked, vms)}`;
    case "recycle-required":
      return `${style.attention(`generation ${report.generation}, recycle required`)}${effect(report, asked, vms)}`;
    case "rejected":
      return style.bad(`rejected${asked}: ${changed(report)}; still running generation ${report.generation}`);
    case "unchanged":
      return style.dim(`unchanged${asked}: nothing differs from generation ${report.generation}`);
    case "planned":
      return `plan${asked}: ${changed(report)} → ${evicted(report)}; nothing was done`;
    case "held":
      return style.attention(`held${asked}: nothing is reloaded until the release`);
  }
}

function effect(report: Report, asked: string, vms: number | undefined): string {
  return `${asked}: ${changed(report)} → ${evicted(report)}, ${reach(report, vms)}`;
}

function askedBy({ trigger, reason }: Report): string {
  const by = trigger === "watch" ? [] : [trigger];
  const why = reason === undefined || reason === "" ? [] : [readableLines(reason, 200).join(" ")];
  const parts = [...by, ...why];
  return parts.length === 0 ? "" : ` (${parts.join(": ")})`;
}

/** `apps/a.lua, apps/b.lua changed, apps/c.lua added` */
function changed({ changes }: Report): string {
  if (changes.length === 0) return "nothing changed";
  const { shown, more } = shorten(changes);
  const kinds: readonly Change["kind"][] = ["changed", "added", "removed"];
  if (more > 0) {
    const counts = kinds.flatMap((kind) => {
      const number = changes.filter((change) => change.kind === kind).length;
      return number === 0 ? [] : [`${number} ${kind}`];
    });
    const what = counts.length === 1 ? changes[0]!.kind : `(${counts.join(", ")})`;
    return `${listNames({ shown: shown.map((change) => change.file), more })} ${what}`;
  }
  return kinds
    .flatMap((kind) => {
      const files = changes.filter((change) => change.kind === kind).map((change) => change.file);
      return files.length === 0 ? [] : [`${files.join(", ")} ${kind}`];
    })
    .join(", ");
}

function evicted({ evicted, outcome }: Report): string {
  if (evicted.length === 0) return "no loaded module concerned";
  const what = `${count(evicted.length, "module")} ${outcome === "planned" ? "to evict" : "evicted"}`;
  return `${what} (${listNames(chainsOf(evicted))})`;
}

function reach({ vms, durationMs }: Report, total = vms.length): string {
  const inTime = `in ${formatMs(durationMs)}`;
  if (vms.length >= total) return `${count(vms.length, "VM")} ${inTime}`;
  return `${vms.length} of ${count(total, "VM")} ${inTime}, the others before their next request`;
}

function errorNotes({ errors }: Report, style: Style): readonly string[] {
  const { shown, more } = shorten(errors, errorsShown);
  const lines = shown.flatMap(errorLines);
  if (more > 0) lines.push(`… and ${more} more errors`);
  return lines.map((line) => style.bad(indent + line));
}

function errorLines({ file, line, message, requiredBy }: Report["errors"][number]): readonly string[] {
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

/** What needs to be known beyond the one line: modules that still run old code, and why. */
function notes({ kept, recycleRequired, outcome }: Report, style: Style): readonly string[] {
  const recycle = outcome === "rejected" || outcome === "held" ? [] : recycleRequired;
  const inVms = outcome === "committed" ? "the VMs are new" : "only a new VM runs the new code";
  // A module that nobody has loaded runs the new code as soon as somebody does.
  const told = kept.filter(({ name, why }) => why !== "not loaded" && !recycle.includes(name));
  const { shown, more } = shorten(told);
  return [
    ...recycle.map((name) => `${name} changed and is never evicted: ${inVms}`),
    ...shown.map(({ name, why }) => `kept ${name}: ${why}`),
    ...(more > 0 ? [`kept … and ${more} more`] : []),
  ].map((line) => style.attention(indent + line));
}
