/** A VM as a thread hosts it, over sources in memory: with the ngx API, timers and `relua.hot`. */

import { createHash } from "node:crypto";
import { ManifestView } from "../../src/lua/manifest-view.ts";
import type { LuaVm } from "../../src/lua/vm.ts";
import { Surroundings } from "../../src/ngx/exchange.ts";
import { Timers } from "../../src/ngx/timers.ts";
import { HotFailures } from "../../src/vm/hot-failures.ts";
import { createOccupant } from "../../src/vm/occupant.ts";
import type { AppliedReport, VmToMain } from "../../src/vm/protocol.ts";
import { type ChunkRunner, change, chunkRunner, moveVm, resultOf, root } from "../lua/vm-harness.ts";

export interface ServingVm extends ChunkRunner {
  readonly vm: LuaVm;
  readonly timers: Timers;
  /** `level message`. */
  readonly log: string[];
  /** What the VM told the main thread otherwise. */
  readonly posted: VmToMain[];
  /** Moves to the next generation and loads `load` again; what failed is as in an AppliedReport. */
  move(
    files: Record<string, string | null>,
    evict: string[],
    load?: string[],
  ): Pick<AppliedReport, "hotErrors" | "unfit" | "evicted">;
  /** The global `trace`, joined by blanks; it must be a sequence. */
  trace(): string;
  /** Resolves when `code`, an expression, is true. */
  until(code: string): Promise<void>;
  close(): void;
}

export function servingVm(
  files: Record<string, string>,
  options: { serving?: boolean; fleeting?: boolean; requestMs?: number; phase?: "init" | "init_worker" } = {},
): ServingVm {
  const { serving = true, fleeting = false, requestMs = 5_000, phase } = options;
  const log: string[] = [];
  const posted: VmToMain[] = [];
  const timers = new Timers();
  const context = () => new Surroundings(phase ?? "timer");
  const hot = new HotFailures({ deadlineMs: requestMs, instructions: 0, context: context() }, (message) => {
    if (message.type === "log") log.push(`${message.level} ${message.message}`);
    else posted.push(message);
  });
  const { vm } = createOccupant({
    settings: {
      prefix: root,
      cwd: root,
      packagePath: `${root}/?.lua;${root}/?/init.lua`,
      luaCodeCache: true,
      initBy: "",
      initWorkerBy: "",
      threads: 1,
      limits: { requestMs, instructions: 0, heapMb: 256, canaryMs: 5_000 },
      sharedDicts: {},
      pinned: [],
      oneNamePerFile: false,
      warm: true,
    },
    generation: 1,
    manifest: ManifestView.complete(change(files)),
    vm: 1,
    ...(serving && { serving: { hot, timers, fleeting } }),
    exiting: () => false,
    log: (level, message) => log.push(`${level} ${message}`),
    onEnter: () => {},
    onLeave: () => {},
    onTick: () => {},
  });
  const allowance = () => ({ deadlineMs: 10_000, instructions: 0, context: context() });
  // The same code has the same name: it is asked many times over, and compiled once.
  const label = (code: string) => `test ${createHash("md5").update(code).digest("hex").slice(0, 8)}`;
  const { run, begin } = chunkRunner(vm, allowance, label);
  run("trace = {} function note(...) trace[#trace + 1] = table.concat({...}, ':') end");
  return {
    vm,
    timers,
    log,
    posted,
    run,
    begin,
    move(next, evict, load = []) {
      hot.beginMove();
      const evicted = moveVm(vm, next, evict);
      for (const name of load) vm.load(name, allowance(), (ended) => resultOf(ended));
      return { evicted, ...hot.endMove() };
    },
    trace: () => run("return table.concat(trace, ' ')") as string,
    async until(code) {
      while (run(`return ${code}`) !== true) await new Promise((resolve) => setTimeout(resolve, 1));
    },
    close: () => timers.close(),
  };
}
