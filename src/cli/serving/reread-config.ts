/** SIGHUP: looks at the config file again, says what of it only a restart takes up, and reloads. */

import { isDeepStrictEqual } from "node:util";
import type { Agent } from "../../agent.ts";
import { type Config, loadConfig } from "../../config/index.ts";
import { ReluaError } from "../../errors.ts";
import { describeDefect } from "../failure.ts";
import type { Narrator } from "./narrator.ts";

export interface RereadParts {
  readonly agent: Agent;
  readonly narrator: Narrator;
  readonly configFile: string | undefined;
}

/** Where a resolved key has another name than in the file. */
const namesInFile: Readonly<Partial<Record<keyof Config, string>>> = {
  searchPath: "luaPackagePath",
  scan: "watch",
};

/** Never rejects: what is wrong is logged, and the agent goes on as it was. */
export async function rereadConfig({ agent, narrator, configFile }: RereadParts): Promise<void> {
  try {
    const changed = changedKeys(agent.config, await loadConfig(configFile, agent.config.cwd));
    if (changed.length > 0)
      narrator.log("warn", `SIGHUP: changes of ${changed.join(", ")} take effect at the next start`);
    await agent.reload({}, "signal");
  } catch (error) {
    const lines =
      error instanceof ReluaError
        ? error.details.length > 0
          ? error.details
          : [error.message]
        : describeDefect(error);
    narrator.log("error", ["SIGHUP: nothing is reloaded, the agent goes on as it was", ...lines].join("\n"));
  }
}

/** Keys of the config file, as written there, that mean something else now. */
function changedKeys(was: Config, now: Config): readonly string[] {
  const keys = new Set([...Object.keys(was), ...Object.keys(now)] as (keyof Config)[]);
  keys.delete("file");
  keys.delete("cwd");
  const changed = [...keys].filter((key) => !isDeepStrictEqual(was[key], now[key]));
  return [...new Set(changed.map((key) => namesInFile[key] ?? key))].sort();
}
