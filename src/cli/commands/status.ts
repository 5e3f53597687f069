/** `relua status`: what a running agent runs. */

import type { CommandModule } from "yargs";
import type { Terminal } from "../../observe/terminal.ts";
import { findAgent } from "../agent-address.ts";
import { parseStatus } from "../answers.ts";
import { callAgent } from "../client.ts";
import { formatStatus } from "../status-page.ts";
import { type ClientArguments, withClientOptions, withJsonOption } from "./shared-options.ts";

interface StatusArguments extends ClientArguments {
  readonly json: boolean;
}

const timeoutMs = 10_000;

export function statusCommand(terminal: Terminal): CommandModule<object, StatusArguments> {
  return {
    command: "status",
    describe: "Show generation, VMs, targets, what is watched, the hold and the standing rejection",
    builder: (yargs) =>
      withJsonOption(withClientOptions(yargs))
        .example("$0 status", "What runs, who holds, and what on disk does not load")
        .example("$0 status --json | jq .generation", "For scripts"),
    handler: async (args) => {
      const { body } = await callAgent(await findAgent(args, process.env), {
        method: "GET",
        path: "api/v1/status",
        timeoutMs,
      });
      const status = parseStatus(body);
      terminal.out(args.json ? JSON.stringify(body, undefined, 2) : formatStatus(status, terminal.outStyle));
    },
  };
}
