/** `PUT http_lua` and `GET http_lua`: the handlers of locations, read and written as one document. */

import { phases } from "../../../core/exchange.ts";
import { type LocationDocument, luaKeys, type ServersDocument } from "../../../core/servers.ts";
import { ReluaError } from "../../../errors.ts";
import type { ControlledAgent } from "../controlled-agent.ts";
import { type Result, resultCodes } from "./result.ts";
import { readServersDocument } from "./servers-document.ts";

/** Nothing is applied of a document that does not fit or whose Lua does not compile. */
export async function putServers(
  agent: Pick<ControlledAgent, "compile" | "updateServers">,
  body: Uint8Array,
): Promise<Result> {
  const read = readServersDocument(body);
  if (!read.ok) return { code: resultCodes.json, msg: read.message };
  for (const { label, code } of inlineCode(read.document)) {
    const message = agent.compile(label, code);
    if (message !== undefined) return { code: resultCodes.error, msg: message };
  }
  try {
    const { problems, applied } = await agent.updateServers(read.document);
    if (problems.length === 0) return { code: resultCodes.success };
    return { code: applied > 0 ? resultCodes.partial : resultCodes.error, data: problems };
  } catch (error) {
    if (error instanceof ReluaError) return { code: resultCodes.error, msg: error.message };
    throw error;
  }
}

/** Every inline handler with the chunk name that the VMs give it. */
function* inlineCode({ servers }: ServersDocument): Iterable<{ label: string; code: string }> {
  for (const { locations } of servers) yield* codeOf(locations);
}

function* codeOf(locations: readonly LocationDocument[]): Iterable<{ label: string; code: string }> {
  for (const { location, lua, locations: inner } of locations) {
    for (const phase of phases) {
      const { inline } = luaKeys(phase);
      const code = lua?.[inline];
      if (code !== undefined) yield { label: `${inline}(${location})`, code };
    }
    if (inner) yield* codeOf(inner);
  }
}
