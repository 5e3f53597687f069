/** The guide to state over reloads: its example does what it says. */

import { describe, expect, it } from "vitest";
import { servingVm } from "../support/serving-vm.ts";
import { blocksOf, readDocument } from "./markdown.ts";

const [, example] = blocksOf(readDocument("docs/hot.md"), "docs/hot.md").map(({ text }) => text);

function reloadTwice(module: string) {
  const { run, move, timers, log, close } = servingVm({ "hits.lua": module });
  run("for i = 1, 3 do require('hits').hit('/') end");
  for (const version of [2, 3]) move({ "hits.lua": `${module}-- ${version}` }, ["hits"], ["hits"]);
  const hits = run("return require('hits').hit('/')");
  const { pending } = timers;
  close();
  return { hits, pending, log: log.map((line) => /went on with .*|\d timers? ended.*/.exec(line)?.[0]) };
}

describe("the worked example", () => {
  it("goes on counting over reloads, with one timer", () => {
    expect(reloadTwice(example!)).toEqual({
      hits: 4,
      pending: 1,
      log: [
        "1 timer ended with its code",
        expect.stringContaining("went on with 1 reloads"),
        "1 timer ended with its code",
        expect.stringContaining("went on with 2 reloads"),
      ],
    });
  });

  it("control: without its handing over it starts from nothing", () => {
    expect(reloadTwice(example!.replace(/^hot.dispose.*$/m, "")).hits).toBe(1);
  });
});
