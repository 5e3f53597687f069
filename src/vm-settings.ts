/** What a VM is told of the configuration. */

import type { Config } from "./config/index.ts";
import type { VmSettings } from "./vm/protocol.ts";

/** The same for every VM of an agent, from its start to its end. */
export function vmSettings(config: Config): VmSettings {
  return {
    prefix: config.prefix,
    cwd: config.cwd,
    packagePath: config.searchPath.text,
    luaCodeCache: config.luaCodeCache,
    initBy: config.initBy,
    initWorkerBy: config.initWorkerBy,
    threads: config.threads,
    limits: {
      requestMs: config.limits.requestMs,
      instructions: config.limits.instructions,
      heapMb: config.limits.heapMb,
      canaryMs: config.reload.canaryMs,
    },
    sharedDicts: config.sharedDicts,
    pinned: config.reload.pinned,
    oneNamePerFile: config.reload.aliases === "error",
    warm: config.reload.warm,
  };
}
