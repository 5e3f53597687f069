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

/** The agent answers after the outcome, and the canary may take its time. */
export const outcomeTimeoutMs = 120_000;

/** The same, with what the workers may take. */
export const waitedTimeoutMs = (args: WaitArguments) => outcomeTimeoutMs + (waitOf(args).waitMs ?? 0);

/** Of commands whose outcome is kept: why it was asked for. */
export function withReasonOption<T>(yargs: Argv<T>) {
  return yargs.option("reason", {
    type: "string",
    requiresArg: true,
    coerce: once("--reason"),
    describe: "Shown in log, status and history",
  });
}

/** Of commands that can wait until every worker has what they brought. */
export interface WaitArguments {
  readonly wait: boolean;
  readonly "wait-limit": number;
}

export function withWaitOptions<T>(yargs: Argv<T>) {
  return yargs
    .option("wait", {
      type: "boolean",
      default: false,
      describe:
        "Return when every VM and every worker of the targets has applied it; name those that have not",
    })
    .option("wait-limit", {
      type: "number",
      requiresArg: true,
      default: 30,
      describe: "Seconds to wait at most; exit code 1 when they are over",
    })
    .check(({ "wait-limit": limit }) => {
      if (limit > 0 && limit <= 600) return true;
      throw new ReluaError("usage", `--wait-limit is ${limit}; it takes seconds, up to 600`);
    });
}

/** `waitMs` of the request's body; nothing without `--wait`. */
export function waitOf({ wait, "wait-limit": limit }: WaitArguments): { readonly waitMs?: number } {
  return wait ? { waitMs: Math.max(1, Math.round(limit * 1000)) } : {};
}

/** Of commands that print data. */
export function withJsonOption<T>(yargs: Argv<T>, describe = "Print the agent's answer") {
  return yargs.option("json", { type: "boolean", default: false, describe });
}

/**
 * A positional argument that is a number of something, from `least` on.
 * @throws ReluaError `usage`
 */
export function wholeNumber(name: string, text: string, least: number, hint: string): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least) return number;
  throw new ReluaError("usage", `${name} is ${JSON.stringify(text)}; it takes ${hint}`);
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
