/** Puts the kept answers into docs/performance.md: a table between the two marks of each question. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Answer, isMet, type Row, shownAim } from "./question.ts";

const guide = join(import.meta.dirname, "../docs/performance.md");

interface Record {
  readonly machine: { readonly node: string; readonly cpu: string; readonly cores: number };
  readonly answers: Readonly<{ [name: string]: Answer & { readonly at?: string; readonly load?: number[] } }>;
}

/** Replaces what stands between `<!-- bench NAME -->` and `<!-- /bench -->` by the latest answer to NAME. */
export function writeFigures(latest: string): void {
  const record = JSON.parse(readFileSync(latest, "utf8")) as Record;
  const text = readFileSync(guide, "utf8").replace(
    /(<!-- bench ([\w-]+) -->\n).*?(<!-- \/bench -->)/gs,
    (_, begin: string, name: string, end: string) => `${begin}\n${figures(record, name)}\n${end}`,
  );
  writeFileSync(guide, text);
}

function figures({ machine, answers }: Record, name: string): string {
  const answer = answers[name];
  if (answer === undefined) return "Not measured yet.\n";
  const where = `${answer.question} Measured ${answer.at?.slice(0, 10) ?? "?"} on ${machine.cores} cores of ${machine.cpu}, Node ${machine.node}, load average ${answer.load?.[0]?.toFixed(1) ?? "?"} before.\n`;
  if (answer.skipped !== undefined) return `${where}\nSkipped: ${answer.skipped}\n`;
  return `${where}\n| what | ratio | aim | figures |\n| --- | --- | --- | --- |\n${answer.rows.map(line).join("")}`;
}

function line(row: Row): string {
  const { name, ratio, aim, unit = "" } = row;
  // JSON has no NaN: a figure beside nothing is kept as null.
  const shown = Number.isFinite(ratio) && ratio !== null ? ratio.toFixed(2) : "–";
  const verdict = aim ? `${shownAim(aim)}${isMet(row) ? "" : " **missed**"}` : "";
  return `| ${name.trim().replaceAll("|", "\\|")} | ${shown} | ${verdict} | ${unit.replaceAll("|", "\\|")} |\n`;
}
