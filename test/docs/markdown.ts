/** Reads the documents that users read: their code blocks, the cells of their tables, their links and code spans. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The repository's folder. */
export const repository = join(import.meta.dirname, "../..");

/** A fenced block. */
export interface Block {
  /** Behind the fence: `console`, `ts`, `lua`, `text`, …; empty for none. */
  readonly language: string;
  readonly text: string;
  /** Where it begins, for messages: `README.md:12`. */
  readonly place: string;
}

export function readDocument(file: string): string {
  return readFileSync(join(repository, file), "utf8");
}

/** Every Markdown document of the package, by its path in the repository. */
export function documents(): readonly string[] {
  const guides = readdirSync(join(repository, "docs")).filter((name) => name.endsWith(".md"));
  return ["README.md", "CHANGELOG.md", ...guides.map((name) => `docs/${name}`)];
}

/** The fenced blocks, in order. */
export function blocksOf(markdown: string, file: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const [, language] = /^```(\w*)\s*$/.exec(lines[at]!) ?? [];
    if (language === undefined) continue;
    const end = lines.indexOf("```", at + 1);
    if (end < 0) throw new Error(`${file}:${at + 1}: the block is not closed`);
    blocks.push({ language, text: lines.slice(at + 1, end).join("\n"), place: `${file}:${at + 1}` });
    at = end;
  }
  return blocks;
}

/** The text outside of fenced blocks. */
export function proseOf(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, "");
}

/** The rows of the tables below a heading that has these words in it, up to the next one of its level. */
export function rowsBelow(markdown: string, heading: string): readonly (readonly string[])[] {
  const rows: (readonly string[])[] = [];
  /** Of the heading that was looked for; 0 outside of what is below it. */
  let level = 0;
  let before = "";
  for (const line of proseOf(markdown).split("\n")) {
    const [, marks, title = ""] = /^(#+) (.*)$/.exec(line) ?? [];
    if (marks !== undefined && (level === 0 || marks.length <= level))
      level = title.includes(heading) ? marks.length : 0;
    // The first line of a table is its head, the second its ruler.
    const isRow = line.startsWith("|") && before.startsWith("|") && !/^\|[\s|:-]+$/.test(line);
    if (level > 0 && isRow) rows.push(cellsOf(line));
    before = line;
  }
  return rows;
}

/** A `|` inside of a code span is written `\|`. */
function cellsOf(line: string): readonly string[] {
  return line
    .replace(/^\|/, "")
    .replace(/\|\s*$/, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/** What stands in backticks. */
export function codeSpans(markdown: string): readonly string[] {
  return [...proseOf(markdown).matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!);
}

/** Targets of links, without those that lead out of the repository. */
export function linksOf(markdown: string): readonly string[] {
  return [
    ...proseOf(markdown)
      .replace(/`[^`\n]+`/g, "code")
      .matchAll(/\]\(([^)\s]+)\)/g),
  ]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** The anchor that a heading gets, as GitHub forms it. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = proseOf(markdown).matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, title]) =>
      title!
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}
