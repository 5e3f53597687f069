/**
 * Runs a program of somebody else: without a shell, in a process group of its own that is ended as one, bounded in time
 * and in what is kept of its output.
 */

import { type ChildProcess, spawn } from "node:child_process";

/** Milliseconds between SIGTERM and SIGKILL. */
const graceMs = 2_000;
/** Milliseconds for the rest of the output after the program has ended: what it started may hold the pipes open. */
const restMs = 200;
/** Last bytes that are kept of each output. */
const keptBytes = 16 * 1024;

export interface ProgramOrder {
  /** The program and its arguments. */
  readonly run: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** On its standard input; closed at once without. */
  readonly input?: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** How a program ended. */
export interface ProgramEnd {
  /** Undefined when it did not run, or was ended by a signal. */
  readonly code: number | undefined;
  /** Why there is no exit code, in words; undefined when there is one. */
  readonly why: string | undefined;
  /** The last of what it wrote. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Never rejects. Aborting ends it as its time does. */
export function runProgram({ run, cwd, env, input, timeoutMs, signal }: ProgramOrder): Promise<ProgramEnd> {
  const [program = "", ...programArguments] = run;
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(notRun("the agent ends"));
      return;
    }
    let child: ChildProcess;
    try {
      child = spawn(program, programArguments, {
        cwd,
        env: { ...process.env, ...env },
        detached: true,
        stdio: ["pipe", "pipe", "pipe"],
      });
    } catch (error) {
      // A NUL in an argument, for one.
      resolve(notRun((error as Error).message));
      return;
    }
    const stdout = new Tail(child.stdout);
    const stderr = new Tail(child.stderr);
    let ended: string | undefined;
    let killTimer: NodeJS.Timeout | undefined;
    const end = (why: string) => {
      if (ended !== undefined) return;
      ended = why;
      signalGroup(child, "SIGTERM");
      killTimer = setTimeout(() => signalGroup(child, "SIGKILL"), graceMs);
    };
    const timer = setTimeout(() => end(`it took longer than ${timeoutMs} ms`), timeoutMs);
    const abort = () => end("the agent ends");
    const dieWithUs = () => signalGroup(child, "SIGKILL");
    signal.addEventListener("abort", abort);
    process.once("exit", dieWithUs);

    const settle = (result: ProgramEnd) => {
      clearTimeout(timer);
      clearTimeout(killTimer);
      signal.removeEventListener("abort", abort);
      process.off("exit", dieWithUs);
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve(result);
    };
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined)
        settle(notRun(error.code === "ENOENT" ? `there is no program ${program}` : error.message));
    });
    child.once("exit", (code, by) => {
      // What it started and left behind goes with it where it was ended; where it ended by itself, it is its business.
      if (ended !== undefined) signalGroup(child, "SIGKILL");
      const finish = () => {
        clearTimeout(restTimer);
        const why = ended ?? (code === null ? `it was ended by ${by}` : undefined);
        settle({
          code: why === undefined ? (code ?? undefined) : undefined,
          why,
          stdout: stdout.text,
          stderr: stderr.text,
        });
      };
      const restTimer = setTimeout(finish, restMs);
      child.once("close", finish);
    });
    // It may end without having read everything, or anything.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input ?? "");
  });
}

function notRun(why: string): ProgramEnd {
  return { code: undefined, why, stdout: "", stderr: "" };
}

function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch {
    // All of the group is gone.
  }
}

/** The last bytes of a stream. */
class Tail {
  #kept: Buffer = Buffer.alloc(0);

  constructor(stream: NodeJS.ReadableStream | null) {
    stream?.on("data", (piece: Buffer) => {
      const all = Buffer.concat([this.#kept, piece]);
      this.#kept = all.length > keptBytes ? Buffer.from(all.subarray(-keptBytes)) : all;
    });
    stream?.on("error", () => undefined);
  }

  get text(): string {
    return this.#kept.toString("utf8");
  }
}
