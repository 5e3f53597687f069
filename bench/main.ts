/**
 * `npm run bench [-- NAME …]`: asks every question of this folder, or the named ones, and keeps the answers.
 * `npm run bench -- --document`: asks nothing, writes the kept answers into docs/performance.md.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { writeFigures } from "./document.ts";
import { type Answer, isMet, type Row, type Run, shownAim } from "./question.ts";

const folder = import.meta.dirname;
const all = readdirSync(folder)
  .filter((file) => file.endsWith(".ts") && file !== "main.ts")
  .map((file) => basename(file, ".ts"))
  .sort();
const latest = join(folder, "results", "latest.json");
const named = process.argv.slice(2);
if (named.includes("--document")) {
  writeFigures(latest);
  process.exit(0);
}

const questions = new Map<string, Run>();
for (const name of all) {
  if (named.length > 0 && !named.includes(name)) continue;
  const module = (await import(pathToFileURL(join(folder, `${name}.ts`)).href)) as { readonly run?: unknown };
  if (typeof module.run === "function") questions.set(name, module.run as Run);
}
const unknown = named.filter((name) => !questions.has(name));
if (unknown.length > 0) {
  console.error(`bench: no such benchmark: ${unknown.join(", ")}`);
  process.exit(2);
}

for (const [name, run] of questions) {
  const [before] = loadavg();
  const answer = await run();
  const kept = { at: new Date().toISOString(), load: [before, loadavg()[0]], ...answer };
  print(name, kept);
  keep(name, kept);
}

/** An answer with its time, and the machine's load average before and after it. */
interface Kept extends Answer {
  readonly at: string;
  readonly load: readonly (number | undefined)[];
}

function print(name: string, { question, rows, skipped, load }: Kept): void {
  console.log(`\n${name}: ${question}  [load ${load.map((average) => average?.toFixed(1)).join(" → ")}]`);
  if (skipped !== undefined) console.log(`  skipped: ${skipped}`);
  const width = Math.max(0, ...rows.map((row) => row.name.length));
  for (const row of rows)
    console.log(
      `  ${row.name.padEnd(width)}  ${shown(row.ratio).padStart(8)}  ${verdict(row)}${row.unit ?? ""}`,
    );
}

function verdict(row: Row): string {
  if (row.aim === undefined) return "";
  return `[${shownAim(row.aim)}: ${isMet(row) ? "met" : "MISSED"}] `;
}

function shown(ratio: number): string {
  return Number.isNaN(ratio) ? "–" : ratio.toFixed(2);
}

/** The latest answer to each question, with what it was measured on; at once, so that a run may be ended early. */
function keep(name: string, answer: Kept): void {
  mkdirSync(dirname(latest), { recursive: true });
  const before = existsSync(latest) ? (JSON.parse(readFileSync(latest, "utf8")) as { answers?: object }) : {};
  const machine = {
    node: process.version,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
  };
  const record = { machine, answers: { ...before.answers, [name]: answer } };
  writeFileSync(latest, `${JSON.stringify(record, undefined, 2)}\n`);
}
