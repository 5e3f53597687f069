/** The command line as a whole: which commands there are, and what becomes of an error. */

import yargs from "yargs";
import { ReluaError } from "../errors.ts";
import { Terminal } from "../observe/terminal.ts";
import { packageVersion } from "../observe/version.ts";
import { checkCommand } from "./commands/check.ts";
import { cleanCommand } from "./commands/clean.ts";
import { graphCommand } from "./commands/graph.ts";
import { historyCommand } from "./commands/history.ts";
import { holdCommand } from "./commands/hold.ts";
import { initCommand } from "./commands/init.ts";
import { releaseCommand } from "./commands/release.ts";
import { reloadCommand } from "./commands/reload.ts";
import { resolveCommand } from "./commands/resolve.ts";
import { rollbackCommand } from "./commands/rollback.ts";
import { serveCommand, watchCommand } from "./commands/serve.ts";
import { statusCommand } from "./commands/status.ts";
import { whyCommand } from "./commands/why.ts";
import { tellFailure } from "./failure.ts";

const commandNames: ReadonlySet<string> = new Set([
  "serve",
  "watch",
  "reload",
  "clean",
  "status",
  "history",
  "rollback",
  "hold",
  "release",
  "check",
  "why",
  "graph",
  "resolve",
  "init",
]);

/**
 * Runs one command. The exit code is in `process.exitCode` afterwards: 0 done, 1 refused or failed, 2 wrong usage;
 * `serve` ends the process itself.
 */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  const terminal = new Terminal({ out: process.stdout, err: process.stderr, env: process.env });
  outliveReaders();
  const parser = yargs()
    .scriptName("relua")
    .usage("Usage: $0 COMMAND\n\nHot reload for Lua servers.")
    .locale("en")
    .parserConfiguration({ "dot-notation": false })
    .command(serveCommand(terminal))
    .command(watchCommand(terminal))
    .command(reloadCommand(terminal))
    .command(cleanCommand(terminal))
    .command(statusCommand(terminal))
    .command(historyCommand(terminal))
    .command(rollbackCommand(terminal))
    .command(holdCommand(terminal))
    .command(releaseCommand(terminal))
    .command(checkCommand(terminal))
    .command(whyCommand(terminal))
    .command(graphCommand(terminal))
    .command(resolveCommand(terminal))
    .command(initCommand(terminal))
    .demandCommand(1, "There is no command")
    .recommendCommands()
    .strict()
    .alias("help", "h")
    .version(packageVersion())
    .wrap(Math.min(100, process.stdout.columns ?? 100))
    .epilogue("Exit codes: 0 done, 1 refused or failed, 2 wrong usage.")
    .exitProcess(false)
    .fail((message, error: unknown) => {
      throw isWrongUsage(error) ? usageError(message ?? error?.message, args) : error;
    });
  try {
    await parser.parseAsync(args);
  } catch (error) {
    process.exitCode = tellFailure(error, terminal);
  }
}

/** yargs gives its own complaints as a message, as an error of its class, or as both. */
function isWrongUsage(error: unknown): error is Error | undefined | null {
  return error === undefined || error === null || (error instanceof Error && error.name === "YError");
}

function usageError(message: string | undefined, args: readonly string[]): ReluaError {
  const command = args.find((arg) => !arg.startsWith("-")) ?? "";
  const known = commandNames.has(command);
  const text = (message ?? "wrong usage")
    .replace(/^Did you mean/, `Unknown command: ${command}. Did you mean`)
    .replace("non-option arguments", "arguments");
  const [first = "", ...rest] = text.split("\n").filter((line) => line.trim() !== "");
  return new ReluaError("usage", first, [...rest, `See relua ${known ? `${command} ` : ""}--help`]);
}

/** A reader that goes away (`relua serve | head -1`) is no reason to end. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
}
