/** `relua resolve`: where a module name leads, or which names lead to a file; by a running agent, or by the config alone. */

import type { CommandModule } from "yargs";
import { ReluaError } from "../../errors.ts";
import type { Terminal } from "../../observe/terminal.ts";
import { findAgent } from "../agent-address.ts";
import { callAgent } from "../client.ts";
import { parseResolution } from "../explanations.ts";
import { type NameOrFile, nameOrFile } from "../name-or-file.ts";
import { formatResolution } from "../resolution-page.ts";
import { type ClientArguments, withClientOptions, withJsonOption } from "./shared-options.ts";

interface ResolveArguments extends ClientArguments {
  readonly name: string;
  readonly json: boolean;
}

const timeoutMs = 10_000;

export function resolveCommand(terminal: Terminal): CommandModule<object, ResolveArguments> {
  return {
    command: "resolve <name>",
    describe: "Show which file a module name leads to, or which names lead to a file",
    builder: (yargs) =>
      withJsonOption(withClientOptions(yargs))
        .positional("name", {
          type: "string",
          demandOption: true,
          describe: "A module name, or a file: what ends in .lua, starts with / or is there",
        })
        .example("$0 resolve app.users", "The file, what was tried before it, what it shadows")
        .example("$0 resolve apps/app/users.lua", "Every name of the file")
        .epilogue(
          "Asks the running agent; without one the config and the disk. Exits 1 when it leads nowhere.",
        ),
    handler: async (args) => {
      const asked = nameOrFile(args.name, process.cwd());
      const { told, by } = await resolution(args, asked);
      const found = parseResolution(told);
      terminal.out(
        args.json ? JSON.stringify(told, undefined, 2) : formatResolution(found, by, terminal.outStyle),
      );
      process.exitCode = found.reason === undefined ? 0 : 1;
    },
  };
}

/** Only where nobody answers, and nobody was named, the disk is asked. */
async function resolution(
  args: ResolveArguments,
  asked: NameOrFile,
): Promise<{ readonly told: unknown; readonly by: "agent" | "disk" }> {
  const query = new URLSearchParams({ ...asked });
  try {
    const path = `api/v1/resolve?${query}`;
    const { body } = await callAgent(await findAgent(args, process.env), { method: "GET", path, timeoutMs });
    return { told: body, by: "agent" };
  } catch (error) {
    const isNamed = args.url !== undefined || (process.env.RELUA_URL ?? "") !== "";
    const isAway = error instanceof ReluaError && ["agent-unreachable", "usage"].includes(error.code);
    if (isNamed || !isAway) throw error;
    const { resolveOnDisk } = await import("../resolve-on-disk.ts");
    return { told: await resolveOnDisk(asked, args.config), by: "disk" };
  }
}
