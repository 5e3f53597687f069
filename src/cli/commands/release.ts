/** `relua release`: ends a hold and commits what differs by now, as one change set. */

import type { CommandModule } from "yargs";
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

interface ReleaseArguments extends ClientArguments, WaitArguments {
  readonly reason: string | undefined;
  readonly json: boolean;
}

export function releaseCommand(terminal: Terminal): CommandModule<object, ReleaseArguments> {
  return {
    command: "release",
    describe: "End the hold and commit everything that differs by now, as one generation",
    builder: (yargs) =>
      withJsonOption(withReasonOption(withWaitOptions(withClientOptions(yargs))))
        .example("$0 release", "Everything that was copied meanwhile, at once or not at all")
        .example("$0 hold && rsync -a new/ apps/ && $0 release", "A deploy as one generation")
        .epilogue(
          "The hold is over in any case. Exits 0 when all is committed or nothing differs, 1 when it is rejected: the old code goes on until the disk changes, and relua status says why.\n" +
            "Where nobody held it says so, and is a reload.",
        ),
    handler: async (args) => {
      const { reason, json } = args;
      const call: Call = {
        method: "POST",
        path: "api/v1/release",
        body: { ...(reason === undefined ? {} : { reason }), ...waitOf(args) },
        timeoutMs: waitedTimeoutMs(args),
      };
      const answer = await callWithProgress(await findAgent(args, process.env), call, terminal);
      tellOutcome(answer, terminal, { json });
    },
  };
}
