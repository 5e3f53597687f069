import { describe, expect, it } from "vitest";
import { lauxlib, lua } from "#fengari";
import type { Activity, Outcome, Scheduler } from "../../src/lua/activity.ts";
import { createScheduler } from "../../src/lua/scheduler.ts";
import { toBytes } from "../../src/lua/stack.ts";
import { openSleep } from "../../src/ngx/sleep.ts";
import { luaWithNgx } from "./lua.ts";

const activity = (deadlineMs = 0): Activity => ({
  view: { generation: 1, enter: () => {}, leave: () => {} },
  instructions: 0,
  deadlineMs,
  startedAtMs: performance.now(),
  context: undefined,
});

function start() {
  let scheduler: Scheduler | undefined;
  const { L, run, error } = luaWithNgx([
    (L, host) => {
      scheduler = createScheduler(L);
      openSleep(L, { ...host, scheduler });
    },
  ]);
  run("trace = {}");
  const begin = (code: string, deadlineMs?: number) => {
    const chunk = toBytes(code);
    let ended: Outcome | undefined;
    let settle = (_: Outcome) => {};
    const done = new Promise<Outcome>((resolve) => {
      settle = resolve;
    });
    const running = (scheduler as Scheduler).run(
      activity(deadlineMs),
      (co) => {
        if (lauxlib.luaL_loadbuffer(co, chunk, chunk.length, toBytes("=handler")) !== lua.LUA_OK)
          throw new Error(code);
        return 0;
      },
      (outcome) => {
        ended = outcome;
        settle(outcome);
      },
    );
    return { running, done, ended: () => ended };
  };
  return { L, begin, error, trace: () => run("return table.concat(trace, ' ')")[0] };
}

describe("ngx.sleep", () => {
  it("lets others run meanwhile, and goes on in the order of the times", async () => {
    const { begin, trace } = start();
    const handler = (name: string, seconds: number) =>
      begin(`trace[#trace + 1] = "${name}>" ngx.sleep(${seconds}) trace[#trace + 1] = "<${name}"`);
    const all = [handler("a", 0.06), handler("b", 0.02), handler("c", 0)];
    expect(trace()).toBe("a> b> c>");
    for (const { done } of all) expect((await done).kind).toBe("returned");
    expect(trace()).toBe("a> b> c> <c <b <a");
  });

  it("yields for no time at all too", async () => {
    const { begin, trace } = start();
    const first = begin("for i = 1, 3 do trace[#trace + 1] = i ngx.sleep(0) end");
    const second = begin("for i = 4, 6 do trace[#trace + 1] = i ngx.sleep(0.0001) end");
    await first.done;
    await second.done;
    expect(trace()).toBe("1 4 2 5 3 6");
  });

  it("works inside pcall and user coroutines", async () => {
    const { begin, trace } = start();
    await begin("local ok, e = pcall(function() ngx.sleep(0.001) error('x', 0) end) trace[1] = e").done;
    await begin("coroutine.wrap(function() ngx.sleep(0.001) trace[2] = 'y' end)()").done;
    expect(trace()).toBe("x y");
  });

  it("ends with its request: aborted or out of time, it does not go on", async () => {
    const { begin, trace } = start();
    const aborted = begin("pcall(ngx.sleep, 3600) trace[1] = 'went on'");
    aborted.running.abort();
    expect(await aborted.done).toEqual({ kind: "killed", why: "aborted" });
    expect(await begin("pcall(ngx.sleep, 3600) trace[1] = 'went on'", 20).done).toEqual({
      kind: "killed",
      why: "deadline",
    });
    expect(trace()).toBe("");
  });

  it("does not take a very long time for none", async () => {
    const { begin } = start();
    const long = begin("ngx.sleep(1e9)");
    await begin("ngx.sleep(0.01)").done;
    expect(long.ended()).toBeUndefined();
    long.running.abort();
    await long.done;
  });

  it.each([
    ["ngx.sleep()", "attempt to pass 0 arguments, but accepted 1"],
    ["ngx.sleep(1, 2)", "attempt to pass 2 arguments, but accepted 1"],
    ["ngx.sleep(-1)", 'invalid sleep duration "-1000"'],
    ["ngx.sleep(0/0)", "invalid sleep duration"],
    ["ngx.sleep('soon')", "bad argument #1 to 'sleep' (number expected, got string)"],
  ])("%s raises an error", async (call, message) => {
    const outcome = await start().begin(call).done;
    expect(outcome).toMatchObject({ kind: "error", message: expect.stringContaining(message) });
  });

  it("is not for code outside of a request", () => {
    expect(start().error("ngx.sleep(0)")).toContain("API disabled in the current context");
  });
});
