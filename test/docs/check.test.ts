/** docs/check.md: its rules are those there are, and what it shows is what happens. */

import { describe, expect, it } from "vitest";
import { readSource } from "../../src/check/read-source.ts";
import { parseConfig } from "../../src/config/index.ts";
import { rules } from "../../src/core/check-rules.ts";
import { folderWith, relua } from "../cli/relua.ts";
import { blocksOf, codeSpans, readDocument, rowsBelow } from "./markdown.ts";

const file = "docs/check.md";
const guide = readDocument(file);
const block = (language: string) => {
  const found = blocksOf(guide, file).find((each) => each.language === language);
  if (found === undefined) throw new Error(`${file} has no ${language} block`);
  return found.text;
};

describe("the guide to relua check", () => {
  it("lists every rule with its severity", () => {
    const listed = rowsBelow(guide, "Rules").map(([rule, severity]) => [
      codeSpans(rule!)[0],
      severity!.trim(),
    ]);
    expect(listed).toEqual(Object.entries(rules).map(([id, { severity }]) => [id, severity]));
  });

  it("shows what is printed", async () => {
    const [command = "", ...lines] = block("console").trimEnd().split("\n");
    const [, name, text] =
      /mkdir (\w+) && printf '(.*)' > \w+\/total\.lua; relua check shop$/.exec(command) ?? [];
    const cwd = folderWith({ [`${name}/total.lua`]: text!.replaceAll("\\n", "\n") });
    const { out } = await relua(["check", "shop"], { cwd });
    expect(
      out
        .trimEnd()
        .replace(/\d+ ms/, "… ms")
        .split("\n"),
    ).toEqual(lines);
  });

  it("shows comments that leave out what they say", () => {
    const { suppressed } = readSource(block("lua"));
    expect([
      suppressed("global-write", 1),
      suppressed("global-write", 2),
      suppressed("unresolved-require", 3),
      suppressed("global-read", 3),
      suppressed("cannot-unload", 1),
    ]).toEqual([true, false, true, true, true]);
  });

  it("shows a configuration that is one", () => {
    const [, shown = ""] = /export default (\{[\s\S]*\});/.exec(block("ts")) ?? [];
    const config = parseConfig(new Function(`return ${shown}`)());
    expect(config.check.globals).toEqual(["app"]);
    expect(config.check.ignore).toHaveLength(2);
  });
});
