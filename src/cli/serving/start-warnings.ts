/** What somebody who starts an agent should know before it is ready. */

import type { Config } from "../../config/index.ts";
import { defaultSearchPath, parsePackagePath, sourceRoots } from "../../core/search-path.ts";
import type { WatchStatus } from "../../core/status.ts";
import { skippedLines } from "../watched.ts";

export function startWarnings(config: Config, watch: WatchStatus): readonly string[] {
  const until = config.watch === false ? "" : "; watched until it appears";
  // `;;` names folders that most machines do not have: nobody asked for those.
  const byDefault = new Set(
    sourceRoots(parsePackagePath(defaultSearchPath, config.cwd)).map(({ folder }) => folder),
  );
  return [
    ...(config.luaCodeCache
      ? []
      : ["luaCodeCache is false: every request gets a fresh VM; for development only"]),
    ...watch.missingRoots
      .filter((root) => !byDefault.has(root))
      .map((root) => `search path root ${root} does not exist${until}`),
    ...skippedLines(watch.skipped.map(({ path, reason }) => ({ file: path, reason }))),
  ];
}
