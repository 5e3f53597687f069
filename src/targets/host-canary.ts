/**
 * The check before a commit where no VM of ours serves: the host's own interpreter must take the changed contents. They
 * come out of the content store, never from the disk (Invariant 3).
 */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { SourceFile } from "../core/manifest.ts";
import type { RehearsalOrder, Rehearsed } from "../core/move.ts";
import type { LoadError } from "../core/outcome.ts";
import type { Canary } from "../reload/target.ts";
import { type ProgramEnd, runProgram } from "./child.ts";
import { parseInterpreterMessage } from "./interpreter-message.ts";

/** A content that is to be committed. */
interface CheckedFile {
  /** Absolute. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface HostCanaryOptions {
  /** Program and arguments; it gets the path of a copy as its last argument. Empty: there is none. */
  readonly hostCheck: readonly string[];
  /** `$prefix`: where the program runs. */
  readonly prefix: string;
  /** Milliseconds for the check of all files. */
  readonly timeoutMs: number;
}

/** Errors that are told; with more of them something else is wrong. */
const mostErrors = 100;

export class HostCanary implements Canary {
  readonly #options: HostCanaryOptions;
  readonly #ending = new AbortController();

  constructor(options: HostCanaryOptions) {
    this.#options = options;
  }

  async rehearse(order: RehearsalOrder): Promise<Rehearsed> {
    try {
      return { errors: await this.#check(contentsOf(order)), bytecode: [] };
    } catch (error) {
      const failed = failure(undefined, `the check failed: ${(error as Error).message}`);
      return { errors: [failed], bytecode: [] };
    }
  }

  /** Nothing was loaded here that could go on. */
  adopt(): void {}

  /** Ends a check that is under way: it finds that the agent ends. */
  close(): void {
    this.#ending.abort();
  }

  async #check(files: readonly CheckedFile[]): Promise<readonly LoadError[]> {
    if (this.#options.hostCheck.length === 0 || files.length === 0) return [];
    const folder = await mkdtemp(join(tmpdir(), "relua-check-"));
    try {
      return await this.#checkCopies(files, folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async #checkCopies(files: readonly CheckedFile[], folder: string): Promise<readonly LoadError[]> {
    const deadline = performance.now() + this.#options.timeoutMs;
    const found: (LoadError | undefined)[] = [];
    let next = 0;
    let errors = 0;
    const work = async () => {
      while (next < files.length && errors < mostErrors) {
        const at = next++;
        const error = await this.#checkCopy(files[at] as CheckedFile, join(folder, String(at)), deadline);
        found[at] = error;
        if (error) errors++;
      }
    };
    await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work));
    return found.filter((error) => error !== undefined);
  }

  async #checkCopy(
    { path, bytes }: CheckedFile,
    folder: string,
    deadline: number,
  ): Promise<LoadError | undefined> {
    const { hostCheck, prefix, timeoutMs } = this.#options;
    const leftMs = Math.floor(deadline - performance.now());
    if (leftMs <= 0) return failure(path, `not checked within ${timeoutMs} ms (reload.canaryMs)`);
    const copy = join(folder, basename(path));
    await mkdir(folder);
    await writeFile(copy, bytes);
    const end = await runProgram({
      run: [...hostCheck, copy],
      cwd: prefix,
      timeoutMs: leftMs,
      signal: this.#ending.signal,
    });
    await rm(folder, { recursive: true, force: true });
    return end.code === 0 ? undefined : this.#errorOf(path, copy, end);
  }

  #errorOf(path: string, copy: string, { code, why, stderr, stdout }: ProgramEnd): LoadError {
    const [program = ""] = this.#options.hostCheck;
    if (why !== undefined) return failure(path, `reload.hostCheck (${program}): ${why}`);
    const said = parseInterpreterMessage(stderr, copy) ?? parseInterpreterMessage(stdout, copy);
    const message = said?.message.replaceAll(copy, path) ?? `exit code ${code}`;
    return failure(path, `${program}: ${message}`, said?.line);
  }
}

function failure(path: string | undefined, message: string, line?: number): LoadError {
  return { path, line, message, requiredBy: [] };
}

/** What is to be checked, in the order of the manifest. */
function contentsOf({ manifest, compile }: RehearsalOrder): readonly CheckedFile[] {
  const wanted = new Set(compile);
  return manifest.present
    .filter(({ path }) => wanted.has(path))
    .map((file) => ({ path: file.path, bytes: bytesOf(file, manifest.arenas) }));
}

function bytesOf({ path, content }: SourceFile, arenas: ReadonlyMap<number, SharedArrayBuffer>): Uint8Array {
  const arena = arenas.get(content.arena);
  if (!arena) throw new Error(`the content of ${path} is not in the manifest`);
  // A copy: not every receiver takes a view of shared memory.
  return Uint8Array.from(new Uint8Array(arena, content.offset, content.length));
}
