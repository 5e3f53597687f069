import { describe, expect, it } from "vitest";
import { returned, scheduledLua } from "./scheduled-lua.ts";

/** Runs a program that does not wait for anything but the sleepers woken here. */
function run(code: string) {
  const vm = scheduledLua();
  const program = vm.start(code);
  vm.wakeAll();
  return program.ended;
}

describe("coroutines without a suspension are Lua's own", () => {
  it.each([
    [
      "values go in and out",
      "local co = coroutine.create(function(a, b) local c, d = coroutine.yield(a + b, 'y') return c .. d, nil end) local _, x, y = coroutine.resume(co, 1, 2) return x, y, coroutine.resume(co, 'c', 'd')",
      ["3", "y", "true", "cd", "nil"],
    ],
    [
      "a wrapped one returns values alone",
      "local f = coroutine.wrap(function(...) return select('#', coroutine.yield(...)) end) return select('#', f(1, nil, nil)), f(nil, nil)",
      ["3", "2"],
    ],
    [
      "one that ended is dead",
      "local co = coroutine.create(function() end) coroutine.resume(co) return coroutine.status(co), coroutine.resume(co)",
      ["dead", "false", "cannot resume dead coroutine"],
    ],
    [
      "one that failed is dead",
      "local co = coroutine.create(error) return coroutine.resume(co, 'e'), coroutine.status(co)",
      ["false", "dead"],
    ],
    [
      "resume returns the error as it is",
      "local t = {} local _, e = coroutine.resume(coroutine.create(error), t) return e == t",
      ["true"],
    ],
    [
      "resuming itself is refused",
      "return coroutine.wrap(function() return coroutine.resume(coroutine.running()) end)()",
      ["false", "cannot resume non-suspended coroutine"],
    ],
    [
      "the status of the one that resumed is normal",
      "local outer outer = coroutine.create(function() return coroutine.wrap(function() return coroutine.status(outer) end)() end) return coroutine.status(outer), select(2, coroutine.resume(outer))",
      ["suspended", "normal"],
    ],
    [
      "running is the coroutine",
      "local co co = coroutine.create(function() return coroutine.running() == co, select('#', coroutine.running()) end) return select(2, coroutine.resume(co))",
      ["true", "1"],
    ],
    [
      "isyieldable in a coroutine, not below sort",
      "local below table.sort({2, 1}, function() below = coroutine.isyieldable() end) return coroutine.isyieldable(), below",
      ["true", "false"],
    ],
    [
      "yield below sort is refused",
      "return coroutine.wrap(function() return pcall(table.sort, {2, 1}, function() coroutine.yield() end) end)()",
      ["false", "program:1: attempt to yield across a C-call boundary"],
    ],
    [
      "a generator in a for loop",
      "local sum = 0 for v in coroutine.wrap(function() for i = 1, 4 do coroutine.yield(i) end end) do sum = sum + v end return sum",
      ["10"],
    ],
    [
      "yield below pcall and a metamethod",
      "local f = coroutine.wrap(function() return pcall(function() return setmetatable({}, {__index = function(_, k) return coroutine.yield(k) end}).key end) end) return f(), f('v')",
      ["key", "true", "v"],
    ],
  ])("%s", (_, code, values) => {
    expect(run(code)).toEqual(returned(...values));
  });

  it.each([
    ["coroutine.resume(1)", "bad argument #1 to 'resume' (coroutine expected)"],
    ["coroutine.status()", "bad argument #1 to 'status' (coroutine expected)"],
    ["coroutine.create(1)", "bad argument #1 to 'create' (function expected, got number)"],
    ["coroutine.wrap({})", "bad argument #1 to 'wrap' (function expected, got table)"],
    ["coroutine.wrap(function() error('inner') end)()", "program:1: program:1: inner"],
    ["local f = coroutine.wrap(print) f() f()", "program:1: cannot resume dead coroutine"],
  ])("%s fails as in Lua", (code, message) => {
    expect(run(`local ok, message = pcall(function() ${code} end) return message`)).toMatchObject({
      values: [expect.stringContaining(message)],
    });
  });
});

describe("a suspension", () => {
  it("suspends every coroutine around it and comes back to its own place", () => {
    const vm = scheduledLua();
    const program = vm.start(
      `local function nest(depth)
         if depth == 0 then return sleep('deep', 'value') end
         local value = coroutine.wrap(nest)(depth - 1)
         return value .. depth .. sleep('up', '!')
       end
       return nest(20)`,
    );
    expect(vm.sleepers.map((sleeper) => sleeper.name)).toEqual(["deep"]);
    let wakes = 0;
    for (; program.ended === undefined; wakes++) vm.wakeNext();
    expect(wakes).toBe(21);
    expect(program.ended).toEqual(
      returned(`value${Array.from({ length: 20 }, (_, n) => `${n + 1}!`).join("")}`),
    );
  });

  it("is not seen by the one that resumed", () => {
    expect(
      run(
        `local co = coroutine.create(function(a) a = a .. sleep('1', 's') local b = coroutine.yield(a) return b .. sleep('2', 't') end)
         local _, first = coroutine.resume(co, 'a')
         local between = sleep('3', 'u')
         local _, second = coroutine.resume(co, 'b')
         return first, between, second, coroutine.status(co)`,
      ),
    ).toEqual(returned("as", "u", "bt", "dead"));
  });

  it("comes back to a coroutine that yielded and is resumed from elsewhere", () => {
    expect(
      run(
        `local co = coroutine.create(function() while true do coroutine.yield(sleep('s', 'v')) end end)
         local _, a = coroutine.resume(co)
         local b = coroutine.wrap(function() return select(2, coroutine.resume(co)) end)()
         local _, c = pcall(function() return select(2, coroutine.resume(co)) end)
         return a, b, c`,
      ),
    ).toEqual(returned("v", "v", "v"));
  });

  it("lets errors pass afterwards, with position", () => {
    expect(
      run(
        "local ok, message = pcall(coroutine.wrap(function() sleep('s') error('late') end)) return ok, message",
      ),
    ).toEqual(returned("false", "program:1: late"));
    expect(
      run(
        "local f = coroutine.wrap(function() sleep('s') error('late') end)\nreturn pcall(function()\nreturn (f()) end)",
      ),
    ).toEqual(returned("false", "program:3: program:1: late"));
  });

  it("shows the coroutines around it as normal, and nobody else can resume them", () => {
    const vm = scheduledLua();
    const sleeping = vm.start(
      `handler = coroutine.running()
       outer = coroutine.create(function()
         inner = coroutine.create(function() return sleep('s', 'v') end)
         return select(2, coroutine.resume(inner))
       end)
       return select(2, coroutine.resume(outer))`,
    );
    const look = `local seen = {}
      for _, co in ipairs({handler, outer, inner}) do
        seen[#seen + 1] = coroutine.status(co) .. ': ' .. select(2, coroutine.resume(co))
      end
      return table.concat(seen, '; ')`;
    const refused = "normal: cannot resume non-suspended coroutine";
    expect(vm.start(look).ended).toEqual(returned([refused, refused, refused].join("; ")));
    vm.wakeNext();
    expect(sleeping.ended).toEqual(returned("v"));
    const dead = "dead: cannot resume dead coroutine";
    expect(vm.start(look).ended).toEqual(returned([dead, dead, dead].join("; ")));
  });

  it.each([
    ["aborted", (vm: ReturnType<typeof scheduledLua>, program: { abort(): void }) => vm && program.abort()],
    ["left by exit", (vm: ReturnType<typeof scheduledLua>) => vm.wakeNext()],
  ])("that is %s leaves its coroutines dead", (_, finish) => {
    const vm = scheduledLua();
    const program = vm.start(
      `outer = coroutine.create(function()
         inner = coroutine.create(function() sleep('s') exit() end)
         coroutine.resume(inner)
       end)
       coroutine.resume(outer)`,
    );
    finish(vm, program);
    expect(program.ended).toBeDefined();
    expect(
      vm.start("return coroutine.status(outer), coroutine.status(inner), coroutine.resume(inner)").ended,
    ).toEqual(returned("dead", "dead", "false", "cannot resume dead coroutine"));
  });

  it("in a coroutine of another request's making suspends the one that resumed it", () => {
    const vm = scheduledLua();
    vm.start(
      "shared = coroutine.create(function() coroutine.yield('first') return sleep('s', 'second') end) coroutine.resume(shared)",
    );
    const program = vm.start("return coroutine.resume(shared)");
    expect(program.ended).toBeUndefined();
    vm.wakeNext();
    expect(program.ended).toEqual(returned("true", "second"));
  });
});

describe("yield in a handler, outside of any coroutine of the user's", () => {
  it("lets others run, and returns nothing", async () => {
    const vm = scheduledLua();
    const programs = ["a", "b", "c"].map((name) =>
      vm.start(
        `for i = 1, 3 do emit('${name}' .. i) n = select('#', coroutine.yield('ignored')) end return n`,
      ),
    );
    expect(await Promise.all(programs.map((program) => program.end))).toEqual(
      programs.map(() => returned("0")),
    );
    expect(vm.emitted).toEqual(["a1", "b1", "c1", "a2", "b2", "c2", "a3", "b3", "c3"]);
  });

  it("is cancelled by an abort", async () => {
    const vm = scheduledLua();
    const program = vm.start("coroutine.yield() emit('ran')");
    program.abort();
    await vm.start("coroutine.yield() coroutine.yield()").end;
    expect(program.ended).toEqual({ kind: "killed", why: "aborted" });
    expect(vm.emitted).toEqual([]);
  });
});
