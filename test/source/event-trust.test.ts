/** When events are relied on, by what they told of and what they did not. */

import { describe, expect, it } from "vitest";
import { EventTrust } from "../../src/source/event-trust.ts";

const found = (...absent: string[]) => ({ present: [], absent });

function missedStep(trust: EventTrust): number {
  trust.heard([], true);
  return trust.judge(found("/r/a.lua"));
}

function toldStep(trust: EventTrust): number {
  trust.heard(["/r"], true);
  return trust.judge(found("/r/a.lua"));
}

describe("trust in events", () => {
  it("counts the files that no event told of, neither their folder nor one above", () => {
    const trust = new EventTrust();
    trust.heard(["/r/d"], true);
    expect(trust.judge(found("/r/d/a.lua", "/r/d/e/a.lua", "/r/de/a.lua", "/r/a.lua"))).toBe(2);
    expect(trust.missed).toBe(2);
    trust.heard(["/"], true);
    expect(trust.judge(found("/x.lua"))).toBe(0);
  });

  it("does not count what events were not expected to tell of, nor steps without files", () => {
    const trust = new EventTrust();
    for (let step = 0; step < 5; step += 1) {
      trust.heard([], false);
      expect(trust.judge(found("/r/a.lua"))).toBe(0);
      trust.heard([], true);
      expect(trust.judge(found())).toBe(0);
    }
    expect(trust).toMatchObject({ missed: 0, lost: false });
  });

  it("is lost with the third step in a row that no event told of, and back after ten that one did", () => {
    const trust = new EventTrust();
    for (const step of [missedStep, missedStep, toldStep, missedStep, missedStep]) step(trust);
    expect(trust.lost).toBe(false);
    missedStep(trust);
    expect(trust.lost).toBe(true);
    for (let step = 0; step < 9; step += 1) toldStep(trust);
    missedStep(trust);
    for (let step = 0; step < 9; step += 1) toldStep(trust);
    expect(trust.lost).toBe(true);
    toldStep(trust);
    expect(trust.lost).toBe(false);
    expect(trust.missed).toBe(6);
  });
});
