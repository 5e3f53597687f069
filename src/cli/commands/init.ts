/** `relua init`: writes a commented config file. */

import { writeFileSync } from "node:fs";
import type { CommandModule } from "yargs";
import { ReluaError } from "../../errors.ts";
import type { Terminal } from "../../observe/terminal.ts";
import { withConfigOption } from "./shared-options.ts";

interface InitArguments {
  readonly config: string | undefined;
  readonly force: boolean;
}

export function initCommand(terminal: Terminal): CommandModule<object, InitArguments> {
  return {
    command: "init",
    describe: "Write a commented watch.config.ts",
    builder: (yargs) =>
      withConfigOption(yargs)
        .option("force", { type: "boolean", default: false, describe: "Replace a file that is there" })
        .example("$0 init", "Writes watch.config.ts; relua serve runs it"),
    handler: async ({ config, force }) => {
      const { configFileName, configTemplate } = await import("../../config/index.ts");
      const file = config ?? configFileName;
      write(file, configTemplate, force);
      terminal.out(`${file} is written; relua serve${config === undefined ? "" : ` -c ${file}`} runs it`);
    },
  };
}

function write(file: string, text: string, force: boolean): void {
  try {
    writeFileSync(file, text, { flag: force ? "w" : "wx" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const what = code === "EEXIST" ? `${file} is there already; --force replaces it` : message;
    throw new ReluaError("config-unwritable", what, [], { cause: error });
  }
}
