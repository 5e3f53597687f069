/** The built package: a benchmark measures what users run, not what tsx makes of the sources. */

import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Absolute; holds the compiled sources and the patched Fengari. */
export const dist = join(import.meta.dirname, "..", "dist");

const built = (file: string): Promise<unknown> => import(pathToFileURL(join(dist, file)).href);

export const { Agent } = (await built("agent.js")) as typeof import("../src/agent.ts");
export type Agent = import("../src/agent.ts").Agent;

const { parseConfig } = (await built("config/index.js")) as typeof import("../src/config/index.ts");

export type ConfigInput = import("../src/config/index.ts").ConfigInput;

/** A free port, and no file but the prefix's: `;;` would add what the machine has installed. */
export const ownFilesOnly = {
  luaPackagePath: "$prefix/apps/?.lua",
  control: { listen: "127.0.0.1:0" },
} satisfies ConfigInput;

/** An agent on ports of the system's choice, which must not have anything to complain about. */
export function createAgent(
  input: ConfigInput,
  substitutes: ConstructorParameters<typeof Agent>[1] = {},
): Agent {
  const agent = new Agent(parseConfig({ ...ownFilesOnly, ...input }), substitutes);
  agent.on("log", (level, message) => {
    if (level !== "notice" && level !== "info" && level !== "debug")
      console.error(`bench: ${level}: ${message}`);
  });
  return agent;
}

/** The port of the agent's first server. */
export function dataPort(agent: Agent): number {
  return Number(agent.addresses.data[0]?.split(":").at(-1));
}
