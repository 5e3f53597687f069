import { describe, expect, it } from "vitest";
import { createSlots, slot } from "../../src/vm/shared-slots.ts";
import { lookEveryMs, Watchdog, type Watched } from "../../src/vm/watchdog.ts";

class Suspect implements Watched {
  readonly slots = new Int32Array(createSlots());
  state: Watched["state"] = "ready";
  killed: string | undefined;

  kill(message: string): void {
    this.state = "gone";
    this.killed = message;
  }

  enter(): void {
    this.slots[slot.running] = 1;
    this.slots[slot.entries]! += 1;
  }

  leave(): void {
    this.slots[slot.running] = 0;
  }
}

/** Looks until `ms` have passed; `between` runs before each look. */
function watch(watchdog: Watchdog, suspect: Suspect, ms: number, between = () => {}): void {
  for (let passed = 0; passed < ms; passed += lookEveryMs) {
    between();
    watchdog.look([suspect], lookEveryMs);
  }
}

describe("the watchdog", () => {
  it("kills a VM that stays in one entry into Lua for longer than the limit", () => {
    const suspect = new Suspect();
    const watchdog = new Watchdog({ entryMs: 500, bootMs: 0 });
    suspect.enter();
    watch(watchdog, suspect, 500);
    expect(suspect.killed).toBeUndefined();
    watch(watchdog, suspect, 100);
    expect(suspect.killed).toBe("stuck in Lua code for more than 500 ms");
  });

  it("leaves a VM alone that is always busy, but with one entry after another", () => {
    const suspect = new Suspect();
    watch(new Watchdog({ entryMs: 500, bootMs: 0 }), suspect, 5_000, () => suspect.enter());
    expect(suspect.killed).toBeUndefined();
  });

  it("leaves a VM alone that waits", () => {
    const suspect = new Suspect();
    suspect.enter();
    suspect.leave();
    watch(new Watchdog({ entryMs: 500, bootMs: 0 }), suspect, 5_000);
    expect(suspect.killed).toBeUndefined();
  });

  it("does not count the time in which the whole process was stopped", () => {
    const suspect = new Suspect();
    const watchdog = new Watchdog({ entryMs: 500, bootMs: 0 });
    suspect.enter();
    watchdog.look([suspect], lookEveryMs);
    watchdog.look([suspect], 60_000);
    expect(suspect.killed).toBeUndefined();
  });

  it("kills a VM that does not get ready in time", () => {
    const suspect = new Suspect();
    suspect.state = "booting";
    watch(new Watchdog({ entryMs: 0, bootMs: 1_000 }), suspect, 1_100);
    expect(suspect.killed).toBe("not ready within 1000 ms");
  });

  it("with limits of 0 looks and does nothing", () => {
    const suspect = new Suspect();
    suspect.state = "booting";
    suspect.enter();
    watch(new Watchdog({ entryMs: 0, bootMs: 0 }), suspect, 60_000);
    expect(suspect.killed).toBeUndefined();
  });
});
