/** `relua why`: why a module or a file was, would be or would not be evicted. */

import type { CommandModule } from "yargs";
import type { Terminal } from "../../observe/terminal.ts";
import { findAgent } from "../agent-address.ts";
import { callAgent } from "../client.ts";
import { parseFile, parseModule } from "../explanations.ts";
import { nameOrFile } from "../name-or-file.ts";
import { formatFile, formatModule } from "../why-page.ts";
import { type ClientArguments, withClientOptions, withJsonOption } from "./shared-options.ts";

interface WhyArguments extends ClientArguments {
  readonly name: string;
  readonly json: boolean;
}

/** The first question has every source analysed. */
const timeoutMs = 60_000;

export function whyCommand(terminal: Terminal): CommandModule<object, WhyArguments> {
  return {
    command: "why <name>",
    describe: "Say why a module or a file was evicted, or was not, and what a change of it would do",
    builder: (yargs) =>
      withJsonOption(withClientOptions(yargs))
        .positional("name", {
          type: "string",
          demandOption: true,
          describe: "A module name, or a file: what ends in .lua, starts with / or is there",
        })
        .example("$0 why app.users", "Chains with the places of the requires")
        .example("$0 why apps/app/users.lua", "The same, beginning with the file"),
    handler: async (args) => {
      const asked = nameOrFile(args.name, process.cwd());
      const isName = "name" in asked;
      const path = isName
        ? `api/v1/modules/${encodeURIComponent(asked.name)}`
        : `api/v1/files/${encodeURIComponent(asked.file)}`;
      const { body } = await callAgent(await findAgent(args, process.env), {
        method: "GET",
        path,
        timeoutMs,
      });
      const style = terminal.outStyle;
      const page = isName ? formatModule(parseModule(body), style) : formatFile(parseFile(body), style);
      terminal.out(args.json ? JSON.stringify(body, undefined, 2) : page);
    },
  };
}
