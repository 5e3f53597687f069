/** `relua history`: what was committed and what was rejected. */

import type { CommandModule } from "yargs";
import { ReluaError } from "../../errors.ts";
import { formatLine } from "../../observe/report.ts";
import { formatDetail } from "../../observe/report-detail.ts";
import type { Terminal } from "../../observe/terminal.ts";
import { findAgent } from "../agent-address.ts";
import { parseHistory, parseReport } from "../answers.ts";
import { callAgent } from "../client.ts";
import {
  type ClientArguments,
  once,
  wholeNumber,
  withClientOptions,
  withJsonOption,
} from "./shared-options.ts";

interface HistoryArguments extends ClientArguments {
  readonly id: number | undefined;
  readonly number: number | undefined;
  readonly json: boolean;
}

const timeoutMs = 10_000;
const defaultNumber = 20;

export function historyCommand(terminal: Terminal): CommandModule<object, HistoryArguments> {
  return {
    command: "history [id]",
    describe: "Show what was committed and what was rejected, newest first",
    builder: (yargs) =>
      withJsonOption(withClientOptions(yargs))
        .positional("id", {
          type: "string",
          coerce: (text: string | undefined) =>
            text === undefined
              ? undefined
              : wholeNumber("ID", text.replace(/^#/, ""), 1, "the number that a line of relua history has"),
          describe: "The number of one reload: all of its changes, chains, kept modules, times and errors",
        })
        .option("number", {
          alias: "n",
          type: "string",
          requiresArg: true,
          coerce: (value: string | readonly string[] | undefined) => {
            const text = once("-n")(value);
            return text === undefined ? undefined : wholeNumber("-n", text, 1, "a number from 1");
          },
          describe: `How many, the newest; default: ${defaultNumber}`,
        })
        .check(({ id, number }) => {
          if (id !== undefined && number !== undefined)
            throw new ReluaError("usage", "-n is for lists, without ID");
          return true;
        })
        .example("$0 history -n 5", "The last five, one line each")
        .example("$0 history 12", "Everything about #12: why each module was evicted or kept")
        .example("$0 history --json | jq '.[0].errors'", "For scripts"),
    handler: async (args) => {
      const { id, number = defaultNumber, json } = args;
      const { body } = await callAgent(await findAgent(args, process.env), {
        method: "GET",
        path: id === undefined ? `api/v1/reloads?limit=${number}` : `api/v1/reloads/${id}`,
        timeoutMs,
      });
      const style = terminal.outStyle;
      if (id === undefined) {
        const reports = parseHistory(body);
        if (json) terminal.out(JSON.stringify(body, undefined, 2));
        else if (reports.length === 0) terminal.out("nothing was committed or rejected since the start");
        else terminal.out(reports.map((report) => formatLine(report, style)).join("\n"));
      } else {
        const report = parseReport(body);
        terminal.out(json ? JSON.stringify(body, undefined, 2) : formatDetail(report, style));
      }
    },
  };
}
