/** `npm run bench [-- NAME …]`: asks every question of this folder, or the named ones, and keeps the answers. */

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Answer, Run } from "./question.ts";

const folder = import.meta.dirname;
const all = readdirSync(folder)
  .filter((file) => file.endsWith(".ts") && file !== "main.ts")
  .map((file) => basename(file, ".ts"))
  .sort();
const named = process.argv.slice(2);

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

const answers: Record<string, Answer> = {};
for (const [name, run] of questions) {
  const answer = await run();
  answers[name] = answer;
  print(name, answer);
}
keep(answers);

function print(name: string, { question, rows }: Answer): void {
  console.log(`\n${name}: ${question}`);
  const width = Math.max(...rows.map((row) => row.name.length));
  for (const row of rows)
    console.log(`  ${row.name.padEnd(width)}  ${row.ratio.toFixed(2).padStart(8)}  ${row.unit ?? ""}`);
}

/** The answers of this run, with what they were measured on. */
function keep(answers: Readonly<Record<string, Answer>>): void {
  const results = join(folder, "results");
  mkdirSync(results, { recursive: true });
  const machine = {
    node: process.version,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
  };
  const record = { at: new Date().toISOString(), machine, answers };
  writeFileSync(join(results, "latest.json"), `${JSON.stringify(record, undefined, 2)}\n`);
}
