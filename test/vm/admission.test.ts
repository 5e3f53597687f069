import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Candidate, chooseVm, type Linked, WaitingLine } from "../../src/vm/admission.ts";

describe("the choice of a VM", () => {
  const candidates = fc.array(fc.record({ accepting: fc.boolean(), inFlight: fc.nat(6) }), {
    minLength: 1,
    maxLength: 6,
  });
  type Choose = typeof chooseVm;

  /** True when `choose` takes the least loaded of those that may take work, and says -1 only without any. */
  function choosesLeast(choose: Choose): boolean {
    return (
      fc.check(
        fc.property(candidates, fc.nat(5), (all, last) => {
          const concurrency = 4;
          const free = all.filter((one) => one.accepting && one.inFlight < concurrency);
          const chosen = all[choose(all, concurrency, last)];
          if (free.length === 0) return chosen === undefined;
          return (
            chosen !== undefined &&
            free.includes(chosen) &&
            free.every((one) => one.inFlight >= chosen.inFlight)
          );
        }),
      ).failed === false
    );
  }

  it("is the one with the least in flight, below the bound", () => {
    expect(choosesLeast(chooseVm)).toBe(true);
  });

  it("control: a choice in turn alone, or one that ignores the bound, is caught", () => {
    const inTurn: Choose = (all, concurrency, last) => {
      for (let step = 1; step <= all.length; step += 1) {
        const index = (last + step) % all.length;
        if (all[index]!.accepting && all[index]!.inFlight < concurrency) return index;
      }
      return -1;
    };
    expect(choosesLeast(inTurn)).toBe(false);
    expect(choosesLeast((all, _concurrency, last) => chooseVm(all, Number.POSITIVE_INFINITY, last))).toBe(
      false,
    );
  });

  it("lets equals take turns", () => {
    const all: Candidate[] = Array.from({ length: 3 }, () => ({ accepting: true, inFlight: 0 }));
    const turns: number[] = [];
    let last = -1;
    for (let round = 0; round < 6; round += 1) {
      last = chooseVm(all, 1, last);
      turns.push(last);
    }
    expect(turns).toEqual([0, 1, 2, 0, 1, 2]);
  });
});

describe("the waiting line", () => {
  class Entry implements Linked<Entry> {
    ahead: Entry | undefined;
    behind: Entry | undefined;
    readonly name: number;
    constructor(name: number) {
      this.name = name;
    }
  }
  type Step = { readonly do: "push" | "shift" | "putBack" | "remove"; readonly which: number };
  const steps = fc.array(
    fc.record({
      do: fc.constantFrom<Step["do"][]>("push", "push", "push", "shift", "putBack", "remove"),
      which: fc.nat(9),
    }),
    { maxLength: 60 },
  );

  /** True when the line does the same as an array would. */
  function behavesLikeAnArray(make: (limit: number) => WaitingLine<Entry>): boolean {
    return (
      fc.check(
        fc.property(steps, (script) => {
          const limit = 3;
          const line = make(limit);
          const model: Entry[] = [];
          for (const [name, step] of script.entries()) {
            const entry = new Entry(name);
            if (step.do === "push") {
              if (line.push(entry) !== model.length < limit) return false;
              if (model.length < limit) model.push(entry);
            } else if (step.do === "putBack") {
              line.putBack(entry);
              model.unshift(entry);
            } else if (step.do === "shift") {
              if (line.shift() !== model.shift()) return false;
            } else if (model.length > 0) {
              const [taken] = model.splice(step.which % model.length, 1);
              line.remove(taken!);
            }
            if (line.size !== model.length || line.first !== model[0]) return false;
          }
          while (model.length > 0) if (line.shift() !== model.shift()) return false;
          return line.shift() === undefined;
        }),
      ).failed === false
    );
  }

  it("is first in, first out, bounded, with a front for what comes back", () => {
    expect(behavesLikeAnArray((limit) => new WaitingLine(limit))).toBe(true);
  });

  it("control: a line that puts back at the end, or lets one too many in, is caught", () => {
    class Careless extends WaitingLine<Entry> {
      override putBack(entry: Entry): void {
        this.push(entry);
      }
    }
    expect(behavesLikeAnArray((limit) => new Careless(limit))).toBe(false);
    expect(behavesLikeAnArray((limit) => new WaitingLine(limit + 1))).toBe(false);
  });
});
