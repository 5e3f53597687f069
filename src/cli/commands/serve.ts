/** `relua serve` and `relua watch`: an agent that hosts VMs, and one that stands beside another host. */

import type { Argv, CommandModule } from "yargs";
import { type LogLevel, logLevels } from "../../core/log.ts";
import type { Terminal } from "../../observe/terminal.ts";
import { withConfigOption } from "./shared-options.ts";

interface RunArguments {
  readonly config: string | undefined;
  readonly "log-level": LogLevel;
}

export function serveCommand(terminal: Terminal): CommandModule<object, RunArguments> {
  return {
    command: "serve",
    describe: "Host the Lua VMs, watch the search path, serve HTTP and the control API",
    builder: (yargs) =>
      withRunOptions(yargs)
        .example("$0 serve", "With ./watch.config.ts")
        .example("$0 serve -c deploy/watch.config.ts --log-level warn", "")
        .epilogue(signals),
    handler: (args) => run(args, terminal, true),
  };
}

export function watchCommand(terminal: Terminal): CommandModule<object, RunArguments> {
  return {
    command: "watch",
    describe: "Watch beside nginx, OpenResty or NJet, and deliver every generation to the config's targets",
    builder: (yargs) =>
      withRunOptions(yargs)
        .example("$0 watch", "With ./watch.config.ts; its servers are not served, its targets are")
        .epilogue(signals),
    handler: (args) => run(args, terminal, false),
  };
}

const signals =
  "SIGTERM and SIGINT finish what is in flight, a second one ends at once. SIGHUP reads the config again and reloads.";

function withRunOptions<T>(yargs: Argv<T>) {
  return withConfigOption(yargs).option("log-level", {
    choices: logLevels,
    default: "info" as const,
    describe: "The least important messages to show, by nginx's names",
  });
}

async function run(
  { config, logLevel }: { readonly config: string | undefined; readonly logLevel: LogLevel },
  terminal: Terminal,
  hosting: boolean,
): Promise<void> {
  // The other commands do not wait for the agent's parts to load.
  const { serve } = await import("../serving/serve.ts");
  await serve({ configFile: config, logLevel, terminal, hosting });
}
