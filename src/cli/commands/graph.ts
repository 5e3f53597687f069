/** `relua graph`: who requires whom, for Graphviz, for Mermaid, for programs. */

import type { CommandModule } from "yargs";
import { ReluaError } from "../../errors.ts";
import type { Terminal } from "../../observe/terminal.ts";
import { findAgent } from "../agent-address.ts";
import { callAgent } from "../client.ts";
import { type ClientArguments, once, wholeNumber, withClientOptions } from "./shared-options.ts";

interface GraphArguments extends ClientArguments {
  readonly format: "dot" | "json" | "mermaid";
  readonly json: boolean;
  readonly around: string | undefined;
  readonly depth: string | undefined;
}

/** The first question has every source analysed. */
const timeoutMs = 60_000;

export function graphCommand(terminal: Terminal): CommandModule<object, GraphArguments> {
  return {
    command: "graph",
    describe: "Draw the dependency graph: what VMs have loaded, completed by what the sources say",
    builder: (yargs) =>
      withClientOptions(yargs)
        .option("format", {
          choices: ["dot", "json", "mermaid"] as const,
          default: "dot" as const,
          describe: "For Graphviz, for programs, for Markdown",
        })
        .option("json", { type: "boolean", default: false, describe: "The same as --format json" })
        .option("around", {
          type: "string",
          requiresArg: true,
          coerce: once("--around"),
          describe: "Only what surrounds this module",
        })
        .option("depth", {
          type: "string",
          requiresArg: true,
          coerce: once("--depth"),
          describe: "Requires between that module and what is shown, in either direction; default 2",
        })
        .check(({ around, depth }) => {
          if (depth !== undefined && around === undefined)
            throw new ReluaError("usage", "--depth goes with --around");
          return true;
        })
        .example("$0 graph | dot -Tsvg > graph.svg", "Everything, by Graphviz")
        .example("$0 graph --around app.users --depth 1 --format mermaid", "One module and its neighbours")
        .epilogue("Dotted edges are known from the sources alone, dashed ones are made by calls."),
    handler: async (args) => {
      const format = args.json ? "json" : args.format;
      const query = new URLSearchParams({ format });
      if (args.around !== undefined) query.set("around", args.around);
      if (args.depth !== undefined)
        query.set("depth", String(wholeNumber("--depth", args.depth, 0, "a number from 0")));
      const { body } = await callAgent(await findAgent(args, process.env), {
        method: "GET",
        path: `api/v1/graph?${query}`,
        timeoutMs,
        text: format !== "json",
      });
      terminal.out(format === "json" ? JSON.stringify(body, undefined, 2) : String(body).trimEnd());
    },
  };
}
