/** docs/control-api.md against the control plane: its calls, its keys, its problems, and every example. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createOperations } from "../../src/http/control/relua/operations.ts";
import { reloadRequestSchema } from "../../src/http/control/relua/reloads.ts";
import { outcomeSchema } from "../../src/http/control/schemas.ts";
import { Metrics } from "../../src/observe/metrics.ts";
import { FakeAgent } from "../http/control/fake-agent.ts";
import { blocksOf, codeSpans, readDocument, repository, rowsBelow } from "./markdown.ts";
import { walkThrough } from "./walk-through.ts";

const file = "docs/control-api.md";
const guide = readDocument(file);
const firstSpans = (heading: string) => rowsBelow(guide, heading).map(([first]) => codeSpans(first!));

describe("the control API's guide", () => {
  it("lists every call of Relua's part", () => {
    const { operations } = createOperations(new FakeAgent());
    const listed = firstSpans("Relua's part")
      .flat()
      .filter((span) => /^(GET|POST) /.test(span));
    expect(listed.toSorted()).toEqual(operations.map(({ method, place }) => `${method} ${place}`).toSorted());
  });

  it("lists the keys of a reload's request and of its outcome", () => {
    const keys = [...Object.keys(reloadRequestSchema.shape), ...Object.keys(outcomeSchema.shape)];
    expect(firstSpans("Reloads").flat().toSorted()).toEqual(keys.toSorted());
  });

  it("lists every metric", async () => {
    const text = await new Metrics(new FakeAgent(), "1").text();
    const names = [...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(25);
    expect(firstSpans("Metrics").flat().toSorted()).toEqual(names.toSorted());
  });

  it("lists every code of the control plane's own problems", () => {
    const source = readFileSync(join(repository, "src/http/control/problem.ts"), "utf8");
    const [, union = ""] = /type ProblemCode =([^;]*);/.exec(source) ?? [];
    const codes = [...union.matchAll(/"([a-z-]+)"/g)].map(([, code]) => code!);
    expect(codes.length).toBeGreaterThan(10);
    expect(firstSpans("Problems").flat().toSorted()).toEqual([...codes, "generation-unknown"].toSorted());
  });

  it("shows what happens, call by call", async () => {
    await walkThrough(blocksOf(guide, file).filter(({ language }) => language === "console"));
  });
});
