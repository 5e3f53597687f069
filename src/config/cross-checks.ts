/** What no single key shows: values that are impossible together. Each check skips what did not parse. */

import { parseSearchPath, type SearchPathOptions } from "../core/search-path.ts";
import { isLoopback, parseListen } from "../core/servers.ts";
import type { ConfigValues } from "./schema.ts";

/** The search path must have something to search. */
export function searchPathProblems(text: string | undefined, options: SearchPathOptions): readonly string[] {
  if (text === undefined) return [];
  try {
    parseSearchPath(text, options);
    return [];
  } catch (error) {
    return [`luaPackagePath is wrong: ${(error as Error).message}`];
  }
}

/** Nobody but this machine gets at the control plane without a token (contract §2). */
export function controlProblems(control: ConfigValues["control"] | undefined): readonly string[] {
  if (control === undefined) return [];
  const token = control.token ?? "";
  const problems: string[] = [];
  if (token !== "" && !/^[\x21-\x7e]+$/.test(token)) {
    // The value itself stays out of terminals and logs.
    problems.push("control.token has blanks or other letters than ASCII in it; no HTTP header carries them");
  }
  try {
    if (token === "" && !isLoopback(parseListen(control.listen))) {
      problems.push(
        `control.listen is ${JSON.stringify(control.listen)} without control.token; ` +
          "set a token (RELUA_TOKEN), or listen on 127.0.0.1",
      );
    }
  } catch (error) {
    problems.push(`control.listen is wrong: ${(error as Error).message}`);
  }
  return problems;
}

/** Times that contradict each other. */
export function timingProblems({ watch }: Partial<ConfigValues>): readonly string[] {
  if (watch === undefined || watch === false || watch.maxWaitMs >= watch.settleMs) return [];
  return [`watch.maxWaitMs is ${watch.maxWaitMs}; it takes at least watch.settleMs, ${watch.settleMs}`];
}
