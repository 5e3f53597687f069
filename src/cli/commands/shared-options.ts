/** Options that several commands take. */

import type { Argv } from "yargs";

/** Of every command that talks to a running agent. */
export interface ClientArguments {
  readonly config: string | undefined;
  readonly url: string | undefined;
}

export function withConfigOption<T>(yargs: Argv<T>) {
  return yargs.option("config", {
    alias: "c",
    type: "string",
    requiresArg: true,
    describe: "The config file; default: watch.config.ts",
  });
}

export function withClientOptions<T>(yargs: Argv<T>) {
  return withConfigOption(yargs)
    .option("url", {
      type: "string",
      requiresArg: true,
      describe: "The agent's control address; default: RELUA_URL, else control.listen of the config file",
    })
    .epilogue("The token is taken from RELUA_TOKEN.");
}
