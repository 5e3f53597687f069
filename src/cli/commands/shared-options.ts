/** Options that several commands take. */

import type { Argv } from "yargs";
import { ReluaError } from "../../errors.ts";

/** Of every command that talks to a running agent. */
export interface ClientArguments {
  readonly config: string | undefined;
  readonly url: string | undefined;
}

/** yargs makes a list of an option that is given twice. */
export function once(option: string): (value: string | readonly string[] | undefined) => string | undefined {
  return (value) => {
    if (value === undefined || typeof value === "string") return value;
    throw new ReluaError("usage", `${option} is given ${value.length} times`);
  };
}

export function withConfigOption<T>(yargs: Argv<T>) {
  return yargs.option("config", {
    alias: "c",
    type: "string",
    requiresArg: true,
    coerce: once("--config"),
    describe: "The config file; default: watch.config.ts",
  });
}

export function withClientOptions<T>(yargs: Argv<T>) {
  return withConfigOption(yargs)
    .option("url", {
      type: "string",
      requiresArg: true,
      coerce: once("--url"),
      describe: "The agent's control address; default: RELUA_URL, else control.listen of the config file",
    })
    .epilogue("The token is taken from RELUA_TOKEN.");
}
