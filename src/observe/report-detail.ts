/** A reload in full: every chain with the change it begins with, every kept module with its reason, times, VMs, errors. */

import { evictedLines } from "./chain.ts";
import { count, formatMs } from "./quantities.ts";
import { circumstancesOf, formatLine, type Report, recycleNote, recyclesOf } from "./report.ts";
import { errorLines } from "./report-errors.ts";
import type { Style } from "./style.ts";

const indent = "    ";

/** What `relua history ID` shows. */
export function formatDetail(report: Report, style: Style): string {
  return [
    formatLine(report, style),
    ...section("errors", errorLines(report.errors, Number.POSITIVE_INFINITY)).map(style.bad),
    ...circumstancesOf(report).map(style.attention),
    ...section("changes", changeLines(report)),
    ...section(`evicted ${count(report.evicted.length, "module")}`, chainLines(report)),
    ...keptLines(report, style),
    ...section(
      "VMs",
      report.vms.map(
        ({ id, appliedMs }) => `VM ${id}${appliedMs === undefined ? "" : ` in ${formatMs(appliedMs)}`}`,
      ),
    ),
    ...section("targets", targetLines(report)),
    ...section("stages", stageLines(report)),
  ].join("\n");
}

/** What `relua reload --dry-run` shows. */
export function formatPlan(report: Report, style: Style): string {
  const { changes, evicted, generation } = report;
  const differs = changes.length === 1 ? "1 file differs" : `${count(changes.length, "file")} differ`;
  const what = changes.length === 0 ? "nothing differs" : differs;
  return [
    `plan: ${what} from generation ${generation}, ${count(evicted.length, "module")} to evict; nothing was done`,
    ...chainLines(report).map((line) => indent + line),
    ...unconcerned(report).map((line) => indent + line),
    ...keptLines(report, style),
  ].join("\n");
}

function targetLines({ targets }: Report): readonly string[] {
  return targets.map(({ target, applied, missing }) =>
    missing.length === 0
      ? `${target}: ${count(applied.length, "worker")}`
      : `${target}: ${count(applied.length, "worker")}, not yet ${missing.join(", ")}`,
  );
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines.map((line) => indent + line)];
}

function changeLines({ changes }: Report): readonly string[] {
  return changes.map(({ file, kind, roots }) => {
    const of = roots === undefined || roots.length === 0 ? "" : `, of ${roots.join(", ")}`;
    return `${file} ${kind}${of}`;
  });
}

/** `apps/c.lua changed → c → lib.b (load, lib/b.lua:1)`; every evicted module is on at least one of the lines. */
function chainLines({ changes, evicted }: Report): readonly string[] {
  return evictedLines(evicted, (root) => {
    const causes = changes.filter(({ roots }) => roots?.includes(root));
    return causes.length === 0 ? "asked for" : causes.map(({ file, kind }) => `${file} ${kind}`).join(", ");
  });
}

/** Changes that evict nothing: of files that nobody has loaded, and of modules that are kept. */
function unconcerned({ changes, evicted }: Report): readonly string[] {
  const names = new Set(evicted.map(({ name }) => name));
  return changes
    .filter(({ roots }) => roots !== undefined && !roots.some((root) => names.has(root)))
    .map(({ file, kind, roots = [] }) =>
      roots.length === 0
        ? `${file} ${kind}: no loaded module concerned`
        : `${file} ${kind}: concerns ${roots.join(", ")}`,
    );
}

function keptLines(report: Report, style: Style): readonly string[] {
  const recycle = recyclesOf(report);
  const kept = report.kept.filter(({ name }) => !recycle.includes(name));
  return [
    ...section("kept", [
      ...recycle.map((name) => style.attention(recycleNote(name, report))),
      ...kept.map(({ name, why }) =>
        why === "not loaded" ? `${name}: ${why}` : style.attention(`${name}: ${why}`),
      ),
    ]),
  ];
}

function stageLines({ stages, durationMs }: Report): readonly string[] {
  if (stages === undefined) return [];
  const times = (["scan", "plan", "canary", "commit"] as const).map(
    (stage) => `${stage} ${formatMs(stages[`${stage}Ms`])}`,
  );
  return [`${times.join(", ")}; ${formatMs(durationMs)} from end to end`];
}
