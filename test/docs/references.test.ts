/** What the documents point at is there: links, anchors, and the files and tests that they name. */

import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { anchorsOf, codeSpans, documents, linksOf, readDocument, repository } from "./markdown.ts";

/** What `markdown`, at `file`, points at and is not there. */
function lost(markdown: string, file: string): readonly string[] {
  const paths = codeSpans(markdown).filter((span) =>
    /^(src|test|build|bench|docs|lualib)\/[\w./-]+$/.test(span),
  );
  return [
    ...paths.filter((path) => !existsSync(join(repository, path))),
    ...linksOf(markdown).filter((target) => !leadsSomewhere(target, file)),
  ];
}

function leadsSomewhere(target: string, file: string): boolean {
  const [path = "", anchor] = target.split("#");
  const linked = path === "" ? file : normalize(join(dirname(file), path));
  if (!existsSync(join(repository, linked))) return false;
  return anchor === undefined || anchorsOf(readDocument(linked)).has(anchor);
}

describe("references", () => {
  it.each(documents())("of %s lead somewhere", (file) => {
    expect(lost(readDocument(file), file)).toEqual([]);
  });

  it("control: a file, an anchor and a test that are not there are noticed", () => {
    const markdown =
      "[a](nothing.md) [b](README.md#limits) [c](README.md#no-limits) `test/no.test.ts` `src/agent.ts`";
    expect(lost(markdown, "README.md")).toEqual(["test/no.test.ts", "nothing.md", "README.md#no-limits"]);
  });

  it("of semantics.md include tests for each of the ten invariants", () => {
    const invariants = readDocument("docs/semantics.md")
      .split(/^## \d+\. /m)
      .slice(1);
    expect(invariants).toHaveLength(10);
    for (const invariant of invariants)
      expect(
        codeSpans(invariant).filter((span) => /^test\/.*\.test\.ts$/.test(span)),
        invariant,
      ).not.toEqual([]);
  });
});
