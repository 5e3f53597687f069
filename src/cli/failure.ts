/** What a command says when it fails, and the exit code that goes with it. */

import { type ErrorCode, ReluaError } from "../errors.ts";
import { readableLines } from "../observe/readable.ts";
import type { Terminal } from "../observe/terminal.ts";

/** 0 done, 1 refused or failed, 2 wrong usage. */
export type ExitCode = 0 | 1 | 2;

/** The user has to write something differently before another try makes sense. */
const wrongUsage: ReadonlySet<ErrorCode> = new Set([
  "usage",
  "config-invalid",
  "config-unreadable",
  "search-path-invalid",
]);

/** Writes the error to stderr; returns the exit code. */
export function tellFailure(error: unknown, terminal: Terminal): ExitCode {
  if (!(error instanceof ReluaError)) {
    terminal.err(
      terminal.errStyle.bad(`relua: this is a defect of Relua: ${describeDefect(error).join("\n    ")}`),
    );
    return 1;
  }
  terminal.err(linesOf(error).map(terminal.errStyle.bad).join("\n"));
  return wrongUsage.has(error.code) ? 2 : 1;
}

/** An error that nobody foresaw, with the place it comes from. */
export function describeDefect(error: unknown): readonly string[] {
  return readableLines(error instanceof Error ? (error.stack ?? error.message) : String(error));
}

/** A wrong configuration is told by its problems, one line for each, and nothing else. */
function linesOf({ code, message, details }: ReluaError): readonly string[] {
  const isConfig = code === "config-invalid" || code === "config-unreadable";
  if (isConfig && details.length > 0) return details;
  const [first = "", ...rest] = readableLines(message);
  return [`relua: ${first}`, ...[...rest, ...details].map((line) => `    ${line.trimStart()}`)];
}
