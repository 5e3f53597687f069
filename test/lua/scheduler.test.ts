import { describe, expect, it } from "vitest";
import { lua } from "#fengari";
import { pushText } from "../../src/lua/stack.ts";
import { returned, scheduledLua } from "./scheduled-lua.ts";

describe("run", () => {
  it("returns what the chunk returns, before run itself returns when nothing suspends", () => {
    const { start, scheduler } = scheduledLua();
    expect(start("return 1, 'two', nil, true").ended).toEqual(returned("1", "two", "nil", "true"));
    expect(scheduler.size).toBe(0);
  });

  it("passes arguments to a pushed function", () => {
    const { L, startFunction } = scheduledLua();
    const program = startFunction((co) => {
      lua.lua_pushcfunction(co, (each: typeof L) => lua.lua_gettop(each));
      pushText(co, "a");
      pushText(co, "b");
      return 2;
    });
    expect(program.ended).toEqual(returned("a", "b"));
  });

  it("leaves the main stack as it was, however coroutines end", () => {
    const vm = scheduledLua();
    vm.start("return 1");
    vm.start("error('x')");
    vm.start("error(setmetatable({}, {__tostring = function() return 'x' end}))");
    vm.start("sleep('x')").abort();
    vm.start("exit(1)");
    vm.start("while true do end", { instructions: 5000 });
    expect(lua.lua_gettop(vm.L)).toBe(0);
    expect(vm.scheduler.size).toBe(0);
  });

  it("leaves a thread that returned dead to whoever kept it", () => {
    const vm = scheduledLua();
    vm.start("kept = coroutine.running() return print");
    expect(vm.start("return coroutine.status(kept), coroutine.resume(kept)").ended).toEqual(
      returned("dead", "false", "cannot resume dead coroutine"),
    );
  });

  it("knows the running activity, and none outside of Lua", () => {
    const vm = scheduledLua();
    const seen: unknown[] = [];
    vm.define("look", () => {
      seen.push(vm.scheduler.current()?.context);
      return 0;
    });
    vm.start("look() sleep('a') look()", { context: "first" });
    vm.start("look()", { context: "second" });
    expect(vm.scheduler.current()).toBeUndefined();
    vm.wakeAll();
    expect(seen).toEqual(["first", "second", "first"]);
  });
});

describe("suspend", () => {
  it("gives the C function's results when woken", () => {
    const vm = scheduledLua();
    const program = vm.start("return 'before', sleep('s', 'x', 'y')");
    expect(program.ended).toBeUndefined();
    expect(vm.scheduler.size).toBe(1);
    vm.wakeNext();
    expect(program.ended).toEqual(returned("before", "x", "y"));
  });

  it("gives nothing when wake has nothing to push", () => {
    const vm = scheduledLua();
    const program = vm.start("return select('#', sleep('s', 'x'))");
    vm.sleepers[0]?.wake();
    expect(program.ended).toEqual(returned("0"));
  });

  it("lets push raise a Lua error where the C function stands", () => {
    const vm = scheduledLua();
    const program = vm.start("return pcall(sleep, 's')");
    vm.sleepers[0]?.wake((co) => {
      pushText(co, "connection reset");
      return lua.lua_error(co) as number;
    });
    expect(program.ended).toEqual(returned("false", "connection reset"));
  });

  it("lets push suspend again", () => {
    const vm = scheduledLua();
    const program = vm.start("return sleep('s')");
    vm.sleepers.shift()?.wake((co) =>
      vm.scheduler.suspend(co, (wake) => {
        vm.sleepers.push({ name: "again", wake });
        return () => {};
      }),
    );
    expect(program.ended).toBeUndefined();
    vm.sleepers.shift()?.wake((co) => {
      pushText(co, "second");
      return 1;
    });
    expect(program.ended).toEqual(returned("second"));
  });

  it.each([
    ["pcall", "return select(2, pcall(function() return sleep('s', 'v') end))"],
    ["xpcall", "return select(2, xpcall(function() return sleep('s', 'v') end, print))"],
    ["a metamethod", "return setmetatable({}, {__index = function() return sleep('s', 'v') end}).x"],
    [
      "an iterator",
      "for v in function(_, c) if not c then return sleep('s', 'v') end end do r = v end return r",
    ],
    [
      "a comparison",
      "local m = {__lt = function() return sleep('s', true) end}; local a, b = setmetatable({}, m), setmetatable({}, m); return a < b and 'v'",
    ],
    ["a tail call", "local function f() return sleep('s', 'v') end return f()"],
    ["a wrapped coroutine", "return coroutine.wrap(function() return sleep('s', 'v') end)()"],
  ])("works below %s", (_, code) => {
    const vm = scheduledLua();
    const program = vm.start(code);
    expect(program.ended).toBeUndefined();
    vm.wakeNext();
    expect(program.ended).toEqual(returned("v"));
  });

  it.each([
    ["table.sort", "pcall(table.sort, {2, 1}, function() MUST_RAISE() end)"],
    ["string.gsub", "pcall(string.gsub, 'x', 'x', function() MUST_RAISE() end)"],
    [
      "a coroutine within table.sort",
      "pcall(table.sort, {2, 1}, function() coroutine.wrap(function() MUST_RAISE() end)() end)",
    ],
    [
      "a coroutine within a coroutine within string.gsub",
      "coroutine.wrap(function() pcall(string.gsub, 'x', 'x', coroutine.wrap(function() coroutine.wrap(MUST_RAISE)() end)) end)()",
    ],
  ])("raises a catchable error below %s, and works again afterwards", (_, code) => {
    const vm = scheduledLua();
    const program = vm.start(`
      local message
      function MUST_RAISE() local ok; ok, message = pcall(sleep, 'never'); error('out') end
      ${code}
      return message, sleep('after', 'works')`);
    expect(vm.sleepers.map((sleeper) => sleeper.name)).toEqual(["after"]);
    vm.wakeNext();
    expect(program.ended).toEqual(returned("attempt to yield across a C-call boundary", "works"));
  });

  it("wakes only once", () => {
    const vm = scheduledLua();
    const program = vm.start("sleep('a') sleep('b') return 'end'");
    const wake = vm.sleepers[0]?.wake;
    vm.wakeNext();
    wake?.();
    wake?.();
    expect(program.ended).toBeUndefined();
    vm.wakeNext();
    expect(program.ended).toEqual(returned("end"));
  });

  it("refuses to be woken from within begin", () => {
    const vm = scheduledLua();
    vm.define("hasty", (L) =>
      vm.scheduler.suspend(L, (wake) => {
        wake();
        return () => {};
      }),
    );
    expect(vm.start("return pcall(hasty)").ended).toMatchObject({
      values: ["false", expect.stringContaining("wake was called from within begin")],
    });
  });

  it("lets one coroutine wake another, which then runs in its own turn", async () => {
    const vm = scheduledLua();
    vm.define("wake", () => {
      vm.wakeNext();
      return 0;
    });
    const sleeping = vm.start("sleep('s') emit('woken') return 'slept'");
    vm.start("wake() emit('after wake')");
    expect(await sleeping.end).toEqual(returned("slept"));
    expect(vm.emitted).toEqual(["after wake", "woken"]);
  });

  it("does not resume one that was aborted between its waking and its turn", async () => {
    const vm = scheduledLua();
    const sleeping = vm.start("sleep('s') emit('must not run')");
    vm.define("wakeAndAbort", () => {
      vm.wakeNext();
      sleeping.abort();
      return 0;
    });
    const other = vm.start("wakeAndAbort() coroutine.yield() coroutine.yield() return 'other'");
    expect(await other.end).toEqual(returned("other"));
    expect(sleeping.ended).toEqual({ kind: "killed", why: "aborted" });
    expect(vm.emitted).toEqual([]);
  });

  it("interleaves many sleepers, each with its own state", () => {
    const vm = scheduledLua();
    const programs = Array.from({ length: 200 }, (_, n) =>
      vm.start(`local sum = 0 for i = 1, 10 do sum = sum + tonumber(sleep('${n}', i * ${n})) end return sum`),
    );
    expect(vm.scheduler.size).toBe(200);
    // The line is emptied from both ends and the middle, so that no two programs advance in step.
    for (let turn = 0; vm.sleepers.length > 0; turn++) vm.wakeAt((turn * 7919) % vm.sleepers.length);
    expect(programs.map((program) => program.ended)).toEqual(
      programs.map((_, n) => returned(String(55 * n))),
    );
    expect(vm.scheduler.size).toBe(0);
  });
});

describe("exit", () => {
  it.each([
    ["plainly", "exit('why')"],
    ["past pcall", "pcall(function() exit('why') end) emit('ran')"],
    ["past nested pcalls", "pcall(pcall, pcall, exit, 'why') emit('ran')"],
    ["past xpcall's handler", "xpcall(exit, function() emit('handled') end, 'why') emit('ran')"],
    ["from an error handler", "xpcall(error, function() exit('why') end) emit('ran')"],
    [
      "out of coroutines",
      "coroutine.wrap(function() coroutine.wrap(exit)('why') emit('ran') end)() emit('ran')",
    ],
    ["out of coroutine.resume", "coroutine.resume(coroutine.create(exit), 'why') emit('ran')"],
    [
      "from a comparator",
      "pcall(table.sort, {2, 1}, function() pcall(exit, 'why') emit('ran') end) emit('ran')",
    ],
    ["from a replacement", "pcall(string.gsub, 'xxx', 'x', function() exit('why') end) emit('ran')"],
    [
      "from a metamethod",
      "pcall(function() return -setmetatable({}, {__unm = function() exit('why') end}) end) emit('ran')",
    ],
    ["from an error's __tostring", "error(setmetatable({}, {__tostring = function() exit('why') end}))"],
    [
      "from a coroutine below a comparator",
      "table.sort({2, 1}, function() coroutine.wrap(exit)('why') end) emit('ran')",
    ],
  ])("ends for good %s", (_, code) => {
    const vm = scheduledLua();
    expect(vm.start(code).ended).toEqual({ kind: "exited", reason: "why" });
    expect(vm.emitted).toEqual([]);
    expect(vm.scheduler.size).toBe(0);
  });

  it("ends for good after a suspension too", () => {
    const vm = scheduledLua();
    const program = vm.start("pcall(coroutine.wrap(function() sleep('s') exit('why') end)) emit('ran')");
    vm.wakeNext();
    expect(program.ended).toEqual({ kind: "exited", reason: "why" });
    expect(vm.emitted).toEqual([]);
  });
});

describe("abort", () => {
  it("cancels the wait and lets nothing run any more", () => {
    const vm = scheduledLua();
    const program = vm.start("pcall(function() pcall(sleep, 's') emit('ran') end) emit('ran')");
    const wake = vm.sleepers[0]?.wake;
    program.abort();
    expect(program.ended).toEqual({ kind: "killed", why: "aborted" });
    expect(vm.cancelled).toEqual(["s"]);
    wake?.();
    program.abort();
    expect(vm.emitted).toEqual([]);
    expect(vm.scheduler.size).toBe(0);
  });

  it("kills the one that calls for it, at its next instruction", () => {
    const vm = scheduledLua();
    let program: { abort(): void } | undefined;
    vm.define("abort", () => {
      program?.abort();
      return 0;
    });
    const started = vm.start(
      "sleep('s') pcall(coroutine.wrap(function() pcall(abort) emit('ran') end)) emit('ran')",
    );
    program = started;
    vm.wakeNext();
    expect(started.ended).toEqual({ kind: "killed", why: "aborted" });
    expect(vm.emitted).toEqual([]);
  });

  it("kills one that waits below another that it started", () => {
    const vm = scheduledLua();
    let outer: { abort(): void } | undefined;
    vm.define("spawnAborter", () => {
      vm.start("abortOuter() emit('inner goes on')");
      return 0;
    });
    vm.define("abortOuter", () => {
      outer?.abort();
      return 0;
    });
    const started = vm.start("sleep('s') pcall(spawnAborter) emit('ran')");
    outer = started;
    vm.wakeNext();
    expect(started.ended).toEqual({ kind: "killed", why: "aborted" });
    expect(vm.emitted).toEqual(["inner goes on"]);
  });

  it("does nothing to one that has ended", () => {
    const vm = scheduledLua();
    const program = vm.start("return 1");
    program.abort();
    expect(program.ended).toEqual(returned("1"));
    expect(vm.scheduler.size).toBe(0);
  });
});

describe("errors", () => {
  it("carry the message and a traceback that begins with it", () => {
    const vm = scheduledLua();
    expect(vm.start("local function f() error('boom') end\nlocal ok = f()\nreturn ok").ended).toEqual({
      kind: "error",
      message: "program:1: boom",
      traceback: expect.stringMatching(
        /^program:1: boom\nstack traceback:\n\t\[(C|JS)\]: in function 'error'\n\tprogram:1: in local 'f'\n\tprogram:2: in main chunk$/,
      ),
    });
  });

  it("keep bytes as latin1 characters", () => {
    expect(scheduledLua().start("error('\\xff\\0\\x80', 0)").ended).toMatchObject({ message: "\xff\0\x80" });
  });

  it.each([
    ["a number", "error(42)", "42"],
    ["a table", "error({})", "(error object is a table value)"],
    ["nil", "error(nil)", "(error object is a nil value)"],
    [
      "a table with __tostring",
      "error(setmetatable({}, {__tostring = function() return 'shown' end}))",
      "shown",
    ],
    [
      "a broken __tostring",
      "error(setmetatable({}, {__tostring = error}))",
      "(error object is a table value)",
    ],
    [
      "a sleeping __tostring",
      "error(setmetatable({}, {__tostring = function() sleep('s') return 'x' end}))",
      "(error object is a table value)",
    ],
  ])("of %s become text", (_, code, message) => {
    expect(scheduledLua().start(code).ended).toMatchObject({ kind: "error", message });
  });

  it("show the frames of nested coroutines, innermost first", () => {
    const vm = scheduledLua();
    const program = vm.start(
      `local function deep() sleep('s') error('boom') end
       local outer = coroutine.wrap(function()
         local ok, message = coroutine.resume(coroutine.create(deep))
         error(message, 0)
       end)
       return (outer())`,
    );
    vm.wakeNext();
    expect(program.ended).toMatchObject({ message: "program:6: program:1: boom" });
    const lines = (program.ended as { traceback: string }).traceback.split("\n");
    expect(lines.filter((line) => line.startsWith("coroutine "))).toEqual([
      "coroutine 0:",
      "coroutine 1:",
      "coroutine 2:",
    ]);
    expect(lines[lines.indexOf("coroutine 0:") + 2]).toBe("\tprogram:1: in function <program:1>");
  });

  it("do not show a coroutine whose error was another one", () => {
    const vm = scheduledLua();
    const program = vm.start("coroutine.resume(coroutine.create(error), 'earlier') error('boom')");
    expect((program.ended as { traceback: string }).traceback).not.toContain("coroutine 0:");
  });

  it("from JavaScript become Lua errors and are told", () => {
    const told: unknown[] = [];
    const vm = scheduledLua({ onNativeError: (error) => told.push(error) });
    const defect = new TypeError("x is not a function");
    vm.define("defect", () => {
      throw defect;
    });
    expect(vm.start("return pcall(defect)").ended).toEqual(
      returned("false", "internal error: TypeError: x is not a function"),
    );
    expect(told).toEqual([defect]);
  });
});
