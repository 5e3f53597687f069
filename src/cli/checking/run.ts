/** One run of `relua check`, from the arguments to the output. */

import { checkTree } from "../../check/check-tree.ts";
import { utf16Column } from "../../check/excerpt.ts";
import type { Finding } from "../../check/finding.ts";
import { sarifOf } from "../../check/sarif.ts";
import { shownPath } from "../../check/shown-path.ts";
import type { Config } from "../../config/index.ts";
import type { RuleId } from "../../core/check-rules.ts";
import type { Terminal } from "../../observe/terminal.ts";
import { packageVersion } from "../../observe/version.ts";
import { compileIgnore } from "../../source/ignore-rules.ts";
import { loadTree } from "./load-tree.ts";
import { formatFinding, formatSum } from "./page.ts";
import { checkScope } from "./scope.ts";

export interface CheckOptions {
  readonly paths: readonly string[];
  readonly configFile: string | undefined;
  readonly format: "human" | "json" | "sarif";
  readonly strict: boolean;
  readonly terminal: Terminal;
}

/** Writes what it finds; returns how many errors there are. */
export async function runCheck(options: CheckOptions): Promise<{ readonly errors: number }> {
  const { format, strict, terminal } = options;
  const begunMs = performance.now();
  const cwd = process.cwd();
  const scope = await checkScope(options.paths, options.configFile, cwd);
  const { parts, skipped } = await loadTree(scope, cwd);
  const told = checkTree(parts, ignoredBy(scope.config));
  const findings = strict ? told.map((finding) => ({ ...finding, severity: "error" as const })) : told;
  const shown = (path: string) => shownPath(path, cwd);
  for (const { path, reason } of skipped) terminal.err(`${shown(path)}: not checked: ${reason}`);
  if (format === "sarif") {
    terminal.out(JSON.stringify(sarifOf(findings, { version: packageVersion(), root: cwd }), undefined, 2));
  } else if (format === "json") {
    terminal.out(
      JSON.stringify(
        findings.map((finding) => jsonOf(finding, shown)),
        undefined,
        2,
      ),
    );
  } else {
    const style = terminal.outStyle;
    for (const finding of findings) terminal.out(`${formatFinding(finding, shown, style)}\n`);
    const durationMs = performance.now() - begunMs;
    terminal.out(formatSum(findings, { files: parts.checked.length, durationMs }, style));
  }
  return { errors: findings.filter(({ severity }) => severity === "error").length };
}

/** What the config leaves out. */
function ignoredBy({ check }: Config): (rule: RuleId, path: string) => boolean {
  const rules = check.ignore.map((each) =>
    typeof each === "string"
      ? { rule: each, covers: () => true }
      : { rule: each.rule, covers: compileIgnore(each.files) },
  );
  return (rule, path) => rules.some((each) => each.rule === rule && each.covers(path));
}

/** Columns count UTF-16 units, as editors do. */
function jsonOf({ path, source, related, ...finding }: Finding, shown: (path: string) => string): object {
  return {
    file: shown(path),
    ...finding,
    column: utf16Column(source, finding.column),
    related: related.map(({ path: file, ...place }) => ({ file: shown(file), ...place })),
  };
}
