/** docs/performance.md has a section with a table for each question of bench/, and for nothing else. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readDocument, repository } from "./markdown.ts";

const bench = join(repository, "bench");

function questions(): readonly string[] {
  return readdirSync(bench)
    .filter((file) => file.endsWith(".ts"))
    .filter((file) => /^export async function run\(/m.test(readFileSync(join(bench, file), "utf8")))
    .map((file) => file.replace(/\.ts$/, ""))
    .sort();
}

function tables(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^<!-- bench ([\w-]+) -->$.*?^<!-- \/bench -->$/gms)]
    .map(([, name]) => name!)
    .sort();
}

describe("the guide to performance", () => {
  it("has the answer to each question", () => {
    expect(questions().length).toBeGreaterThan(15);
    expect(tables(readDocument("docs/performance.md"))).toEqual(questions());
  });

  it("control: a table that is not closed is none", () => {
    expect(tables("<!-- bench hello -->\n<!-- bench start -->\n<!-- /bench -->\n")).toEqual(["hello"]);
  });
});
