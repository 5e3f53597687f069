/** Does what a document's `console` and `text` blocks show, in order, against an agent of its own. */

import { spawn } from "node:child_process";
import { chmodSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith, freePort, Relua } from "../cli/relua.ts";
import { type Block, repository } from "./markdown.ts";

/** Takes less time than a reader waits. */
const answerWithinMs = 10_000;

/**
 * Serves a copy of the repository's own config and apps with two VMs, and does one block after another:
 * `console`: each `$ command` is run in the copy and must print the lines below it;
 * `text`: what the agent has written since the block before must hold these lines.
 * Times, hashes, ports and how many VMs have reported may differ; `…` stands for anything.
 * @throws when a block shows something else than what happens
 */
export async function walkThrough(blocks: readonly Block[]): Promise<void> {
  const ports = { "8080": `${await freePort()}`, "8081": `${await freePort()}` };
  const folder = folderWith({
    "bin/relua": `#!/bin/sh\nexec "${process.execPath}" "${join(repository, "dist/cli/main.js")}" "$@"\n`,
  });
  chmodSync(join(folder, "bin/relua"), 0o755);
  cpSync(join(repository, "apps"), join(folder, "apps"), { recursive: true });
  const config = readFileSync(join(repository, "watch.config.ts"), "utf8");
  writeFileSync(
    join(folder, "watch.config.ts"),
    withPorts(config, ports).replace("export default {", "export default {\n  threads: 2,"),
  );
  const agent = new Relua(["serve"], { cwd: folder });
  await agent.untilOut(/ ready in /);
  let told = { out: 0, err: 0 };
  const news = () => `${agent.out.slice(told.out)}${agent.err.slice(told.err)}`;
  for (const { language, text, place } of blocks) {
    if (language === "console") {
      for (const { command, expected } of commandsOf(text)) {
        const printed = await run(withPorts(command, ports), folder);
        if (!patternOf(expected, "whole").test(plain(printed, ports)))
          throw new Error(`${place}: ${command}\nshows\n${expected}\nand prints\n${printed}`);
      }
    } else if (language === "text") {
      const pattern = patternOf(text, "part");
      await until(
        () => pattern.test(plain(news(), ports)),
        () => `${place}: shows\n${text}\nand the agent wrote\n${news()}`,
      );
      told = { out: agent.out.length, err: agent.err.length };
    }
  }
  agent.signal("SIGTERM");
  await agent.exit;
}

interface Command {
  readonly command: string;
  readonly expected: string;
}

function commandsOf(text: string): readonly Command[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      // A command goes on where its line ends in a backslash.
      const [, command = "", expected = ""] = /^((?:[^\n]*\\\n)*[^\n]*)\n?([\s\S]*)$/.exec(part) ?? [];
      return { command, expected: expected.trimEnd() };
    });
}

function run(command: string, cwd: string): Promise<string> {
  const { RELUA_URL, RELUA_TOKEN, ...env } = process.env;
  const child = spawn("bash", ["-c", command], {
    cwd,
    env: { ...env, NO_COLOR: "1", PATH: `${join(cwd, "bin")}:${process.env.PATH}` },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: answerWithinMs,
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve(printed.trimEnd()));
  });
}

function withPorts(text: string, ports: Readonly<Record<string, string>>): string {
  return Object.entries(ports).reduce((result, [from, to]) => result.replaceAll(from, to), text);
}

/** What may differ from run to run, in one spelling. */
function plain(text: string, ports: Readonly<Record<string, string>> = {}): string {
  return (
    Object.entries(ports)
      .reduce((result, [shown, real]) => result.replaceAll(real, shown), text)
      .replaceAll("\r\n", "\n")
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "TIME")
      .replace(/\b[0-9a-f]{16}\b/g, "HASH")
      // A busy machine's VMs report after the outcome has been told.
      .replace(/"vms":\[(?:\{"id":\d+,"appliedMs":[\d.]+\},?)*\]/g, '"vms":[]')
      .replace(
        /\b(?:\d of )?\d VMs? in [\d.]+ m?s(?:, the others before their next request)?/g,
        "VMs in 0 ms",
      )
      .replace(/"(\w+Ms|heap)":\d+(?:\.\d+)?/g, '"$1":0')
      .replace(/\b\d+(?:\.\d+)? (ms|s|MB)\b/g, "0 $1")
      .replace(/\b0 s\b/g, "0 ms")
      .replace(/\b\d+ files watched in \d+ folders?\b/g, "0 files watched in 0 folders")
  );
}

/** A line of `…` alone stands for any number of lines, none included. */
function patternOf(shown: string, what: "whole" | "part"): RegExp {
  const source = plain(shown)
    .split(/(^…\n|…)/m)
    .map((text) => {
      if (text === "…\n") return "(?:[\\s\\S]*?\\n)?";
      return text === "…" ? "[\\s\\S]*?" : text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
    })
    .join("");
  return new RegExp(what === "whole" ? `^${source}$` : source);
}

async function until(isThere: () => boolean, otherwise: () => string): Promise<void> {
  const end = performance.now() + answerWithinMs;
  while (!isThere()) {
    if (performance.now() > end) throw new Error(otherwise());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
