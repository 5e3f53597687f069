/** The disk as the source's thread keeps track of it: passes one after another, asked for or prompted by hints. */

import { dirname } from "node:path";
import { ArenaNumbers } from "./arena.ts";
import { Changes } from "./changes.ts";
import type { SourceStatus } from "./contract.ts";
import { DiskIndex } from "./disk-index.ts";
import type { MainToSource, SourceThreadBoot, SourceToMain } from "./messages.ts";
import { Scanner, type ScanResult, type Scope } from "./scan.ts";
import { runSliced } from "./slices.ts";
import { Territory } from "./territory.ts";

const progressAfterMs = 1000;
const progressEveryMs = 250;
/** Status is for people: nobody reads more reasons than these. */
const mostSkipped = 1000;

/** Owns index and scanner. Everything it has to say goes through `post`. */
export class Disk {
  readonly #boot: SourceThreadBoot;
  readonly #post: (message: SourceToMain) => void;
  readonly #territory: Territory;
  readonly #index = new DiskIndex();
  readonly #scanner: Scanner;
  #files: readonly string[];
  #passes: Promise<unknown> = Promise.resolve();

  constructor(boot: SourceThreadBoot, post: (message: SourceToMain) => void) {
    this.#boot = boot;
    this.#post = post;
    this.#files = boot.options.files;
    this.#territory = new Territory(boot.options);
    this.#scanner = new Scanner(
      this.#territory,
      this.#index,
      boot.options.maxFileBytes,
      new ArenaNumbers(boot.nextArena),
    );
  }

  /** Reads everything and answers request 0. */
  async start(): Promise<void> {
    const changes = new Changes();
    changes.assume(this.#boot.known);
    await this.#inTurn(() => this.#pass(0, { kind: "all" }, changes));
  }

  async receive(message: Exclude<MainToSource, { type: "close" }>): Promise<void> {
    if (message.type === "files") {
      return this.#inTurn(() => {
        const folders = new Set([...this.#files, ...message.files].map((file) => dirname(file)));
        this.#files = message.files;
        this.#territory.setFiles(message.files);
        return this.#pass(message.id, { kind: "folders", folders });
      });
    }
    const { paths, force } = message;
    await this.#inTurn(() =>
      this.#pass(message.id, paths === "all" ? { kind: "all" } : { kind: "paths", paths, force }),
    );
  }

  #inTurn<T>(pass: () => Promise<T>): Promise<T> {
    const turn = this.#passes.then(pass);
    this.#passes = turn.catch(() => {});
    return turn;
  }

  async #pass(id: number | undefined, scope: Scope, changes = new Changes()): Promise<void> {
    const result = await runSliced(this.#scanner.scan(scope, changes, this.#progress()));
    this.#publish(id, result);
  }

  #publish(id: number | undefined, { present, absent, arenas }: ScanResult): void {
    this.#post({ type: "status", status: this.#status() });
    if (id !== undefined || present.length > 0 || absent.length > 0) {
      this.#post({ type: "step", id, present, absent, arenas });
    }
  }

  #progress(): (done: number, total: number) => void {
    let dueMs = performance.now() + progressAfterMs;
    return (done, total) => {
      const nowMs = performance.now();
      if (nowMs < dueMs) return;
      dueMs = nowMs + progressEveryMs;
      this.#post({ type: "progress", done, total });
    };
  }

  #status(): SourceStatus {
    return {
      files: this.#index.fileCount,
      folders: this.#index.folderCount,
      mode: "manual",
      missingRoots: this.#territory
        .rootFolders()
        .filter((folder) => this.#index.folder(folder) === undefined),
      skipped: this.#index.skipped().slice(0, mostSkipped),
      pending: false,
      sweep: { lastAt: undefined, costMs: 0, missed: 0 },
    };
  }
}
