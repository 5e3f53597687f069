import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import type { MainToVm, VmBoot, VmToMain } from "../../src/vm/protocol.ts";
import { Resident } from "../../src/vm/resident.ts";
import { createSlots } from "../../src/vm/shared-slots.ts";
import { change, root } from "../lua/vm-harness.ts";

/** Timers that this thread waits for. */
const timeouts = () =>
  process.getActiveResourcesInfo().filter((resource) => resource === "Timeout" || resource === "Immediate")
    .length;

/** Resolves when there are none: the test runner's own are over soon, what a VM left behind never is. */
async function noneLeft(): Promise<void> {
  while (timeouts() > 0) await new Promise((resolve) => setTimeout(resolve, 1).unref());
}

/** A resident in this thread; what it says, in order. */
function host(files: Record<string, string>, settings: Partial<VmBoot["settings"]> = {}) {
  const { port1, port2 } = new MessageChannel();
  const said: VmToMain[] = [];
  const told = new Set<() => void>();
  port1.on("message", (message: VmToMain) => {
    said.push(message);
    for (const tell of told) tell();
  });
  const resident = new Resident({
    vm: 1,
    port: port2,
    slots: createSlots(),
    settings: {
      prefix: root,
      cwd: root,
      packagePath: `${root}/?.lua`,
      luaCodeCache: true,
      initBy: "",
      initWorkerBy: "",
      threads: 1,
      limits: { requestMs: 5_000, instructions: 0, heapMb: 256, canaryMs: 5_000 },
      sharedDicts: {},
      pinned: [],
      oneNamePerFile: false,
      warm: true,
      ...settings,
    },
    generation: 1,
    manifest: change(files),
    locations: [],
  });
  return {
    ended: resident.run().finally(() => {
      for (let rest = receiveMessageOnPort(port1); rest; rest = receiveMessageOnPort(port1))
        said.push(rest.message as VmToMain);
      port1.close();
    }),
    post: (message: MainToVm) => port1.postMessage(message),
    async heard(type: VmToMain["type"]): Promise<void> {
      while (!said.some((message) => message.type === type))
        await new Promise<void>((resolve) => {
          const tell = () => {
            told.delete(tell);
            resolve();
          };
          told.add(tell);
        });
    },
    logged: () => said.flatMap((message) => (message.type === "log" ? [message.message] : [])),
  };
}

describe("the end of a VM", () => {
  const busy = `
    ngx.timer.every(0.001, function() end)
    ngx.timer.at(3600, function(premature) ngx.log(ngx.NOTICE, "premature ", premature) while true do ngx.sleep(3600) end end)
    ngx.timer.at(0, function() while true do ngx.sleep(0.001) end end)
    ngx.timer.at(3600, function() ngx.timer.at(0, function() ngx.sleep(3600) end) end)`;

  it("leaves no timer on its thread, which goes on to host another one", async () => {
    const vm = host({}, { initWorkerBy: busy });
    await vm.heard("ready");
    expect(timeouts()).toBeGreaterThan(0);
    vm.post({ type: "drain" });
    await vm.ended;
    expect(vm.logged()).toContainEqual(expect.stringContaining("premature true"));
    await noneLeft();
  });

  it("does not come before its requests are over, and waits for no timer that is over", async () => {
    const vm = host({
      "a.lua": `return { f = function()
        ngx.timer.every(3600, function(premature) ngx.log(ngx.NOTICE, "premature ", premature) end)
        while not ngx.worker.exiting() do ngx.sleep(0.001) end
        ngx.log(ngx.NOTICE, "request over") end }`,
    });
    await vm.heard("ready");
    vm.post({ type: "call", id: 1, module: "a", fn: "f", args: [] });
    vm.post({ type: "drain" });
    await vm.ended;
    expect(vm.logged().map((line) => /premature true|request over/.exec(line)?.[0])).toEqual([
      "premature true",
      "request over",
    ]);
  });

  it("leaves none when its init fails", async () => {
    const vm = host({}, { initWorkerBy: `${busy} error("unfit")` });
    await vm.ended;
    await noneLeft();
  });

  it("ends the timers of VMs for one request as well", async () => {
    const vm = host(
      { "a.lua": "return { f = function() ngx.timer.every(0.001, function() end) end }" },
      { luaCodeCache: false, initWorkerBy: busy },
    );
    await vm.heard("ready");
    for (const id of [1, 2, 3]) vm.post({ type: "call", id, module: "a", fn: "f", args: [] });
    await vm.heard("result");
    vm.post({ type: "drain" });
    await vm.ended;
    await noneLeft();
  });
});
