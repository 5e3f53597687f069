/** A temporary tree of files, and a source over it, for the tests of this folder. */

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { SourceFile } from "../../src/core/manifest.ts";
import type { Source, SourceOptions, SourceStatus, SourceStep } from "../../src/source/contract.ts";
import { createSource } from "../../src/source/source.ts";

const cleanups: (() => unknown)[] = [];

/** To be called after each test: closes the sources and removes the trees. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** A new folder with these files, by relative path. */
export function makeTree(files: Readonly<Record<string, string>> = {}): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "relua-source-")));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) write(join(folder, path), text);
  return folder;
}

export function write(path: string, text: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Options for one root with `.lua` files. */
export function optionsFor(folder: string, more: Partial<SourceOptions> = {}): SourceOptions {
  return {
    roots: [{ folder, suffixes: [".lua"] }],
    files: [],
    ignore: [],
    maxFileBytes: 1024 * 1024,
    watch: false,
    ...more,
  };
}

export const watching = { settleMs: 20, maxWaitMs: 1000, polling: false, sweepMs: 5000 } as const;

/** A source with everything it ever said, added up as a consumer would. */
export class Follower {
  readonly source: Source;
  readonly steps: SourceStep[] = [];
  readonly warnings: string[] = [];
  readonly #files = new Map<string, SourceFile>();
  readonly #arenas = new Map<number, SharedArrayBuffer>();
  #wake: (() => void)[] = [];

  constructor(options: SourceOptions, thread?: Parameters<typeof createSource>[1]) {
    this.source = createSource(options, thread);
    cleanups.push(() => this.source.close());
    this.source.on("step", (step) => this.apply(step));
    this.source.on("warning", (message) => {
      this.warnings.push(message);
      this.#signal();
    });
    this.source.on("pending", () => this.#signal());
    this.source.on("live", () => this.#signal());
  }

  async start(): Promise<SourceStep> {
    return this.apply(await this.source.start());
  }

  async reconcile(what: Parameters<Source["reconcile"]>[0]): Promise<SourceStep> {
    return this.apply(await this.source.reconcile(what));
  }

  apply(step: SourceStep): SourceStep {
    const last = this.steps.at(-1)?.sequence ?? 0;
    if (step.sequence !== last + 1) throw new Error(`step ${step.sequence} after ${last}`);
    this.steps.push(step);
    for (const [number, memory] of step.arenas) this.#arenas.set(number, memory);
    for (const path of step.absent) this.#files.delete(path);
    for (const file of step.present) this.#files.set(file.path, file);
    this.#signal();
    return step;
  }

  /** Contents by path. */
  texts(): Record<string, string> {
    const texts: Record<string, string> = {};
    for (const path of [...this.#files.keys()].sort()) texts[path] = this.text(path) as string;
    return texts;
  }

  text(path: string): string | undefined {
    const file = this.#files.get(path);
    if (file === undefined) return undefined;
    const { arena, offset, length } = file.content;
    const memory = this.#arenas.get(arena);
    if (memory === undefined) throw new Error(`arena ${arena} of ${path} never arrived`);
    // A copy: Buffer's decoders do not take shared memory.
    return Buffer.from(new Uint8Array(memory, offset, length).slice()).toString();
  }

  file(path: string): SourceFile | undefined {
    return this.#files.get(path);
  }

  skipped(path: string): string | undefined {
    return this.source.status().skipped.find((entry) => entry.path === path)?.reason;
  }

  status(): SourceStatus {
    return this.source.status();
  }

  /** Resolves as soon as `condition` holds, looked at with every step, warning and change of `pending`. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  #signal(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** A started follower over these options; if it watches, one that notices changes from now on. */
export async function follow(
  options: SourceOptions,
  thread?: Parameters<typeof createSource>[1],
): Promise<Follower> {
  const follower = new Follower(options, thread);
  await follower.start();
  await follower.until(() => options.watch === false || follower.status().live);
  return follower;
}
