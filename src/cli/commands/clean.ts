/** `relua clean`: NJet's http_lua_package_clean, from the shell. */

import type { CommandModule } from "yargs";
import { count } from "../../observe/quantities.ts";
import { readableLines } from "../../observe/readable.ts";
import type { Terminal } from "../../observe/terminal.ts";
import { findAgent } from "../agent-address.ts";
import { parseCleaned } from "../answers.ts";
import { callAgent } from "../client.ts";
import {
  type ClientArguments,
  outcomeTimeoutMs,
  withClientOptions,
  withJsonOption,
} from "./shared-options.ts";

interface CleanArguments extends ClientArguments {
  readonly names: string[];
  readonly json: boolean;
}

export function cleanCommand(terminal: Terminal): CommandModule<object, CleanArguments> {
  return {
    command: "clean <names..>",
    describe: "Evict modules and their dependents, changed or not (NJet's http_lua_package_clean)",
    builder: (yargs) =>
      withJsonOption(withClientOptions(yargs))
        .positional("names", {
          type: "string",
          array: true,
          demandOption: true,
          describe: "Module names as given to require",
        })
        .example("$0 clean mylib app.users", "Both modules and all that require them"),
    handler: async (args) => {
      const { body } = await callAgent(await findAgent(args, process.env), {
        method: "PUT",
        path: "api/v1/config/http_lua_package_clean",
        body: args.names,
        timeoutMs: outcomeTimeoutMs,
      });
      const { code, msg, data, evicted, generation } = parseCleaned(body);
      process.exitCode = code === 0 ? 0 : 1;
      if (args.json) return terminal.out(JSON.stringify(body, undefined, 2));
      const what = evicted === undefined ? "" : ` ${count(evicted.length, "module")} evicted`;
      const where = generation === undefined ? "" : `, generation ${generation}`;
      if (code === 0) return terminal.out(`${msg}${what}${where}`);
      const [first = "", ...rest] = [`relua: ${msg}${what}${where}`, ...data].flatMap((text) =>
        readableLines(text),
      );
      terminal.err([first, ...rest.map((line) => `    ${line}`)].map(terminal.errStyle.bad).join("\n"));
    },
  };
}
