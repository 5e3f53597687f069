/** Runs an agent for as long as the process lives: start, warnings, the ready line, the end. */

import { basename } from "node:path";
import { performance } from "node:perf_hooks";
import { Agent } from "../../agent.ts";
import { type Config, loadConfig } from "../../config/index.ts";
import type { LogLevel } from "../../core/log.ts";
import { ReluaError } from "../../errors.ts";
import type { Terminal } from "../../observe/terminal.ts";
import { packageVersion } from "../../observe/version.ts";
import { governLifetime } from "./lifetime.ts";
import { Narrator } from "./narrator.ts";
import { readyLine } from "./ready-line.ts";
import { rereadConfig } from "./reread-config.ts";
import { startWarnings } from "./start-warnings.ts";

export interface ServeOptions {
  readonly configFile: string | undefined;
  readonly logLevel: LogLevel;
  readonly terminal: Terminal;
  /** False: beside the config's targets, without VMs. */
  readonly hosting: boolean;
}

/**
 * Resolves when the agent is ready; the process then lives until a signal ends it.
 * @throws ReluaError what loadConfig and Agent.start throw
 */
export async function serve({ configFile, logLevel, terminal, hosting }: ServeOptions): Promise<void> {
  const config = await loadConfig(configFile);
  if (!hosting && config.targets.length === 0) throw nobodyToTell(config);
  const agent = new Agent(config, { hosting });
  const narrator = new Narrator(agent, terminal, logLevel);
  const lifetime = governLifetime({
    agent,
    narrator,
    onHangup: () => rereadConfig({ agent, narrator, configFile }),
  });
  try {
    await agent.start();
  } catch (error) {
    narrator.end();
    // A signal during the start closes the agent under it: that is no failure.
    if (lifetime.stopping) return;
    lifetime.release();
    throw error;
  }
  const status = agent.status();
  narrator.ready(
    startWarnings(config, status.watch),
    readyLine({
      version: packageVersion(),
      // Counts from the start of the process.
      readyMs: performance.now(),
      addresses: agent.addresses,
      status,
    }),
  );
}

function nobodyToTell({ file }: Config): ReluaError {
  const title = file === undefined ? "config" : basename(file);
  return new ReluaError("config-invalid", `${title}: 1 problem`, [
    `${title}: targets is empty; relua watch has no VMs of its own and needs a host to deliver to: ` +
      'targets: [{ type: "nginx", url: "http://127.0.0.1:8080/relua" }]',
  ]);
}
