/** A complete VM of this thread: the Lua side, the ngx API and cjson, with `initBy` and `initWorkerBy` run. */

import type { LogLevel } from "../core/log.ts";
import type { ManifestView } from "../lua/manifest-view.ts";
import { LuaVm } from "../lua/vm.ts";
import { openNgx } from "../ngx/api.ts";
import { openCjson } from "../ngx/cjson.ts";
import { Surroundings } from "../ngx/exchange.ts";
import type { NgxHost } from "../ngx/host.ts";
import type { VmSettings } from "./protocol.ts";

export interface OccupantOptions {
  readonly settings: VmSettings;
  readonly generation: number;
  readonly manifest: ManifestView;
  /** Counts from 1; `ngx.worker.id()` is one less. */
  readonly vm: number;
  exiting(): boolean;
  /** The text is UTF-8. */
  log(level: LogLevel, message: string): void;
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
  const { settings } = options;
  const print = (line: string) => options.log("notice", fromLatin1(line));
  const vm = new LuaVm({
    generation: options.generation,
    manifest: options.manifest,
    packagePath: settings.packagePath,
    cwd: settings.cwd,
    pinned: settings.pinned,
    print,
    printError: print,
    onEnter: () => options.onEnter(),
    onLeave: () => options.onLeave(),
    onNativeError: (error) => {
      const described = error instanceof Error ? (error.stack ?? error.message) : String(error);
      options.log("alert", `defect in Relua: ${described}`);
    },
  });
  const host: NgxHost = {
    scheduler: vm.scheduler,
    workerId: options.vm - 1,
    workerCount: settings.threads,
    prefix: `${settings.prefix}/`,
    log: (level, message) => options.log(level, fromLatin1(message)),
    exiting: () => options.exiting(),
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

/** Lua's bytes as text: messages hold names and paths in UTF-8. */
function fromLatin1(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8");
}
