/** `relua reload`: brings every VM of a running agent to what is on disk now. */

import type { CommandModule } from "yargs";
import { ReluaError } from "../../errors.ts";
import { formatPlan } from "../../observe/report-detail.ts";
import type { Terminal } from "../../observe/terminal.ts";
import { findAgent } from "../agent-address.ts";
import { callWithProgress } from "../call-with-progress.ts";
import type { Call } from "../client.ts";
import { tellOutcome } from "../outcome.ts";
import {
  type ClientArguments,
  type WaitArguments,
  waitedTimeoutMs,
  waitOf,
  withClientOptions,
  withJsonOption,
  withReasonOption,
  withWaitOptions,
} from "./shared-options.ts";

interface ReloadArguments extends ClientArguments, WaitArguments {
  readonly names: string[];
  readonly all: boolean;
  readonly "dry-run": boolean;
  readonly force: boolean;
  readonly reason: string | undefined;
  readonly json: boolean;
}

export function reloadCommand(terminal: Terminal): CommandModule<object, ReloadArguments> {
  return {
    command: "reload [names..]",
    describe: "Bring every VM to what is on disk now, or change nothing",
    builder: (yargs) =>
      withJsonOption(withReasonOption(withWaitOptions(withClientOptions(yargs))))
        .positional("names", {
          type: "string",
          array: true,
          default: [] as string[],
          describe: "Module names: they, their aliases and their dependents alone; default: all that differs",
        })
        .option("all", { type: "boolean", default: false, describe: "Every module, changed or not" })
        .option("force", { type: "boolean", default: false, describe: "The named modules, changed or not" })
        .option("dry-run", { type: "boolean", default: false, describe: "Print the plan, do nothing" })
        .check(({ names, all, force }) => {
          if (all && names.length > 0) throw new ReluaError("usage", "--all takes no names");
          if (force && names.length === 0)
            throw new ReluaError("usage", "--force takes the names to reload; --all reloads every module");
          return true;
        })
        .example("$0 reload", "Everything that differs on disk")
        .example("$0 reload --dry-run", "The plan: which file would evict what, and what would be kept")
        .example("$0 reload --wait", "Beside nginx: not before every worker runs it")
        .example("$0 reload app.users --reason 'ticket 7'", "One module and all that depend on it")
        .epilogue(
          "Exits 0 when it is committed or nothing differs, 1 when it is rejected (the old code goes on) or held.\n" +
            "A dry run loads nothing: it says what would be evicted, not whether the new code loads.",
        ),
    handler: async (args) => {
      const { names, all, force, dryRun, reason, json } = args;
      const call: Call = {
        method: "POST",
        path: "api/v1/reloads",
        body: {
          ...(names.length > 0 ? { names } : {}),
          ...(all ? { all } : {}),
          ...(force ? { force } : {}),
          ...(dryRun ? { dryRun } : {}),
          ...(reason === undefined ? {} : { reason }),
          ...waitOf(args),
        },
        timeoutMs: waitedTimeoutMs(args),
      };
      const answer = await callWithProgress(await findAgent(args, process.env), call, terminal);
      tellOutcome(answer, terminal, dryRun ? { json, format: formatPlan } : { json });
    },
  };
}
