import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import type { PlainValue } from "../../src/core/plain-value.ts";
import { ReluaError } from "../../src/errors.ts";
import type { VmEnd } from "../../src/vm/hosted-vm.ts";
import { activate, type Heard, StandInPool, snapshot } from "./stand-in.ts";

describe("dispatch", () => {
  it("brings a request to a VM and its response back", async () => {
    await using pool = await StandInPool.started();
    const body = Buffer.from("a body in node's shared slab");
    const heard = pool.ask("/echo", { body });
    expect(await heard.over).toBe("response a body in node's shared slab");
    expect(heard.generation).toBe(1);
    expect(body.toString()).toBe("a body in node's shared slab");
  });

  it("passes on a response in pieces, a redirect and its continuation", async () => {
    await using pool = await StandInPool.started();
    expect(await pool.ask("/pieces").over).toBe("head, one , two, finish");
    expect(await pool.ask("/redirect").over).toBe("redirect /target, response /target?a=1#5");
  });

  it("calls a Lua function and brings its values, or its error, back", async () => {
    await using pool = await StandInPool.started();
    const call = (fn: string) =>
      new Promise((resolve) => {
        pool.dispatch(
          { type: "call", module: "m", fn, args: ["a", 1] },
          {
            result: (values, generation) => resolve({ values, generation }),
            failed: ({ message, traceback }) => resolve({ message, traceback }),
            unavailable: resolve,
          },
        );
      });
    expect(await call("echo")).toEqual({ values: ["a", 1], generation: 1 });
    expect(await call("fail")).toEqual({ message: "failed", traceback: "failed\nstack" });
  });

  it("copies the arguments of a call when it is made, and keeps nothing of one that cannot be copied", async () => {
    await using pool = await StandInPool.started();
    const strange = [() => 1] as unknown as PlainValue[];
    const sink = { result() {}, failed() {}, unavailable() {} };
    expect(() => pool.dispatch({ type: "call", module: "m", fn: "echo", args: strange }, sink)).toThrow(
      "could not be cloned",
    );
    expect(pool.vms()[0]?.inFlight).toBe(0);
    const args: PlainValue[] = ["before"];
    const echoed = new Promise((resolve) => {
      pool.dispatch(
        { type: "call", module: "m", fn: "echo", args },
        { result: resolve, failed: resolve, unavailable: resolve },
      );
    });
    args[0] = "after";
    expect(await echoed).toEqual(["before"]);
  });

  it("ends work that the VM ends without an answer", async () => {
    await using pool = await StandInPool.started();
    expect(await pool.ask("/mute").over).toBe("no-answer");
  });

  it("spreads work over the VMs, and gives none more than `concurrency`", async () => {
    await using pool = await StandInPool.started({ threads: 2, concurrency: 2 });
    const asked = Array.from({ length: 6 }, () => pool.ask("/slow?20"));
    expect(pool.vms().map((vm) => vm.inFlight)).toEqual([2, 2]);
    expect(pool.waiting).toBe(2);
    await Promise.all(asked.map((heard) => heard.over));
    expect(
      asked
        .slice(0, 4)
        .map((heard) => heard.vm)
        .sort(),
    ).toEqual([1, 1, 2, 2]);
  });

  it("serves what waits in the order of its arrival", async () => {
    await using pool = await StandInPool.started({ concurrency: 1 });
    const order: number[] = [];
    const asked = Array.from({ length: 10 }, (_, index) =>
      pool.ask("/echo").over.then(() => order.push(index)),
    );
    await Promise.all(asked);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("refuses with pool-full what is more than the line holds", async () => {
    await using pool = await StandInPool.started({ concurrency: 1, limits: { queue: 2 } });
    const asked = Array.from({ length: 4 }, () => pool.ask("/slow?20"));
    expect(asked[3]?.said).toEqual(["pool-full"]);
    for (const heard of asked.slice(0, 3)) expect(await heard.over).toBe("response");
  });

  it("sends away with pool-full what waits too long", async () => {
    await using pool = await StandInPool.started({ concurrency: 1, limits: { waitMs: 30 } });
    pool.ask("/silent");
    expect(await pool.ask("/echo").over).toBe("pool-full");
  });

  it("stops a request whose client is gone, waiting or in flight, and gives its slot to the next", async () => {
    await using pool = await StandInPool.started({ concurrency: 1 });
    const [inFlight, waiting, next] = [pool.ask("/silent"), pool.ask("/echo"), pool.ask("/echo")];
    waiting.ticket?.abort();
    expect(pool.waiting).toBe(1);
    inFlight.ticket?.abort();
    expect(await next.over).toBe("response");
    expect([inFlight.said, waiting.said]).toEqual([[], []]);
  });
});

describe("what is counted", () => {
  it("is what was posted to each VM, to those included whose place it took", async () => {
    await using pool = await StandInPool.started({ threads: 2, concurrency: 1 });
    await Promise.all([pool.ask("/slow?20").over, pool.ask("/slow?20").over]);
    expect(pool.vms().map((vm) => vm.dispatched)).toEqual([1, 1]);
    await pool.recycle(1);
    expect(pool.vms().map((vm) => vm.dispatched)).toEqual([1, 1]);
    await Promise.all([pool.ask("/slow?20").over, pool.ask("/slow?20").over]);
    expect(pool.vms().map((vm) => vm.dispatched)).toEqual([2, 2]);
  });

  it("is what no VM has finished, by reason, without what its client gave up", async () => {
    await using pool = await StandInPool.started({ concurrency: 1, limits: { queue: 1 } });
    const [silent, waiting] = [pool.ask("/silent"), pool.ask("/echo")];
    expect(pool.ask("/echo").said).toEqual(["pool-full"]);
    expect(pool.unfinished).toEqual({ "pool-full": 1, "pool-closed": 0, "vm-died": 0 });
    waiting.ticket?.abort();
    await pool.recycle(1, 30);
    expect(await silent.over).toBe("vm-died");
    expect(await pool.ask("/echo").over).toBe("response");
    expect(pool.unfinished).toEqual({ "pool-full": 1, "pool-closed": 0, "vm-died": 1 });
    await pool.close(0);
    expect(pool.ask("/echo").said).toEqual(["pool-closed"]);
    expect(pool.unfinished).toEqual({ "pool-full": 1, "pool-closed": 1, "vm-died": 1 });
  });
});

describe("start", () => {
  it("rejects vm-failed with Lua's message when no VM boots", async () => {
    const pool = new StandInPool({ threads: 2, boot: () => snapshot(1, "unfit") });
    const error = await pool.start().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ReluaError);
    expect(error).toMatchObject({ code: "vm-failed", message: "init_by:1: VM 1 does not like this" });
  });

  it.each(["throw", "exit"] as const)("rejects when the threads die at boot by %s", async (mode) => {
    const pool = new StandInPool({ boot: () => snapshot(1, mode) });
    await expect(pool.start()).rejects.toMatchObject({ code: "vm-failed" });
  });

  it("rejects when the thread's file does not load", async () => {
    const pool = new StandInPool({ entry: "/nowhere/thread.js" });
    await expect(pool.start()).rejects.toMatchObject({ code: "vm-failed" });
  });

  it("rejects when the VMs do not get ready in time, waiting or busy", async () => {
    for (const mode of ["never", "hang"] as const) {
      const pool = new StandInPool({ boot: () => snapshot(1, mode), limits: { bootMs: 300 } });
      await expect(pool.start()).rejects.toMatchObject({ code: "vm-failed" });
    }
  });

  it("serves with the VMs that boot, and tries the others again until they do", async () => {
    let boots = 0;
    await using pool = new StandInPool({
      threads: 2,
      boot: () => {
        boots += 1;
        return snapshot(1, boots === 1 || boots === 3 ? "unfit" : "");
      },
    });
    const recovered = pool.vmEvent((status) => status.id === 1 && status.state === "ready");
    const ends: VmEnd[] = [];
    pool.on("vm", (_status, end) => {
      if (end !== undefined) ends.push(end);
    });
    await pool.start();
    expect(await pool.ask("/echo").over).toBe("response");
    expect(await recovered).toMatchObject({ restarts: 2 });
    expect(ends).toEqual(
      Array.from({ length: 2 }, () => ({ kind: "unfit", message: "init_by:1: VM 1 does not like this" })),
    );
  });
});

describe("a VM that dies", () => {
  it.each([
    ["throws", "/throw", "thrown in the thread"],
    ["exits", "/exit", "worker exited with code: 7"],
    ["runs out of memory", "/oom", "Worker terminated due to reaching memory limit: JS heap out of memory"],
  ])(
    "is replaced when its thread %s; what had started is lost, the rest runs elsewhere",
    async (_how, path, message) => {
      let generation = 1;
      await using pool = await StandInPool.started({ boot: () => snapshot(generation) });
      generation = 2;
      const ended = new Promise<VmEnd | undefined>((resolve) => {
        pool.on("vm", (_status, end) => end && resolve(end));
      });
      const fatal = pool.ask(path);
      const others = Array.from({ length: 3 }, () => pool.ask("/echo"));
      expect(await fatal.over).toBe("vm-died");
      for (const heard of others) {
        expect(await heard.over).toBe("response");
        expect(heard.generation).toBe(2);
      }
      expect(await ended).toEqual({ kind: "died", message });
      expect(pool.vms()).toMatchObject([{ id: 1, restarts: 1, state: "ready" }]);
    },
  );

  it("breaks a response that it had begun", async () => {
    await using pool = await StandInPool.started();
    expect(await pool.ask("/half").over).toBe("head, one , broken");
  });

  it("gives up work that saw three VMs die before it started", async () => {
    await using pool = await StandInPool.started({ limits: { requestMs: 50, graceMs: 50 }, concurrency: 4 });
    const hangs = Array.from({ length: 3 }, () => pool.ask("/hang"));
    const patient = pool.ask("/echo");
    for (const hang of hangs) expect(await hang.over).toBe("vm-died");
    expect(await patient.over).toBe("vm-died");
    expect(await pool.ask("/echo").over).toBe("response");
  });

  it("is killed by the watchdog when it hangs in Lua; requests behind the loop run in another VM", async () => {
    await using pool = await StandInPool.started({ threads: 2, limits: { requestMs: 100, graceMs: 100 } });
    const ended = new Promise<VmEnd | undefined>((resolve) => {
      pool.on("vm", (_status, end) => end && resolve(end));
    });
    const hang = pool.ask("/hang");
    const others = Array.from({ length: 6 }, () => pool.ask("/echo"));
    expect(await hang.over).toBe("vm-died");
    for (const heard of others) expect(await heard.over).toBe("response");
    expect(await ended).toMatchObject({ kind: "killed", message: expect.stringContaining("stuck in Lua") });
  });

  it("leaves the pool whole after twenty kills in a row", async () => {
    await using pool = await StandInPool.started({ threads: 2 });
    for (let round = 0; round < 20; round += 1) {
      const vm = (round % 2) + 1;
      const back = pool.vmEvent((status) => status.id === vm && status.state === "ready");
      pool.kill(vm, "test");
      await back;
    }
    expect(pool.vms()).toMatchObject([
      { id: 1, state: "ready", restarts: 10 },
      { id: 2, state: "ready", restarts: 10 },
    ]);
    const asked = Array.from({ length: 8 }, () => pool.ask("/slow?5"));
    for (const heard of asked) expect(await heard.over).toBe("response");
    expect(new Set(asked.map((heard) => heard.vm))).toEqual(new Set([1, 2]));
  });

  it("is replaced when it was killed while it booted", async () => {
    await using pool = await StandInPool.started();
    pool.kill(1, "first");
    const back = pool.vmEvent((status) => status.state === "ready");
    pool.kill(1, "while it boots");
    await back;
    expect(await pool.ask("/echo").over).toBe("response");
  });
});

describe("recycle", () => {
  it("replaces a VM after it has finished what it had, while the other serves", async () => {
    await using pool = await StandInPool.started({ threads: 2 });
    const before = Array.from({ length: 4 }, () => pool.ask("/slow?50"));
    const recycled = pool.recycle(1);
    await pool.vmEvent((status) => status.id === 1 && status.state === "draining");
    const during = Array.from({ length: 4 }, () => pool.ask("/echo"));
    await recycled;
    for (const heard of [...before, ...during]) expect(await heard.over).toBe("response");
    expect(during.map((heard) => heard.vm)).toEqual([2, 2, 2, 2]);
    expect(pool.vms()).toMatchObject([
      { id: 1, restarts: 1, state: "ready" },
      { id: 2, restarts: 0 },
    ]);
  });

  it("of all VMs, one after another, loses no request of a steady stream", async () => {
    await using pool = await StandInPool.started({ threads: 2 });
    const recycled = pool.recycleAll();
    let rolling = true;
    const asked: Heard[] = [];
    const stream = async () => {
      while (rolling) {
        const heard = pool.ask("/slow?1");
        asked.push(heard);
        await heard.over;
      }
    };
    const streams = Promise.all([stream(), stream(), stream(), stream()]);
    await recycled;
    rolling = false;
    await streams;
    expect(new Set(asked.map((heard) => heard.said.join()))).toEqual(new Set(["response"]));
    expect(pool.vms()).toMatchObject([{ restarts: 1 }, { restarts: 1 }]);
  });

  it("kills a VM that does not finish in time", async () => {
    await using pool = await StandInPool.started();
    const silent = pool.ask("/silent");
    await pool.recycle(1, 30);
    expect(await silent.over).toBe("vm-died");
    expect(await pool.ask("/echo").over).toBe("response");
  });

  it("rejects vm-failed when the new VM does not boot, and stops a rolling recycle there", async () => {
    let mode: "" | "unfit" = "";
    await using pool = await StandInPool.started({ threads: 2, boot: () => snapshot(1, mode) });
    mode = "unfit";
    await expect(pool.recycleAll()).rejects.toMatchObject({ code: "vm-failed" });
    expect(pool.vms()).toMatchObject([{ id: 1 }, { id: 2, state: "ready", restarts: 0 }]);
    expect(await pool.ask("/echo").over).toBe("response");
  });
});

describe("broadcast", () => {
  it("reaches a VM that is still booting, on top of what it boots with", async () => {
    let generation = 1;
    await using pool = new StandInPool({ boot: () => snapshot(generation) });
    const started = pool.start();
    generation = 2;
    pool.broadcast(activate(2));
    pool.broadcast({ type: "locations", locations: [{ id: 1, pattern: "/", handlers: {} }] });
    await started;
    const heard = pool.ask("/echo");
    await heard.over;
    expect([heard.generation, heard.locations]).toEqual([2, 1]);
  });

  it("is reported by each VM that applies it, under the VM's number", async () => {
    await using pool = await StandInPool.started({ threads: 2 });
    const applied = new Set<string>();
    const all = new Promise<void>((resolve) => {
      pool.on("applied", (vm, report) => {
        applied.add(`${vm}: ${report.generation}`);
        if (applied.size === 2) resolve();
      });
    });
    pool.broadcast(activate(5));
    await all;
    expect(applied).toEqual(new Set(["1: 5", "2: 5"]));
    expect(pool.vms()).toMatchObject([{ generation: 5 }, { generation: 5 }]);
  });
});

describe("a VM beside the pool", () => {
  it("hears only from its owner, and ends with the pool", async () => {
    await using pool = await StandInPool.started({ spareThreads: 1 });
    const heard: string[] = [];
    const canary = pool.host(0, snapshot(1), {
      ready: () => heard.push("ready"),
      draining: () => heard.push("draining"),
      slotFree: () => undefined,
      notice: (_vm, notice) => heard.push(notice.type),
      gone: (_vm, end) => heard.push(end.kind),
      ended: () => heard.push("ended"),
    });
    await canary.ready;
    pool.broadcast(activate(2));
    await pool.ask("/echo").over;
    expect(canary.generation).toBe(1);
    canary.post(activate(3));
    canary.drain();
    await canary.ended;
    expect(heard).toEqual(["ready", "draining", "applied", "finished", "ended"]);
    const second = pool.host(0, snapshot(1), {
      ready: () => undefined,
      draining: () => undefined,
      slotFree: () => undefined,
      notice: () => undefined,
      gone: (_vm, end) => heard.push(end.kind),
      ended: () => undefined,
    });
    await second.ready;
    await pool.close();
    expect(heard.at(-1)).toBe("killed");
  });
});

describe("drain and close", () => {
  it("drain takes nothing more and finishes what was taken, waiting or in flight", async () => {
    await using pool = await StandInPool.started({ concurrency: 1 });
    const taken = [pool.ask("/slow?20"), pool.ask("/slow?20")];
    const drained = pool.drain(10_000);
    expect(pool.ask("/echo").said).toEqual(["pool-closed"]);
    expect(await drained).toBe(true);
    expect(taken.map((heard) => heard.said.join())).toEqual(["response", "response"]);
  });

  it("drain gives up after its time, and close ends what is left", async () => {
    await using pool = await StandInPool.started({ concurrency: 1 });
    const [silent, waiting] = [pool.ask("/silent"), pool.ask("/echo")];
    expect(await pool.drain(20)).toBe(false);
    await pool.close(20);
    expect(await silent.over).toBe("vm-died");
    expect(await waiting.over).toBe("pool-closed");
  });

  it("close can be called at any moment, and twice", async () => {
    const pool = new StandInPool({ threads: 2 });
    const started = pool.start().catch((error: unknown) => error);
    await Promise.all([pool.close(), pool.close()]);
    expect(await started).toMatchObject({ code: "vm-failed" });
    expect(pool.ask("/echo").said).toEqual(["pool-closed"]);
  });

  it("leaves nothing behind: the process ends by itself, also after a kill", async () => {
    const script = `
      import { createPool } from ${JSON.stringify(new URL("../../src/vm/pool.ts", import.meta.url).href)};
      import { poolOptions } from ${JSON.stringify(new URL("./stand-in.ts", import.meta.url).href)};
      const pool = createPool(poolOptions({ threads: 2, spareThreads: 1 }));
      await pool.start();
      pool.kill(1, "test");
      await pool.drain(1000);
      await pool.close();
      const { stdout } = process;
      const left = process.getActiveResourcesInfo().filter((one) => one !== "PipeWrap" && one !== "TTYWrap");
      stdout.write("left: " + left.join(" "));`;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script]);
    let printed = "";
    child.stdout.on("data", (data) => {
      printed += data;
    });
    child.stderr.on("data", (data) => {
      printed += data;
    });
    const [code] = await once(child, "close");
    expect([printed, code]).toEqual(["left: ", 0]);
  });
});
