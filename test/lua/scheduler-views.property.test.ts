import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lua, type lua_State } from "#fengari";
import type { Activity, GenerationView } from "../../src/lua/activity.ts";
import type { SchedulerOptions } from "../../src/lua/scheduler.ts";
import { freeActivity, loadInto, type ScheduledLua, scheduledLua } from "./scheduled-lua.ts";

/** What a program does in turn; `spawn` starts another one from below, of another generation. */
type Step =
  | { readonly kind: "look" | "sleep" | "yield" | "error" | "exit" | "loop" | "abort" | "wake" }
  | { readonly kind: "pcall" | "coroutine" | "sort" | "spawn"; readonly steps: readonly Step[] };

const { steps } = fc.letrec<{ steps: Step[] }>((tie) => ({
  steps: fc.array(
    fc.oneof(
      { depthSize: "medium", withCrossShrink: true },
      fc.record({
        kind: fc.constantFrom(
          "look",
          "look",
          "sleep",
          "sleep",
          "yield",
          "error",
          "exit",
          "loop",
          "abort",
          "wake",
        ),
      }) as fc.Arbitrary<Step>,
      fc.record({
        kind: fc.constantFrom("pcall", "coroutine", "sort", "spawn"),
        steps: tie("steps"),
      }) as fc.Arbitrary<Step>,
    ),
    { maxLength: 6 },
  ),
}));

function luaOf(all: readonly Step[]): string {
  return all.map(stepText).join(" ");
}

function stepText(step: Step): string {
  switch (step.kind) {
    case "look":
      return "look()";
    case "sleep":
      return "sleep('s')";
    case "yield":
      return "coroutine.yield()";
    case "error":
      return "error(setmetatable({}, {__tostring = function() look() return 'e' end}))";
    case "exit":
      return "exit('x')";
    case "loop":
      return "for i = 1, 1e9 do end";
    case "abort":
      return "abort()";
    case "wake":
      return "wake()";
    case "pcall":
      return `pcall(function() ${luaOf(step.steps)} end)`;
    case "coroutine":
      return `for _ in coroutine.wrap(function() ${luaOf(step.steps)} end) do look() end`;
    case "sort":
      return `pcall(table.sort, {2, 1}, function() ${luaOf(step.steps)} end)`;
    case "spawn":
      return `spawn(function() ${luaOf(step.steps)} end)`;
  }
}

/** Follows which view is entered, and objects to everything that is not strictly in turn. */
class Turnstile {
  readonly problems: string[] = [];
  /** The generation that is entered. */
  inside: number | undefined = undefined;
  /** The activity that `onEnter` named last and `onLeave` has not ended. */
  stamped: Activity | undefined = undefined;
  entries = 0;

  view(generation: number): GenerationView {
    return {
      generation,
      enter: () => {
        this.expect(this.inside === undefined, `entered ${generation} while in ${this.inside}`);
        this.inside = generation;
        this.entries++;
      },
      leave: () => {
        this.expect(this.inside === generation, `left ${generation} while in ${this.inside}`);
        this.expect(this.stamped === undefined, `left ${generation} while still stamped`);
        this.inside = undefined;
      },
    };
  }

  readonly options: SchedulerOptions = {
    onEnter: (activity) => {
      this.expect(this.inside === activity.view.generation, "stamped outside of its view");
      this.expect(this.stamped === undefined, "stamped twice");
      this.stamped = activity;
    },
    onLeave: () => {
      this.expect(this.stamped !== undefined, "unstamped twice");
      this.stamped = undefined;
    },
  };

  expect(holds: boolean, problem: string): void {
    if (!holds) this.problems.push(problem);
  }
}

type Spoil = (view: GenerationView) => GenerationView;

/** Runs programs of generations of their own until nothing waits any more; the problems that were seen. */
async function observe(
  programs: readonly Step[][],
  order: readonly number[],
  spoil: Spoil,
): Promise<string[]> {
  const turnstile = new Turnstile();
  const vm: ScheduledLua = scheduledLua(turnstile.options);
  let generation = 0;
  let started = 0;
  let ended = 0;
  const abortable: { abort(): void }[] = [];

  const start = (push: (co: lua_State) => number): void => {
    generation++;
    started++;
    if (started > 50) return void started--;
    const activity = { ...freeActivity(), view: spoil(turnstile.view(generation)), instructions: 20_000 };
    const running = vm.scheduler.run(activity, push, () => {
      ended++;
    });
    abortable.push(running);
  };
  vm.define("look", () => {
    const activity = vm.scheduler.current();
    turnstile.expect(activity !== undefined, "no activity is current");
    turnstile.expect(turnstile.inside === activity?.view.generation, "Lua ran outside of its view");
    turnstile.expect(turnstile.stamped === activity, "Lua ran without its stamp");
    return 0;
  });
  vm.define("spawn", (L) => {
    const before = vm.scheduler.current();
    start((co) => {
      lua.lua_pushvalue(L, 1);
      lua.lua_xmove(L, co, 1);
      return 0;
    });
    turnstile.expect(vm.scheduler.current() === before, "the one that started another is no longer current");
    turnstile.expect(
      turnstile.inside === before?.view.generation,
      "the one that started another is not in its view",
    );
    return 0;
  });
  vm.define("abort", () => {
    abortable[(order[0] ?? 0) % Math.max(1, abortable.length)]?.abort();
    return 0;
  });
  vm.define("wake", () => {
    vm.wakeNext();
    return 0;
  });

  for (const program of programs) start((co) => loadInto(co, luaOf(program)));
  for (let turn = 0; vm.scheduler.size > 0; turn++) {
    turnstile.expect(turnstile.inside === undefined, "a view stayed entered between two turns");
    turnstile.expect(vm.scheduler.current() === undefined, "an activity stayed current between two turns");
    if (vm.sleepers.length > 0) vm.wakeAt((order[turn % order.length] ?? 0) % vm.sleepers.length);
    else await new Promise((resolve) => setImmediate(resolve));
  }
  turnstile.expect(turnstile.inside === undefined, "a view stayed entered at the end");
  turnstile.expect(ended === started, `${started} started, ${ended} ended`);
  turnstile.expect(lua.lua_gettop(vm.L) === 0, "the main stack is not empty");
  return turnstile.problems;
}

const scenario = [
  fc.array(steps, { minLength: 1, maxLength: 4 }),
  fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 }),
] as const;

describe("whatever programs do, views are entered and left strictly in turn around their Lua code", () => {
  it("in random programs that start, wake, abort and end each other", async () => {
    await fc.assert(
      fc.asyncProperty(...scenario, async (programs, order) => {
        expect(await observe(programs, order, (view) => view)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it("and a view that is not left once in a while is noticed (control)", async () => {
    let leaves = 0;
    const forgetful: Spoil = (view) => ({ ...view, leave: () => ++leaves % 5 > 0 && view.leave() });
    await expect(
      fc.assert(
        fc.asyncProperty(...scenario, async (programs, order) => {
          expect(await observe(programs, order, forgetful)).toEqual([]);
        }),
        { numRuns: 300 },
      ),
    ).rejects.toThrow(/Property failed/);
  });
});
