/** `relua reload`: brings every VM of a running agent to what is on disk now. */

import type { CommandModule } from "yargs";
import { ReluaError } from "../../errors.ts";
import { formatReport } from "../../observe/report.ts";
import type { Terminal } from "../../observe/terminal.ts";
import { findAgent } from "../agent-address.ts";
import { parseReport } from "../answers.ts";
import { callAgent } from "../client.ts";
import { type ClientArguments, once, withClientOptions } from "./shared-options.ts";

interface ReloadArguments extends ClientArguments {
  readonly names: string[];
  readonly all: boolean;
  readonly "dry-run": boolean;
  readonly force: boolean;
  readonly reason: string | undefined;
  readonly json: boolean;
}

/** The canary may take its time; the agent answers after the outcome. */
const timeoutMs = 120_000;

export function reloadCommand(terminal: Terminal): CommandModule<object, ReloadArguments> {
  return {
    command: "reload [names..]",
    describe: "Bring every VM to what is on disk now, or change nothing",
    builder: (yargs) =>
      withClientOptions(yargs)
        .positional("names", {
          type: "string",
          array: true,
          default: [] as string[],
          describe: "Module names: they, their aliases and their dependents alone; default: all that differs",
        })
        .option("all", { type: "boolean", default: false, describe: "Every module, changed or not" })
        .option("force", { type: "boolean", default: false, describe: "The named modules, changed or not" })
        .option("dry-run", { type: "boolean", default: false, describe: "Print the plan, do nothing" })
        .option("reason", {
          type: "string",
          requiresArg: true,
          coerce: once("--reason"),
          describe: "Shown in log and history",
        })
        .option("json", { type: "boolean", default: false, describe: "Print the agent's answer" })
        .check(({ names, all, force }) => {
          if (all && names.length > 0) throw new ReluaError("usage", "--all takes no names");
          if (force && names.length === 0)
            throw new ReluaError("usage", "--force takes the names to reload; --all reloads every module");
          return true;
        })
        .example("$0 reload", "Everything that differs on disk")
        .example("$0 reload app.users --dry-run", "What would be evicted, and why"),
    handler: async (args) => {
      const { names, all, force, dryRun, reason, json } = args;
      const { status, body } = await callAgent(await findAgent(args, process.env), {
        method: "POST",
        path: "api/v1/reloads",
        body: {
          ...(names.length > 0 ? { names } : {}),
          ...(all ? { all } : {}),
          ...(force ? { force } : {}),
          ...(dryRun ? { dryRun } : {}),
          ...(reason === undefined ? {} : { reason }),
        },
        timeoutMs,
      });
      const report = parseReport(body);
      const went = status < 300;
      if (json) terminal.out(JSON.stringify(body, undefined, 2));
      else if (went) terminal.out(formatReport(report, terminal.outStyle));
      else terminal.err(formatReport(report, terminal.errStyle));
      process.exitCode = went ? 0 : 1;
    },
  };
}
