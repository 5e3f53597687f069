/** When a pass is due, by a clock that the test sets. */

import { describe, expect, it } from "vitest";
import { Settle } from "../../src/source/settle.ts";

const idle = () => false;

describe("a settle window", () => {
  it("is over after settleMs without a hint", () => {
    const settle = new Settle({ settleMs: 20, maxWaitMs: 1000 });
    expect(settle.dueInMs(0, idle)).toBeUndefined();
    settle.hint("/a", "event", 0);
    settle.hint("/b", "sweep", 15);
    expect(settle.pending).toBe(true);
    expect(settle.dueInMs(20, idle)).toBe(15);
    expect(settle.dueInMs(35, idle)).toBe(0);
    const due = settle.take(35);
    expect([...due.folders]).toEqual(["/a", "/b"]);
    expect([...due.told]).toEqual(["/a"]);
    expect(due).toMatchObject({ everything: false, hinted: true });
    expect(settle.pending).toBe(false);
    expect(settle.dueInMs(35, idle)).toBeUndefined();
  });

  it("is not made longer by a sweep that finds again what waits already", () => {
    const settle = new Settle({ settleMs: 20, maxWaitMs: 1000 });
    settle.hint("/a", "event", 0);
    settle.hint("/a", "sweep", 15);
    expect(settle.dueInMs(15, idle)).toBe(5);
    settle.hint("/b", "sweep", 15);
    for (let sweeps = 0; sweeps < 50; sweeps += 1) settle.hint("/b", "sweep", 16);
    expect(settle.dueInMs(35, idle)).toBe(0);
    expect([...settle.take(35).told]).toEqual(["/a"]);
  });

  it("lasts five times as long after more hints than a save makes, and never longer than maxWaitMs", () => {
    const settle = new Settle({ settleMs: 20, maxWaitMs: 1000 });
    for (let i = 0; i < 32; i += 1) settle.hint("/a", "event", 0);
    expect(settle.dueInMs(0, idle)).toBe(20);
    settle.hint("/a", "event", 0);
    expect(settle.dueInMs(0, idle)).toBe(100);
    settle.prolong(950);
    expect(settle.dueInMs(950, idle)).toBe(50);
    settle.take(1000);
    settle.hint("/a", "event", 1900);
    expect(settle.dueInMs(1900, idle)).toBe(100);
    settle.take(2000);
    settle.hint("/a", "event", 3000);
    expect(settle.dueInMs(3000, idle)).toBe(20);
  });

  it("is over after maxWaitMs though hints keep coming", () => {
    const settle = new Settle({ settleMs: 20, maxWaitMs: 100 });
    for (let nowMs = 0; nowMs < 100; nowMs += 10) settle.hint("/a", "event", nowMs);
    expect(settle.dueInMs(95, idle)).toBe(5);
    expect(settle.dueInMs(100, idle)).toBe(0);
    expect(settle.take(100)).toMatchObject({ hinted: true, quiet: false });
    settle.hint("/a", "event", 200);
    expect(settle.take(220)).toMatchObject({ hinted: true, quiet: true });
  });

  it("is made longer by temporary files, which alone are no reason to look", () => {
    const settle = new Settle({ settleMs: 20, maxWaitMs: 1000 });
    settle.prolong(0);
    expect(settle.dueInMs(50, idle)).toBeUndefined();
    settle.hint("/a", "event", 50);
    settle.prolong(60);
    expect(settle.dueInMs(70, idle)).toBe(10);
  });

  it("waits for a busy writer, at most 5 seconds", () => {
    const settle = new Settle({ settleMs: 20, maxWaitMs: 1000 });
    settle.hint("/a", "event", 0);
    for (let nowMs = 20; nowMs < 5000; nowMs += 20) expect(settle.dueInMs(nowMs, () => true)).toBe(20);
    expect(settle.take(4999).folders.size).toBe(0);
    expect(settle.dueInMs(5000, () => true)).toBe(0);
    expect(settle.take(5000).folders.size).toBe(1);
  });

  it("lets second looks wait too, which would see half of what is being written", () => {
    const settle = new Settle({ settleMs: 100, maxWaitMs: 1000 });
    settle.again("/young", 60);
    expect(settle.dueInMs(0, idle)).toBe(60);
    settle.hint("/a", "event", 50);
    expect(settle.dueInMs(60, idle)).toBe(90);
    expect(settle.take(60).folders.size).toBe(0);
    const due = settle.take(150);
    expect([...due.folders].sort()).toEqual(["/a", "/young"]);
    expect(due.hinted).toBe(true);
    settle.again("/young", 200);
    expect(settle.dueInMs(200, () => true)).toBe(100);
    expect(settle.dueInMs(300, idle)).toBe(0);
    expect(settle.take(300)).toMatchObject({ hinted: false, told: new Set(["/young"]) });
  });

  it("asks to look everywhere after a flood of hints, since the kernel may have dropped some", () => {
    const settle = new Settle({ settleMs: 20, maxWaitMs: 1000 });
    for (let i = 0; i < 8191; i += 1) settle.hint("/a", "event", 0);
    expect(settle.take(20).everything).toBe(false);
    for (let i = 0; i < 8192; i += 1) settle.hint("/a", "event", 100);
    expect(settle.take(200).everything).toBe(true);
  });
});
