/** Runs the built command `relua` in folders of its own, and waits for what it writes. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach } from "vitest";

export const builtMain = join(import.meta.dirname, "../../dist/cli/main.js");

export type Environment = Readonly<Record<string, string>>;

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Environment;
}

const folders: string[] = [];
const running = new Set<Relua>();

afterEach(async () => {
  for (const each of running) each.signal("SIGKILL");
  await Promise.all([...running].map((each) => each.exit));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder with these files, gone after the test. */
export function folderWith(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "relua-cli-"));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) write(folder, name, text);
  return folder;
}

export function write(folder: string, name: string, text: string): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** A running command. */
export class Relua {
  /** Resolves with the exit code, or the signal that ended it. */
  readonly exit: Promise<number | string>;
  readonly #child: ChildProcess;
  readonly #text = { out: "", err: "" };
  readonly #watchers = new Set<() => void>();
  #ended: number | string | undefined;

  constructor(args: readonly string[], { cwd, env = {} }: RunOptions) {
    const { FORCE_COLOR, NO_COLOR, RELUA_URL, RELUA_TOKEN, ...clean } = process.env;
    this.#child = spawn(process.execPath, [builtMain, ...args], {
      cwd,
      env: { ...clean, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const [name, stream] of [
      ["out", this.#child.stdout!],
      ["err", this.#child.stderr!],
    ] as const)
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#text[name] += text;
        this.#look();
      });
    running.add(this);
    this.exit = new Promise((resolve) =>
      this.#child.on("close", (code, signal) => {
        this.#ended = code ?? signal ?? "?";
        running.delete(this);
        this.#look();
        resolve(this.#ended);
      }),
    );
  }

  get out(): string {
    return this.#text.out;
  }

  get err(): string {
    return this.#text.err;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As `relua serve | head -1` does. */
  closeStdout(): void {
    this.#child.stdout?.destroy();
  }

  /** Resolves when what was written to stdout matches. */
  untilOut(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until("out", pattern);
  }

  untilErr(pattern: RegExp): Promise<RegExpExecArray> {
    return this.#until("err", pattern);
  }

  #until(stream: "out" | "err", pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(this.#text[stream]);
        if (match === null && this.#ended === undefined) return;
        this.#watchers.delete(look);
        if (match !== null) resolve(match);
        else
          reject(
            new Error(
              `relua ended (${this.#ended}) before ${pattern}:\n${this.#text.out}\n${this.#text.err}`,
            ),
          );
      };
      this.#watchers.add(look);
      look();
    });
  }

  #look(): void {
    for (const look of [...this.#watchers]) look();
  }
}

/** Runs a command to its end. */
export async function relua(
  args: readonly string[],
  options: RunOptions = { cwd: folderWith() },
): Promise<{ readonly code: number | string; readonly out: string; readonly err: string }> {
  const command = new Relua(args, options);
  const code = await command.exit;
  return { code, out: command.out, err: command.err };
}

/** A port on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
