/** How a command that ends in an outcome tells it, and the exit code that goes with it. */

import { formatReport, type Report } from "../observe/report.ts";
import type { Style } from "../observe/style.ts";
import type { Terminal } from "../observe/terminal.ts";
import { parseReport } from "./answers.ts";
import type { Answer } from "./client.ts";

/**
 * Committed, unchanged and planned go to stdout and exit 0; rejected and held go to stderr and exit 1, as does what
 * some worker that was waited for has not applied.
 */
export function tellOutcome(
  { status, body }: Answer,
  terminal: Terminal,
  { json, format = formatReport }: { readonly json: boolean; readonly format?: Format },
): void {
  const report = parseReport(body);
  const went = status < 300 && (report.missing ?? []).length === 0;
  if (json) terminal.out(JSON.stringify(body, undefined, 2));
  else if (went) terminal.out(format(report, terminal.outStyle));
  else terminal.err(format(report, terminal.errStyle));
  process.exitCode = went ? 0 : 1;
}

type Format = (report: Report, style: Style) => string;
