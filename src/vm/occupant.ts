/** A complete VM of this thread: the Lua side, the ngx API and cjson, with `initBy` and `initWorkerBy` run. */

import type { LogLevel } from "../core/log.ts";
import type { ManifestView } from "../lua/manifest-view.ts";
import { latin1ToUtf8 } from "../lua/stack.ts";
import { type HotHooks, LuaVm } from "../lua/vm.ts";
import { openNgx } from "../ngx/api.ts";
import { openCjson } from "../ngx/cjson.ts";
import { Surroundings } from "../ngx/exchange.ts";
import type { NgxHost } from "../ngx/host.ts";
import type { Timers } from "../ngx/timers.ts";
import type { VmSettings } from "./protocol.ts";

export interface OccupantOptions {
  readonly settings: VmSettings;
  readonly generation: number;
  readonly manifest: ManifestView;
  /** Counts from 1; `ngx.worker.id()` is one less. */
  readonly vm: number;
  /** Absent for a canary: it serves nobody, so no dispose and adopt functions run and no timers fire. */
  readonly serving?: {
    readonly hot: HotHooks;
    readonly timers: Timers;
    /** The VM serves one request and is thrown away. */
    readonly fleeting: boolean;
  };
  exiting(): boolean;
  /** The text is UTF-8. */
  log(level: LogLevel, message: string): void;
  /** Called every thousand Lua instructions. */
  onTick(): void;
  onEnter(): void;
  onLeave(): void;
}

/** A VM and what its ngx API lives in. */
export interface Occupant {
  readonly vm: LuaVm;
  readonly host: NgxHost;
}

/** Makes the VM; `initBy` has not run yet. */
export function createOccupant(options: OccupantOptions): Occupant {
  const { settings, serving } = options;
  const print = (line: string) => options.log("notice", latin1ToUtf8(line));
  const vm = new LuaVm({
    generation: options.generation,
    manifest: options.manifest,
    packagePath: settings.packagePath,
    cwd: settings.cwd,
    pinned: settings.pinned,
    // The canary looks on, and what a change set adds is judged by what runs: it must not fail over what ran before.
    oneNamePerFile: settings.oneNamePerFile && serving !== undefined,
    print,
    printError: print,
    ...(serving && { hot: serving.hot }),
    onTick: () => options.onTick(),
    onEnter: () => options.onEnter(),
    onLeave: () => options.onLeave(),
    onNativeError: (error) => {
      const described = error instanceof Error ? (error.stack ?? error.message) : String(error);
      options.log("alert", `defect in Relua: ${described}`);
    },
  });
  const log = (level: LogLevel, message: string) => options.log(level, latin1ToUtf8(message));
  const timers = serving?.timers.of({
    vm,
    fleeting: serving.fleeting,
    farewellMs: settings.limits.requestMs,
    log,
  });
  if (timers) vm.attach(timers);
  const host: NgxHost = {
    scheduler: vm.scheduler,
    // The canary loads as the first VM would.
    workerId: Math.max(0, options.vm - 1),
    workerCount: settings.threads,
    prefix: `${settings.prefix}/`,
    log,
    exiting: () => options.exiting() || (timers?.leaving ?? false),
    ...(timers && { timers }),
  };
  openNgx(vm.L, host);
  openCjson(vm.L, host);
  return { vm, host };
}

/** Runs `initBy` and `initWorkerBy`; resolves with the failure's message, or undefined when both went well. */
export async function initialise({ vm }: Occupant, settings: VmSettings): Promise<string | undefined> {
  for (const [label, phase, code] of [
    ["init_by", "init", settings.initBy],
    ["init_worker_by", "init_worker", settings.initWorkerBy],
  ] as const) {
    if (code === "") continue;
    const failure = await new Promise<string | undefined>((resolve) => {
      const allowance = {
        deadlineMs: settings.limits.requestMs,
        instructions: 0,
        context: new Surroundings(phase),
      };
      vm.runChunk(label, code, allowance, (ended) =>
        resolve(ended.ok ? undefined : ended.traceback || ended.message),
      );
    });
    if (failure !== undefined) return `${label}: ${failure}`;
  }
  return undefined;
}
