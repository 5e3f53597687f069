/** `relua rollback`: back to the sources of an earlier generation, as a generation of its own. */

import type { CommandModule } from "yargs";
import type { Terminal } from "../../observe/terminal.ts";
import { findAgent } from "../agent-address.ts";
import { callAgent } from "../client.ts";
import { tellOutcome } from "../outcome.ts";
import {
  type ClientArguments,
  outcomeTimeoutMs,
  wholeNumber,
  withClientOptions,
  withJsonOption,
  withReasonOption,
} from "./shared-options.ts";

interface RollbackArguments extends ClientArguments {
  readonly generation: number;
  readonly reason: string | undefined;
  readonly json: boolean;
}

export function rollbackCommand(terminal: Terminal): CommandModule<object, RollbackArguments> {
  return {
    command: "rollback <generation>",
    describe: "Go back to the sources of an earlier generation, until the disk changes",
    builder: (yargs) =>
      withJsonOption(withReasonOption(withClientOptions(yargs)))
        .positional("generation", {
          type: "string",
          demandOption: true,
          coerce: (text: string) =>
            wholeNumber("GENERATION", text, 0, "the number of a generation, as relua history shows it"),
          describe: "The generation to go back to; relua history shows them",
        })
        .example("$0 rollback 41", "Every VM runs what it ran in generation 41, as a new generation")
        .example("$0 rollback 41 --reason 'prices are wrong'", "The reason is kept in the history")
        .epilogue(
          "The files on disk stay as they are: the rollback stands until one of them changes, or until relua reload.\n" +
            "Exits 0 when it is committed or nothing differs, 1 when it is rejected, held, or the generation is not kept.",
        ),
    handler: async (args) => {
      const { generation, reason, json } = args;
      const answer = await callAgent(await findAgent(args, process.env), {
        method: "POST",
        path: "api/v1/rollback",
        body: { generation, ...(reason === undefined ? {} : { reason }) },
        timeoutMs: outcomeTimeoutMs,
      });
      tellOutcome(answer, terminal, { json });
    },
  };
}
