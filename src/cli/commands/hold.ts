/** `relua hold`: no commit until the release, while a deploy copies files. */

import type { CommandModule } from "yargs";
import { formatHolder } from "../../observe/holder.ts";
import { formatSpan } from "../../observe/quantities.ts";
import type { Terminal } from "../../observe/terminal.ts";
import { findAgent } from "../agent-address.ts";
import { parseHold } from "../answers.ts";
import { callAgent } from "../client.ts";
import { parseSpanMs } from "../span.ts";
import { userAtHost } from "../user.ts";
import {
  type ClientArguments,
  once,
  withClientOptions,
  withJsonOption,
  withReasonOption,
} from "./shared-options.ts";

interface HoldArguments extends ClientArguments {
  readonly owner: string | undefined;
  readonly reason: string | undefined;
  /** Milliseconds. */
  readonly limit: number | undefined;
  readonly json: boolean;
}

const timeoutMs = 10_000;
/** What the control API takes. */
const longestMs = 24 * 3_600_000;

export function holdCommand(terminal: Terminal): CommandModule<object, HoldArguments> {
  return {
    command: "hold",
    describe: "Collect changes without committing any, until relua release",
    builder: (yargs) =>
      withJsonOption(withReasonOption(withClientOptions(yargs)))
        .option("owner", {
          type: "string",
          requiresArg: true,
          coerce: once("--owner"),
          describe: "Who holds; default: user@host",
        })
        .option("limit", {
          type: "string",
          requiresArg: true,
          coerce: (value: string | readonly string[] | undefined) => {
            const text = once("--limit")(value);
            return text === undefined ? undefined : parseSpanMs("--limit", text, longestMs);
          },
          describe: "The hold ends by itself after this time: 90s, 10m, 2h; default: 10m",
        })
        .example("$0 hold --reason 'deploy 42' --limit 5m", "Before files are copied")
        .example("$0 hold && rsync -a new/ apps/ && $0 release", "A deploy as one generation")
        .epilogue(
          "A hold that is there already gets the new owner, reason and limit. When the limit is over, what differs by then is committed as by relua release.\n" +
            "Without a client, a file .relua-hold in the prefix does the same: it holds until it is removed, for ten minutes at most; its text is the reason.",
        ),
    handler: async (args) => {
      const { owner = userAtHost(), reason, limit, json } = args;
      const { body } = await callAgent(await findAgent(args, process.env), {
        method: "POST",
        path: "api/v1/hold",
        body: {
          owner,
          ...(reason === undefined ? {} : { reason }),
          ...(limit === undefined ? {} : { limitMs: limit }),
        },
        timeoutMs,
      });
      const hold = parseHold(body);
      if (json) return terminal.out(JSON.stringify(body, undefined, 2));
      const atMost = formatSpan(hold.endsInMs);
      terminal.out(`changes are held by ${formatHolder(hold)}, until relua release, for ${atMost} at most`);
    },
  };
}
