/** The report of a reload: one line that says what changed, what was evicted, where and how long it took. */

import type { Change } from "../core/change-set.ts";
import type { ClosureMember } from "../core/closure.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Kept } from "../core/plan.ts";
import { relativeFile, relativeText } from "../core/relative-file.ts";
import { chainsOf, listNames, shorten } from "./abbreviate.ts";
import { formatHolder, type Holder } from "./holder.ts";
import { count, formatMs } from "./quantities.ts";
import { readableLines } from "./readable.ts";
import { errorLines, type ToldError } from "./report-errors.ts";
import type { Style } from "./style.ts";

/** An outcome as it is told: files relative to the prefix. The control API's JSON has the same fields. */
export interface Report
  extends Pick<
    Outcome,
    "id" | "outcome" | "generation" | "trigger" | "durationMs" | "recycleRequired" | "diskDiffers"
  > {
  readonly reason?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly stages?: Outcome["stages"] | undefined;
  readonly changes: readonly {
    readonly file: string;
    readonly kind: Change["kind"];
    readonly roots?: readonly string[] | undefined;
  }[];
  readonly evicted: readonly ClosureMember[];
  readonly kept: readonly Kept[];
  readonly vms: readonly { readonly id: number; readonly appliedMs?: number | undefined }[];
  readonly targets: readonly ReachedTarget[];
  /** VMs and workers that somebody waited for in vain. */
  readonly missing?: readonly string[] | undefined;
  readonly errors: readonly ToldError[];
  readonly hold?: Holder | undefined;
  readonly rolledBackTo?: number | undefined;
}

/** A host beside the agent, and how many of its workers run the generation. */
interface ReachedTarget {
  readonly target: string;
  readonly applied: readonly unknown[];
  readonly missing: readonly string[];
}

const indent = "    ";
/** Errors of one rejection. */
const errorsShown = 20;

export function reportOf(outcome: Outcome, prefix: string): Report {
  const relative = (path: string) => relativeFile(path, prefix);
  return {
    ...outcome,
    changes: outcome.changes.map(({ path, kind, roots }) => ({ file: relative(path), kind, roots })),
    errors: outcome.errors.map(({ path, line, message, requiredBy }) => ({
      file: path === undefined ? undefined : relative(path),
      line,
      message: relativeText(message, prefix),
      requiredBy,
    })),
    kept: outcome.kept.map(({ name, why }) => ({ name, why: relativeText(why, prefix) })),
  };
}

/** @param vms how many VMs there are, when known: those that did not report yet are told then */
export function formatReport(report: Report, style: Style, vms?: number): string {
  const errors = errorLines(report.errors, errorsShown).map((line) => style.bad(indent + line));
  const notes = notesOf(report).map((line) => style.attention(indent + line));
  return [headOf(style.clock(report.startedAt), report, style, vms), ...errors, ...notes].join("\n");
}

/** The one line alone, with the date where the time of day would not do. */
export function formatLine(report: Report, style: Style): string {
  return headOf(style.moment(report.startedAt), report, style);
}

function headOf(time: string, report: Report, style: Style, vms?: number): string {
  return `${style.dim(`${time} #${report.id}`)} ${headline(report, style, vms)}`;
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
      return style.attention(`held${asked}${heldBy(report)}; nothing is reloaded until the release`);
  }
}

function effect(report: Report, asked: string, vms: number | undefined): string {
  return `${asked}: ${changed(report)} → ${evicted(report)}, ${reach(report, vms)}`;
}

function heldBy({ hold }: Report): string {
  return hold === undefined ? "" : ` by ${formatHolder(hold)}`;
}

function askedBy({ trigger, reason, rolledBackTo }: Report): string {
  const to = rolledBackTo === undefined ? "" : ` to generation ${rolledBackTo}`;
  const by = trigger === "watch" ? [] : [trigger + to];
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

function reach({ vms, targets, durationMs }: Report, total = vms.length): string {
  const inTime = `in ${formatMs(durationMs)}`;
  const reached = targets.map(({ target, applied, missing }) =>
    missing.length === 0
      ? `${target} (${count(applied.length, "worker")})`
      : `${target} on its way (${applied.length} of ${count(applied.length + missing.length, "worker")})`,
  );
  if (total === 0 && reached.length > 0) return `${reached.join(", ")} ${inTime}`;
  const pool =
    vms.length >= total
      ? `${count(vms.length, "VM")} ${inTime}`
      : `${vms.length} of ${count(total, "VM")} ${inTime}, the others before their next request`;
  return [pool, ...reached].join(", ");
}

/** What needs to be known beyond the one line: what stands, and modules that still run old code, and why. */
function notesOf(report: Report): readonly string[] {
  const recycle = recyclesOf(report);
  // A module that nobody has loaded runs the new code as soon as somebody does.
  const told = report.kept.filter(({ name, why }) => why !== "not loaded" && !recycle.includes(name));
  const { shown, more } = shorten(told);
  return [
    ...circumstancesOf(report),
    ...(report.missing ?? []).map((name) => `${name} has not applied it yet`),
    ...recycle.map((name) => recycleNote(name, report)),
    ...shown.map(({ name, why }) => `kept ${name}: ${why}`),
    ...(more > 0 ? [`kept … and ${more} more`] : []),
  ];
}

/** What a release ended, and how long a rollback stands. */
export function circumstancesOf({
  outcome,
  trigger,
  hold,
  rolledBackTo,
  diskDiffers,
}: Report): readonly string[] {
  if (outcome === "held") return [];
  if (trigger === "release")
    return [hold === undefined ? "nobody held" : `the hold of ${formatHolder(hold)} is over`];
  const isCommitted = outcome === "committed" || outcome === "recycle-required";
  if (rolledBackTo === undefined || !isCommitted) return [];
  return [
    diskDiffers
      ? "it stands until the disk changes; the disk differs from it"
      : "it stands until the disk changes; the disk is the same",
  ];
}

/** Pinned modules that changed, where that is of consequence. */
export function recyclesOf({ outcome, recycleRequired }: Report): readonly string[] {
  return outcome === "rejected" || outcome === "held" ? [] : recycleRequired;
}

export function recycleNote(name: string, { outcome }: Report): string {
  const inVms = outcome === "committed" ? "the VMs are new" : "only a new VM runs the new code";
  return `${name} changed and is never evicted: ${inVms}`;
}
