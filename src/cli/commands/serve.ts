/** `relua serve`: hosts the VMs, watches, serves HTTP. */

import type { CommandModule } from "yargs";
import { type LogLevel, logLevels } from "../../core/log.ts";
import type { Terminal } from "../../observe/terminal.ts";
import { withConfigOption } from "./shared-options.ts";

interface ServeArguments {
  readonly config: string | undefined;
  readonly "log-level": LogLevel;
}

export function serveCommand(terminal: Terminal): CommandModule<object, ServeArguments> {
  return {
    command: "serve",
    describe: "Host the Lua VMs, watch the search path, serve HTTP and the control API",
    builder: (yargs) =>
      withConfigOption(yargs)
        .option("log-level", {
          choices: logLevels,
          default: "info" as const,
          describe: "The least important messages to show, by nginx's names",
        })
        .example("$0 serve", "With ./watch.config.ts")
        .example("$0 serve -c deploy/watch.config.ts --log-level warn", "")
        .epilogue(
          "SIGTERM and SIGINT finish what is in flight, a second one ends at once. SIGHUP reads the config again and reloads.",
        ),
    handler: async ({ config, logLevel }) => {
      // The other commands do not wait for the agent's parts to load.
      const { serve } = await import("../serving/serve.ts");
      await serve({ configFile: config, logLevel, terminal });
    },
  };
}
