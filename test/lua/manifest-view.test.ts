/** The manifest of a VM from generation to generation: each view reads its own, and what none needs is let go. */

import { describe, expect, it, vi } from "vitest";
import type { ManifestDelta, ManifestSnapshot } from "../../src/core/manifest.ts";
import { packFiles } from "../../src/core/packed-manifest.ts";
import { CodeCache } from "../../src/lua/code-cache.ts";
import { ManifestView } from "../../src/lua/manifest-view.ts";
import { change, root, testVm } from "./vm-harness.ts";

const textOf = (view: ManifestView, name: string) => {
  const file = view.lookup(`${root}/${name}`);
  return file && Buffer.from(view.bytes(file.content)).toString();
};

/** Everything in shared memory, as a VM gets it that starts later than the agent. */
function packed({ present, absent, arenas }: ManifestDelta): ManifestSnapshot {
  return { packed: packFiles(present), present: [], absent, arenas };
}

describe.each([
  ["file by file", (delta: ManifestDelta): ManifestSnapshot => delta],
  ["in shared memory", packed],
])("the views of one VM that got the first manifest %s", (_, snapshot) => {
  it("read each their own generation, while there are older ones and after", () => {
    const first = ManifestView.complete(snapshot(change({ "a.lua": "a1", "b.lua": "b1" })));
    const second = first.next(change({ "a.lua": "a2" }));
    second.tidy([first]);
    const third = second.next(change({ "b.lua": null, "c.lua": "c3" }));
    third.tidy([first, second]);
    const all = (view: ManifestView) => ["a.lua", "b.lua", "c.lua"].map((name) => textOf(view, name));
    expect([first, second, third].map(all)).toEqual([
      ["a1", "b1", undefined],
      ["a2", "b1", undefined],
      ["a2", undefined, "c3"],
    ]);
    third.tidy([]);
    expect(all(third)).toEqual(["a2", undefined, "c3"]);
  });

  it("let go of arenas that none of them names", () => {
    const older = ManifestView.complete(snapshot(change({ "a.lua": "first", "b.lua": "b1" })));
    let view = older;
    let most = 0;
    for (let generation = 2; generation <= 3_000; generation++) {
      view = view.next(change({ "a.lua": `a${generation}` }));
      view.tidy([older]);
      most = Math.max(most, view.arenaCount);
    }
    expect(most).toBeLessThan(300);
    expect([textOf(older, "a.lua"), textOf(view, "a.lua"), textOf(view, "b.lua")]).toEqual([
      "first",
      "a3000",
      "b1",
    ]);
  });

  it("let go of the first contents when all have been replaced", () => {
    let view = ManifestView.complete(snapshot(change({ "a.lua": "a".repeat(2 ** 20), "b.lua": "b1" })));
    for (let generation = 2; generation <= 1_000; generation++) {
      view = view.next(change({ "a.lua": `a${generation}`, "b.lua": `b${generation}` }));
      view.tidy([]);
    }
    expect(view.arenaCount).toBeLessThan(600);
    expect([textOf(view, "a.lua"), textOf(view, "b.lua")]).toEqual(["a1000", "b1000"]);
  });

  it("do not reach one that was detached", () => {
    const first = ManifestView.complete(snapshot(change({ "a.lua": "a1" })));
    const detached = first.detached();
    for (let generation = 2, view = first; generation <= 3_000; generation++) {
      view = view.next(change({ "a.lua": `a${generation}` }));
      view.tidy([]);
    }
    expect(textOf(detached, "a.lua")).toBe("a1");
  });
});

describe("a VM that moves again and again", () => {
  it("keeps no compiled code of contents that are gone, and takes an old one again", () => {
    const push = vi.spyOn(CodeCache.prototype, "push");
    const { vm, run, move } = testVm({ "m.lua": "return 1" });
    const load = () => vm.load("m", { deadlineMs: 0, instructions: 0, context: undefined }, () => {});
    load();
    const codeCache = push.mock.contexts[0] as CodeCache;
    push.mockRestore();
    for (let version = 2; version <= 20; version++) {
      move({ "m.lua": `return ${version}` }, ["m"]);
      load();
      expect(codeCache.size).toBe(1);
    }
    expect(run("return require 'm'")).toBe(20);
    move({ "m.lua": "return 3" }, ["m"]);
    expect(run("return require 'm'")).toBe(3);
  });
});
