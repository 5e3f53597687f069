/** `relua check`: what is wrong with the sources, told without running them. */

import type { CommandModule } from "yargs";
import { ReluaError } from "../../errors.ts";
import type { Terminal } from "../../observe/terminal.ts";
import { withConfigOption, withJsonOption } from "./shared-options.ts";

interface CheckArguments {
  readonly paths: readonly string[];
  readonly config: string | undefined;
  readonly json: boolean;
  readonly sarif: boolean;
  readonly format: Format | undefined;
  readonly strict: boolean;
}

const formats = ["human", "json", "sarif"] as const;
type Format = (typeof formats)[number];

export function checkCommand(terminal: Terminal): CommandModule<object, CheckArguments> {
  return {
    command: "check [paths..]",
    describe: "Find mistakes in the Lua sources without running them; needs no agent",
    builder: (yargs) =>
      withJsonOption(withConfigOption(yargs), "Print the findings as JSON")
        .positional("paths", {
          type: "string",
          array: true,
          default: [],
          describe: "Files and folders; default: all below the config's prefix",
        })
        .option("sarif", { type: "boolean", default: false, describe: "Write SARIF 2.1.0" })
        .option("format", { choices: formats, describe: "human (default), json or sarif" })
        .option("strict", { type: "boolean", default: false, describe: "Warnings are errors" })
        .check(({ json, sarif, format }) => {
          const [first, second] = [json && "--json", sarif && "--sarif", format && "--format"].filter(
            Boolean,
          );
          if (second === undefined) return true;
          throw new ReluaError("usage", `${first} and ${second} contradict each other`);
        })
        .example("$0 check", "What the search path of ./watch.config.ts reaches, below its prefix")
        .example("$0 check apps/orders --strict", "One folder; warnings fail as well")
        .example("$0 check --sarif > relua.sarif", "For code scanning")
        .epilogue("Exit codes: 0 no errors, 1 errors, 2 wrong usage."),
    handler: async (args) => {
      const { runCheck } = await import("../checking/run.ts");
      const found = await runCheck({
        paths: args.paths,
        configFile: args.config,
        format: args.format ?? (args.sarif ? "sarif" : args.json ? "json" : "human"),
        strict: args.strict,
        terminal,
      });
      if (found.errors > 0) process.exitCode = 1;
    },
  };
}
