import { describe, expect, it } from "vitest";
import { timerBounds } from "../../src/ngx/timers.ts";
import { type ServingVm, servingVm } from "../support/serving-vm.ts";

/** Runs `test` on a VM whose timers end with it. */
async function on(
  files: Record<string, string>,
  test: (served: ServingVm) => void | Promise<void>,
  options?: Parameters<typeof servingVm>[1],
): Promise<void> {
  const served = servingVm(files, options);
  try {
    await test(served);
  } finally {
    served.close();
  }
}

describe("ngx.timer.at", () => {
  it("calls the function with false and the arguments, in a coroutine of its own, in the phase timer", () =>
    on({}, async ({ run, until, trace }) => {
      const code = `return ngx.timer.at(0.001, function(premature, ...)
        ngx.sleep(0) note(tostring(premature), select('#', ...), ngx.get_phase(), ...) end, 'a', 2)`;
      expect(run(code)).toBe(1);
      await until("trace[1] ~= nil");
      expect(trace()).toBe("false:2:timer:a:2");
    }));

  it("runs without a delay as soon as possible, in the order of the calls, but not within the call", () =>
    on({}, async ({ run, until, trace }) => {
      run("for i = 1, 3 do ngx.timer.at(0, function() note(i) end) end note('first')");
      expect(trace()).toBe("first");
      await until("#trace == 4");
      expect(trace()).toBe("first 1 2 3");
    }));

  it("keeps nil among the arguments, and takes a negative delay for none", () =>
    on({}, async ({ run, until, trace }) => {
      run("ngx.timer.at(-1, function(_, ...) note(select('#', ...), tostring((...))) end, nil, nil)");
      await until("trace[1] ~= nil");
      expect(trace()).toBe("2:nil");
    }));

  it("does not take a very long delay for none", () =>
    on({}, async ({ run, until }) => {
      run("ngx.timer.at(1e9, function() note('now') end)");
      run("ngx.timer.at(0.01, function() note('later') end)");
      await until("trace[1] ~= nil");
      expect(run("return trace[1], ngx.timer.pending_count()")).toEqual(["later", 1]);
    }));

  it("runs on the generation that is active when it fires", () =>
    on({ "a.lua": "return 1" }, async ({ run, move, until, trace }) => {
      run("require 'a' ngx.timer.at(0.005, function() note(require 'a') end)");
      move({ "a.lua": "return 2" }, ["a"]);
      await until("trace[1] ~= nil");
      expect(trace()).toBe("2");
    }));

  it("logs an error with its traceback, and goes on with the others", () =>
    on({}, async ({ run, until, log }) => {
      run("ngx.timer.at(0, function() error('oh no') end) ngx.timer.at(0, function() note('fine') end)");
      await until("trace[1] ~= nil");
      expect(log).toEqual([
        expect.stringMatching(
          /^error lua entry thread aborted: runtime error: .*oh no\nstack traceback:.*, context: ngx\.timer$/s,
        ),
      ]);
    }));

  it.each([
    ["ngx.timer.at(1)", "expecting at least 2 arguments but got 1"],
    ["ngx.timer.at('x', function() end)", "bad argument #1 to 'at' (number expected, got string)"],
    ["ngx.timer.at(1, print)", "bad argument #2 to 'at' (Lua function expected)"],
    ["ngx.timer.at(1, {})", "bad argument #2 to 'at' (Lua function expected)"],
    ["ngx.timer.every(0, function() end)", "delay cannot be zero"],
    ["ngx.timer.every(0.0001, function() end)", "delay cannot be zero"],
  ])("%s raises an error", (call, message) =>
    on({}, ({ run }) => {
      expect(() => run(call)).toThrow(message);
    }),
  );

  it("is not for init", () =>
    on(
      {},
      ({ run }) => {
        expect(() => run("ngx.timer.at(1, function() end)")).toThrow("no request");
        expect(() => run("ngx.timer.pending_count()")).toThrow("no request");
      },
      { phase: "init" },
    ));
});

describe("ngx.timer.every", () => {
  it("calls again and again, also while a call has not returned and after one that failed", () =>
    on({}, async ({ run, until, log }) => {
      run(`local n = 0
        ngx.timer.every(0.002, function(premature, tag)
          n = n + 1 note(tag, n, tostring(premature))
          if n == 1 then ngx.sleep(60) elseif n == 2 then error('once') end end, 'tick')`);
      await until("#trace >= 4");
      expect(run("return table.concat(trace, ' ', 1, 4)")).toBe(
        "tick:1:false tick:2:false tick:3:false tick:4:false",
      );
      expect(run("return ngx.timer.running_count(), ngx.timer.pending_count()")).toEqual([1, 1]);
      expect(log).toHaveLength(1);
    }));
});

describe("the numbers of timers", () => {
  it("are bounded: too many pending are refused, too many running are dropped and logged", () =>
    on({}, async ({ run, until, log }) => {
      const { pending, running } = timerBounds;
      run(`for i = 1, ${pending} do assert(ngx.timer.at(0, function() note(i) ngx.sleep(60) end)) end`);
      expect(run("return ngx.timer.at(0, function() end)")).toEqual([null, "too many pending timers"]);
      expect(run("return ngx.timer.pending_count(), ngx.timer.running_count()")).toEqual([pending, 0]);
      await until("ngx.timer.pending_count() == 0");
      expect(run("return #trace, ngx.timer.running_count()")).toEqual([running, running]);
      expect(log).toHaveLength(pending - running);
      expect(new Set(log)).toEqual(
        new Set([
          expect.stringMatching(
            /^alert lua failed to run timer with function defined at =test \w+:1: 256 lua_max_running_timers are not enough$/,
          ),
        ]),
      );
    }));
});

/** Starts timers by its own functions, and by its chunk. */
const ticking = (version: number) => `
  local M = {}
  local function tell(premature, what) note(what, ${version}, tostring(premature)) end
  ngx.timer.every(3600, tell, 'chunk')
  function M.at(delay, what) return ngx.timer.at(delay, tell, what) end
  function M.wrap(delay, fn, ...) return ngx.timer.at(delay, fn, ...) end
  M.tell = tell
  return M`;

describe("at the eviction of their module", () => {
  it("pending timers are called for the last time, prematurely, where the module still is", () =>
    on(
      {
        "a.lua": `ngx.timer.every(3600, function(premature) note(tostring(premature), package.loaded.a, require 'b') end)
          return 'old a'`,
        "b.lua": "return 'old b'",
      },
      ({ run, move, trace, timers, log }) => {
        run("require 'a' require 'b'");
        move({ "a.lua": "return 'new a'", "b.lua": "return 'new b'" }, ["a", "b"]);
        expect(trace()).toBe("true:old a:old b");
        expect(timers.pending).toBe(0);
        expect(log).toEqual(["notice 1 timer ended with its code"]);
      },
    ));

  it("they come after the dispose functions, and before warm loading starts new ones", () =>
    on(
      { "a.lua": `require('relua.hot').dispose(function() note('dispose') end) ${ticking(1)}` },
      ({ run, move, trace, timers }) => {
        run("require 'a'");
        move({ "a.lua": `note('load') ${ticking(2)}` }, ["a"], ["a"]);
        expect(trace()).toBe("dispose chunk:1:true load");
        expect(timers.pending).toBe(1);
      },
    ));

  it("those of other modules and of handlers go on", () =>
    on({ "a.lua": ticking(1), "b.lua": ticking(5) }, async ({ run, move, until, trace, timers }) => {
      run("require 'a' require 'b' ngx.timer.at(0.005, function() note('handler') end)");
      move({ "a.lua": "return 2" }, ["a"]);
      expect(timers.pending).toBe(2);
      await until("#trace == 2");
      expect(trace()).toBe("chunk:1:true handler");
    }));

  it("a timer belongs to who started it and to the module of its function", () =>
    on({ "a.lua": ticking(1), "b.lua": ticking(5) }, ({ run, move, trace, timers }) => {
      run(`local a, b = require 'a', require 'b'
        ngx.timer.at(3600, a.tell, 'of the handler')
        b.wrap(3600, a.tell, 'by b')
        a.wrap(3600, function(premature) note('by a', tostring(premature)) end)`);
      move({ "a.lua": "return 2" }, ["a"]);
      expect(trace()).toBe("chunk:1:true of the handler:1:true by b:1:true by a:true");
      expect(timers.pending).toBe(1);
    }));

  it("one that is due is not premature: nothing that was handed over is lost", () =>
    on({ "a.lua": ticking(1) }, ({ run, move, trace }) => {
      run("require('a').at(0, 'due') require('a').at(3600, 'early')");
      move({ "a.lua": "return 2" }, ["a"]);
      expect(trace()).toBe("chunk:1:true due:1:false early:1:true");
    }));

  it("they may wait in their last call, on their generation, and start nothing for later", () =>
    on(
      {
        "a.lua": `local function again(premature)
            note(tostring(premature), tostring(ngx.worker.exiting()), select(2, ngx.timer.at(60, function() end)))
            ngx.sleep(0.002) note(package.loaded.a, select(2, ngx.timer.every(60, again)))
            ngx.timer.at(0, function(premature) note('child', tostring(premature), select(2, ngx.timer.at(60, again))) end)
          end
          ngx.timer.every(3600, again) return 'old'`,
      },
      async ({ vm, run, move, until, trace, timers }) => {
        run("require 'a'");
        move({ "a.lua": "return 'new'" }, ["a"], ["a"]);
        expect(vm.generations.size).toBe(2);
        await until("#trace == 3");
        expect(trace()).toBe("true:true:process exiting old:process exiting child:false:process exiting");
        expect(timers.idle).toBe(true);
        expect(vm.generations.size).toBe(1);
      },
    ));

  it("a last call that does not end is stopped", () =>
    on(
      { "a.lua": "ngx.timer.every(60, function() while true do end end)" },
      ({ run, move, log, timers }) => {
        run("require 'a'");
        expect(move({ "a.lua": "return 2" }, ["a"]).evicted).toEqual(["a"]);
        expect(log).toContain(
          "error lua entry thread aborted: its last call exceeded 20 ms, context: ngx.timer",
        );
        expect(timers.idle).toBe(true);
      },
      { requestMs: 20 },
    ));

  it("timers that start each other without a delay do not hold the move up", () =>
    on(
      { "a.lua": "local function on() note('on') ngx.timer.at(0, on) end ngx.timer.at(0, on)" },
      ({ run, move, trace, timers }) => {
        run("require 'a'");
        move({ "a.lua": "return 2" }, ["a"]);
        expect(trace()).toBe("on");
        expect(timers.pending).toBe(1);
      },
    ));

  it("a callback that still runs learns that its worker exits", () =>
    on(
      {
        "a.lua": `ngx.timer.at(0, function()
          note('begins') while not ngx.worker.exiting() do ngx.sleep(0.001) end note('ends') end)`,
        "b.lua": "ngx.timer.at(0, function() ngx.sleep(0.02) note('b', tostring(ngx.worker.exiting())) end)",
      },
      async ({ run, move, until, trace }) => {
        run("require 'a' require 'b'");
        await until("trace[1] == 'begins'");
        move({ "a.lua": "return 2" }, ["a"]);
        await until("#trace == 3");
        expect(trace()).toBe("begins ends b:false");
      },
    ));
});

describe("timers of a request that began before the move", () => {
  it("end with the last request of its generation when their module is another one by now", () =>
    on({ "a.lua": ticking(1) }, async ({ run, begin, move, trace, timers }) => {
      run("require 'a'");
      const request = begin(
        "local a = require 'a' coroutine.yield() a.at(60, 'late') coroutine.yield() note('last')",
      );
      move({ "a.lua": ticking(2) }, ["a"], ["a"]);
      await request;
      expect(trace()).toBe("chunk:1:true last late:1:true");
      expect(timers.pending).toBe(1);
    }));

  it("end there as well when the module was loaded for that generation alone, which they still see", () =>
    on(
      {
        "lazy.lua":
          "ngx.timer.every(60, function(premature) note(package.loaded.lazy, tostring(premature)) end) return 'old'",
      },
      async ({ begin, move, run, trace, timers }) => {
        const request = begin("coroutine.yield() require 'lazy' coroutine.yield() note('last')");
        move({ "lazy.lua": "return 'new'" }, []);
        run("require 'lazy'");
        await request;
        expect(trace()).toBe("last old:true");
        expect(timers.pending).toBe(0);
      },
    ));

  it("end with their module when that is evicted after the request was over", () =>
    on({ "a.lua": ticking(1), "b.lua": "return 1" }, async ({ begin, run, move, trace, timers }) => {
      run("require 'a'");
      const request = begin("local a = require 'a' coroutine.yield() a.at(60, 'late')");
      move({ "b.lua": "return 2" }, ["b"]);
      await request;
      move({ "a.lua": "return 2" }, ["a"]);
      expect(trace()).toBe("chunk:1:true late:1:true");
      expect(timers.pending).toBe(0);
    }));

  it("or before the request was", () =>
    on({ "a.lua": ticking(1), "b.lua": "return 1" }, async ({ begin, run, move, trace }) => {
      run("require 'a'");
      const request = begin(
        "local a = require 'a' coroutine.yield() a.at(60, 'late') coroutine.yield() note('last')",
      );
      const beside = begin("for i = 1, 4 do coroutine.yield() end");
      move({ "b.lua": "return 2" }, ["b"]);
      await new Promise((resolve) => setImmediate(resolve));
      move({ "a.lua": "return 2" }, ["a"]);
      await request;
      await beside;
      expect(trace()).toBe("chunk:1:true late:1:true last");
    }));

  it("go on when their module is the active generation's as well", () =>
    on({ "a.lua": ticking(1), "b.lua": "return 1" }, async ({ begin, run, move, timers }) => {
      run("require 'a'");
      const request = begin("local a = require 'a' coroutine.yield() a.at(60, 'late')");
      move({ "b.lua": "return 2" }, ["b"]);
      await request;
      expect(timers.pending).toBe(2);
    }));
});

describe("at the end of the VM", () => {
  it("each pending timer is called prematurely, each running one learns it, and none is left", () =>
    on({}, async ({ run, timers, until, trace }) => {
      run(`ngx.timer.at(3600, function(premature) note(tostring(premature), select(2, ngx.timer.at(60, function() end))) end)
        ngx.timer.every(3600, function(premature) note(tostring(premature)) end)
        ngx.timer.at(0, function(premature) note('due', tostring(premature)) end)`);
      timers.expire(100);
      expect(trace()).toBe("true:process exiting true due:false");
      expect(timers.idle).toBe(true);
      expect(run("return ngx.timer.at(60, function() end)")).toEqual([null, "process exiting"]);
      expect(run("return ngx.timer.at(0, function() note('allowed') end)")).toBe(1);
      await until("trace[4] == 'allowed'");
    }));

  it("all of them together get their time and no more", () =>
    on({}, ({ run, timers, log }) => {
      run("for i = 1, 20 do ngx.timer.at(60, function() while true do end end) end");
      timers.expire(30);
      const stopped = (ms: number) =>
        `error lua entry thread aborted: its last call exceeded ${ms} ms, context: ngx.timer`;
      expect(log).toEqual([stopped(30), ...Array.from({ length: 19 }, () => stopped(1))]);
    }));

  it("nothing fires after the close", () =>
    on({}, async ({ run, timers, trace, log }) => {
      run("ngx.timer.at(0, function() note('a') end) ngx.timer.every(0.001, function() note('b') end)");
      run("ngx.timer.at(0.001, function() note('c') end)");
      timers.close();
      // Node's timers fire in the order of their times: one that were left would be ahead of this one.
      await new Promise((resolve) => setTimeout(resolve, 10));
      expect(trace()).toBe("");
      expect(log).toEqual([]);
    }));
});

describe("where timers are off", () => {
  it("a canary takes them, and none fires", () =>
    on(
      { "a.lua": "return ngx.timer.at(0, function() note('fired') end)" },
      async ({ run, trace }) => {
        expect(
          run("return require 'a', ngx.timer.every(1, function() end), ngx.timer.pending_count()"),
        ).toEqual([1, 1, 0]);
        await new Promise((resolve) => setTimeout(resolve, 5));
        expect(trace()).toBe("");
      },
      { serving: false },
    ));

  it("so does a VM of one request in its init, which runs with each request", () =>
    on(
      {},
      ({ run, timers }) => {
        expect(run("return ngx.timer.every(1, function() end)")).toBe(1);
        expect(timers.pending).toBe(0);
      },
      { fleeting: true, phase: "init_worker" },
    ));
});

describe("over many reloads", () => {
  it("timers and generations stay as many as they are", () =>
    on(
      { "a.lua": ticking(0), "user.lua": "return require 'a'" },
      async ({ vm, run, begin, move, timers }) => {
        run("require 'user'");
        for (let version = 1; version <= 500; version++) {
          const request = begin("local a = require 'a' a.at(0.5, 'x') coroutine.yield() a.at(60, 'y')");
          move({ "a.lua": ticking(version) }, ["user", "a"], ["a", "user"]);
          await request;
          expect(timers.pending).toBe(1);
          run("trace = {}");
        }
        expect(timers.running).toBe(0);
        expect(vm.generations.size).toBe(1);
      },
    ));
});
