import { afterEach, describe, expect, it, vi } from "vitest";
import { lua, type lua_State } from "#fengari";
import { freeActivity, loadInto, returned, type ScheduledLua, scheduledLua } from "./scheduled-lua.ts";

/** Programs that would run for ever, each trying to survive in its own way; none may reach `emit`. */
const attacks: readonly (readonly [string, string])[] = [
  ["a bare loop", "while true do end"],
  ["a goto loop", "::again:: goto again"],
  ["a numeric loop", "for i = 1, math.huge do end"],
  ["a loop in pcall", "pcall(function() while true do end end)"],
  ["pcall in a loop", "while true do pcall(function() while true do end end) end"],
  ["errors in pcall in a loop", "while true do pcall(error) end"],
  ["pcall of pcall of pcall", "local function f() return pcall(pcall, pcall, f) end while true do f() end"],
  ["endless recursion through pcall", "local function f() pcall(f) f() end while true do pcall(f) end"],
  ["xpcall whose handler loops", "xpcall(error, function() while true do end end)"],
  [
    "xpcall whose handler calls xpcall",
    "local function h() return xpcall(error, h) end while true do xpcall(error, h) end",
  ],
  [
    "xpcall whose handler is told of the kill",
    "while true do xpcall(function() while true do end end, function() emit('handler') end) end",
  ],
  ["a loop in a wrapped coroutine", "pcall(coroutine.wrap(function() while true do end end))"],
  [
    "wrapped coroutines in a loop",
    "while true do pcall(coroutine.wrap(function() while true do end end)) end",
  ],
  ["short coroutines in a loop", "while true do coroutine.wrap(function() end)() end"],
  [
    "a chain of yields",
    "local co = coroutine.wrap(function() while true do pcall(coroutine.yield) end end) while true do co() end",
  ],
  [
    "coroutine.resume that ignores what it gets",
    "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
  ],
  ["coroutines within coroutines", "local function f() while true do pcall(coroutine.wrap(f)) end end f()"],
  ["a comparator that loops", "pcall(table.sort, {3, 2, 1}, function() while true do end end)"],
  [
    "a comparator with pcall",
    "pcall(table.sort, {3, 2, 1}, function() while true do pcall(function() while true do end end) end end)",
  ],
  [
    "a coroutine in a comparator",
    "pcall(table.sort, {3, 2, 1}, function() while true do pcall(coroutine.wrap(function() while true do end end)) end end)",
  ],
  ["a gsub callback", "pcall(string.gsub, 'xxx', 'x', function() while true do pcall(error) end end)"],
  [
    "a metamethod that loops",
    "local t = setmetatable({}, {__index = function() while true do pcall(error) end end}) pcall(function() return t.x end)",
  ],
  [
    "a metamethod that recurs",
    "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) while true do pcall(function() return t[1] end) end",
  ],
  ["a __tostring that loops", "error(setmetatable({}, {__tostring = function() while true do end end}))"],
  ["an iterator that loops", "for _ in function() while true do end end do end"],
  ["a chunk reader that loops", "pcall(load, function() while true do end end)"],
  ["a stack overflow in a loop", "local function f() return 1 + f() end while true do pcall(f) end"],
  [
    "all at once",
    "pcall(coroutine.wrap(function() pcall(setmetatable({}, {__call = function() xpcall(function() table.sort({2, 1}, function() while true do pcall(error) end end) end, function() emit('handler') end) end})) emit('ran') end))",
  ],
];

/** What one activity's end may have damaged: everything that the next one needs. */
function expectHealthy(vm: ScheduledLua): void {
  const state = vm.L as unknown as { nCcalls: number; nny: number };
  expect({ nCcalls: state.nCcalls, nny: state.nny, top: lua.lua_gettop(vm.L) }).toEqual({
    nCcalls: 0,
    nny: 1,
    top: 0,
  });
  expect(lua.lua_gethookcount(vm.L)).toBe(1000);
  expect(vm.scheduler.size).toBe(0);
  expect(vm.scheduler.current()).toBeUndefined();
  const program = vm.start(
    `local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return sleep('s', b * 2) end)
     local ok, message = pcall(error, 'caught', 0)
     local sum = 0
     for i = 1, 10000 do sum = sum + i end
     return co(1), co(21), message, sum`,
    { instructions: 1_000_000 },
  );
  vm.wakeAll();
  expect(program.ended).toEqual(returned("2", "42", "caught", "50005000"));
  expect(vm.emitted).toEqual([]);
}

describe("the budget of instructions", () => {
  it.each(attacks)("kills %s, and the VM stays whole", (_, code) => {
    const vm = scheduledLua();
    const program = vm.start(`${code} emit('ran on')`, { instructions: 50_000 });
    expect(program.ended).toEqual({ kind: "killed", why: "instructions" });
    expectHealthy(vm);
  });

  it("kills what sleeps in between", () => {
    const vm = scheduledLua();
    const program = vm.start("while true do pcall(sleep, 's') for i = 1, 100 do end end", {
      instructions: 50_000,
    });
    let wakes = 0;
    for (; program.ended === undefined; wakes++) vm.wakeNext();
    expect(program.ended).toEqual({ kind: "killed", why: "instructions" });
    expect(wakes).toBeGreaterThan(100);
    expectHealthy(vm);
  });

  it("is one for all coroutines of an activity, short ones included", () => {
    const vm = scheduledLua();
    const activity = { ...freeActivity(), instructions: 10_000 };
    let runs = 0;
    let ended = vm.startFunction((co) => loadInto(co, "for i = 1, 300 do end"), activity).ended;
    for (; ended?.kind === "returned" && runs < 1000; runs++) {
      ended = vm.startFunction((co) => loadInto(co, "for i = 1, 300 do end"), activity).ended;
    }
    expect(ended).toEqual({ kind: "killed", why: "instructions" });
    // 303 instructions each, none of them long enough for the hook to see.
    expect(runs).toBe(33);
  });

  it("does not reach an activity that stays below it", () => {
    const vm = scheduledLua();
    expect(vm.start("for i = 1, 10000 do end return 'done'", { instructions: 100_000 }).ended).toEqual(
      returned("done"),
    );
  });

  it("leaves the programs beside it alone", () => {
    const vm = scheduledLua();
    const beside = vm.start("sleep('first') return sleep('second', 'slept')");
    const looping = vm.start("while true do pcall(error) end", { instructions: 50_000 });
    vm.wakeNext();
    expect(looping.ended?.kind).toBe("killed");
    vm.wakeNext();
    expect(beside.ended).toEqual(returned("slept"));
  });

  it("lets no instruction run between two levels that the kill passes", () => {
    const vm = scheduledLua();
    const program = vm.start(
      `pcall(table.sort, {3, 2, 1}, function()
         pcall(coroutine.wrap(function() pcall(string.gsub, 'x', 'x', function() while true do end end) emit('inner') end))
         emit('comparator')
       end)
       emit('outer')`,
      { instructions: 50_000 },
    );
    expect(program.ended).toEqual({ kind: "killed", why: "instructions" });
    expectHealthy(vm);
  });

  it("reaches what a C function runs on the main stack", () => {
    const vm = scheduledLua();
    vm.define("onMain", () => {
      loadInto(vm.L, "while true do pcall(error) end");
      lua.lua_pcall(vm.L, 0, 0, 0);
      lua.lua_settop(vm.L, 0);
      return 0;
    });
    const program = vm.start("pcall(onMain) emit('ran on')", { instructions: 50_000 });
    expect(program.ended).toEqual({ kind: "killed", why: "instructions" });
    expectHealthy(vm);
  });

  it("of a program started by another ends that one only", () => {
    const vm = scheduledLua();
    vm.define("spawnLoop", () => {
      vm.start("while true do pcall(error) end", { instructions: 50_000 });
      return 0;
    });
    const outer = vm.start("return pcall(spawnLoop)", { instructions: 50_000 });
    expect(outer.ended).toEqual(returned("true"));
  });
});

describe("the deadline", () => {
  it.each(attacks.slice(0, 12))("kills %s", (_, code) => {
    const vm = scheduledLua();
    expect(vm.start(`${code} emit('ran on')`, { deadlineMs: 10 }).ended).toEqual({
      kind: "killed",
      why: "deadline",
    });
    expectHealthy(vm);
  });

  it("ends what sleeps too long, and cancels its wait", async () => {
    const vm = scheduledLua();
    const program = vm.start(
      "pcall(coroutine.wrap(function() pcall(sleep, 's') emit('ran') end)) emit('ran')",
      {
        deadlineMs: 10,
      },
    );
    expect(await program.end).toEqual({ kind: "killed", why: "deadline" });
    expect(vm.cancelled).toEqual(["s"]);
    expectHealthy(vm);
  });

  it("ends what is woken too late", () => {
    const vm = scheduledLua();
    const program = vm.start("sleep('s') emit('ran')", { deadlineMs: 10_000 });
    const now = vi.spyOn(performance, "now").mockReturnValue(performance.now() + 20_000);
    vm.wakeNext();
    now.mockRestore();
    expect(program.ended).toEqual({ kind: "killed", why: "deadline" });
    expectHealthy(vm);
  });

  it("does not begin what has no time left", () => {
    const vm = scheduledLua();
    const program = vm.start("emit('ran')", { deadlineMs: 10, startedAtMs: performance.now() - 20 });
    expect(program.ended).toEqual({ kind: "killed", why: "deadline" });
    expectHealthy(vm);
  });

  it("ends each sleeper at its own time", async () => {
    const vm = scheduledLua();
    const order: string[] = [];
    const sleepUntil = (deadlineMs: number): Promise<unknown> =>
      vm.start("sleep('s')", { deadlineMs }).end.then(() => order.push(String(deadlineMs)));
    await Promise.all([sleepUntil(90), sleepUntil(30), sleepUntil(60)]);
    expect(order).toEqual(["30", "60", "90"]);
    expect(vm.cancelled).toHaveLength(3);
  });

  describe("of many sleepers", () => {
    afterEach(() => vi.restoreAllMocks());

    it("costs one timer", () => {
      const vm = scheduledLua();
      const timers = vi.spyOn(globalThis, "setTimeout");
      const startedAtMs = performance.now();
      for (let n = 0; n < 500; n++)
        vm.start("sleep('a') sleep('b')", { deadlineMs: 60_000, startedAtMs: startedAtMs + n });
      vm.wakeAll();
      expect(timers.mock.calls.length).toBe(1);
    });
  });
});

describe("errors that are no attack", () => {
  it.each([
    ["deep recursion in Lua", "local function f() return 1 + f() end return pcall(f)", /stack overflow/],
    [
      "deep recursion through pcall",
      "local function f() local ok, m = pcall(f) error(m, 0) end return pcall(f)",
      /stack overflow/,
    ],
    [
      "deep recursion through metamethods",
      "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) return pcall(function() return t[1] end)",
      /stack overflow/,
    ],
    [
      "deep recursion through coroutines",
      "local function f() return coroutine.wrap(f)() end return pcall(f)",
      /stack overflow/,
    ],
    [
      "deep recursion through gsub",
      "local function f() return (string.gsub('x', 'x', f)) end return pcall(f)",
      /stack overflow/,
    ],
    ["an error in the error handler", "return xpcall(error, function() error('again') end)", /./],
  ])("%s can be caught, and the VM stays whole", (_, code, message) => {
    const vm = scheduledLua();
    const program = vm.start(code, { instructions: 10_000_000 });
    expect(program.ended).toEqual(returned("false", expect.stringMatching(message) as unknown as string));
    expectHealthy(vm);
  });

  it("end the program when nobody catches them", () => {
    const vm = scheduledLua();
    const program = vm.start("local function f() return 1 + f() end f()");
    expect(program.ended).toMatchObject({
      kind: "error",
      message: expect.stringContaining("stack overflow"),
    });
    expectHealthy(vm);
  });

  it("leave the hook on: a program that has caught errors is killed all the same", () => {
    const vm = scheduledLua();
    const program = vm.start(
      "pcall(error) pcall(coroutine.wrap(error)) pcall(table.sort, {2, 1}, error) while true do end",
      { instructions: 50_000 },
    );
    expect(program.ended).toEqual({ kind: "killed", why: "instructions" });
  });

  it("from JavaScript can be caught, and the VM stays whole", () => {
    const vm = scheduledLua();
    vm.define("overflow", function overflow(L: lua_State): number {
      return overflow(L) + 1;
    });
    vm.define("exhaust", () => new Array(-1).length);
    const program = vm.start("return select(2, pcall(overflow)), select(2, pcall(exhaust))");
    expect(program.ended).toEqual(returned("stack overflow", "not enough memory"));
    expectHealthy(vm);
  });
});
