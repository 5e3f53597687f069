/** `PUT http_lua_package_clean`: evicts the named modules and their dependents, in every VM, or says why not. */

import { ReluaError } from "../../../errors.ts";
import type { ControlledAgent } from "../controlled-agent.ts";
import { readJson } from "../json-reader.ts";
import { loadErrorLine, presentOutcome } from "../present.ts";
import { type Result, resultCodes } from "./result.ts";

/** More names than this in one call are refused: NJet has no bound but the body's. */
const maxNames = 10_000;

export interface CleanParts {
  readonly agent: Pick<ControlledAgent, "prefix" | "pinnedWhy" | "reload" | "status">;
  readonly log: (message: string) => void;
}

/** The order of checks and their words are NJet's (njt_http_dyn_lua_package_clean_internal). */
export async function cleanPackages({ agent, log }: CleanParts, body: Uint8Array): Promise<Result> {
  const read = readJson(body);
  if (!read.ok) return { code: resultCodes.error, msg: "Failed to parse JSON string array" };
  if (read.root.kind !== "array") return { code: resultCodes.error, msg: "JSON payload is not an array" };

  const names = new Set<string>();
  let skipped = 0;
  for (const item of read.root.items) {
    // NJet takes names as C strings: they end at the first NUL.
    if (item.kind === "string") names.add(String(item.value).split("\0", 1)[0]!);
    else skipped++;
  }
  if (skipped > 0) log(`http_lua_package_clean: skipped ${skipped} elements that are no strings`);
  if (names.size > maxNames)
    return { code: resultCodes.error, msg: `${names.size} names; at most ${maxNames} in one call` };

  const kept: string[] = [];
  for (const name of names) {
    const why = agent.pinnedWhy(name);
    if (why === undefined) continue;
    names.delete(name);
    kept.push(`${name} is ${why} and was kept`);
  }
  const code = kept.length > 0 ? resultCodes.partial : resultCodes.success;
  if (names.size === 0)
    return { code, data: kept, more: { generation: agent.status().generation, evicted: [], vms: [] } };

  try {
    const outcome = await agent.reload({ names: [...names], force: true }, "clean");
    const { generation, evicted, vms } = presentOutcome(outcome, agent.prefix);
    switch (outcome.outcome) {
      case "rejected": {
        const lines = outcome.errors.map((error) => loadErrorLine(error, agent.prefix));
        return { code: resultCodes.error, msg: lines.join("\n"), data: kept, more: { generation } };
      }
      case "held":
        return {
          code: resultCodes.error,
          msg: "changes are held; nothing is evicted until they are released",
          data: kept,
          more: { generation },
        };
      default:
        return { code, data: kept, more: { generation, evicted, vms } };
    }
  } catch (error) {
    if (error instanceof ReluaError) return { code: resultCodes.error, msg: error.message };
    throw error;
  }
}
