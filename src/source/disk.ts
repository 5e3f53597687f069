/** The disk as the source's thread keeps track of it: passes one after another, asked for or prompted by hints. */

import { dirname, resolve } from "node:path";
import { packFiles } from "../core/packed-manifest.ts";
import { ArenaNumbers } from "./arena.ts";
import { Changes } from "./changes.ts";
import { openChokidarHints } from "./chokidar-hints.ts";
import type { SourceStatus } from "./contract.ts";
import { DiskIndex } from "./disk-index.ts";
import type { OpenHints } from "./hints.ts";
import { rulesInWords } from "./ignore-rules.ts";
import type { MainToSource, SourceThreadBoot, SourceToMain } from "./messages.ts";
import { Scanner, type ScanResult, type Scope } from "./scan.ts";
import { type FileSystemType, fileSystemType } from "./shared-mounts.ts";
import { runSliced } from "./slices.ts";
import { slowProgress } from "./slow-progress.ts";
import { Territory } from "./territory.ts";
import { Watcher } from "./watcher.ts";

/** Status is for people: nobody reads more reasons than these. */
const mostSkipped = 1000;
const noSweep = { lastAt: undefined, costMs: 0, missed: 0 };

/** Files of a step that travel one by one. */
const mostUnpacked = 1_000;

/** Owns index, scanner and watcher. Everything it has to say goes through `post`. */
export class Disk {
  readonly #boot: SourceThreadBoot;
  readonly #post: (message: SourceToMain) => void;
  readonly #territory: Territory;
  readonly #index = new DiskIndex();
  readonly #scanner: Scanner;
  readonly #watcher: Watcher | undefined;
  /** What passes found that no step tells of yet. */
  #untold = new Changes();
  readonly #untoldArenas = new Map<number, SharedArrayBuffer>();
  #files: readonly string[];
  #passes: Promise<unknown> = Promise.resolve();
  #pending = true;
  #toldWatched = "";

  /** `failed` is told of errors that nobody waits for. */
  constructor(
    boot: SourceThreadBoot,
    post: (message: SourceToMain) => void,
    failed: (error: unknown) => void,
    openHints: OpenHints = openChokidarHints,
    typeOf: FileSystemType = fileSystemType,
  ) {
    const { options } = boot;
    this.#boot = boot;
    this.#post = post;
    this.#files = options.files;
    this.#territory = new Territory(options);
    const numbers = new ArenaNumbers(boot.nextArena);
    this.#scanner = new Scanner(this.#territory, this.#index, options.maxFileBytes, numbers);
    if (options.watch === false) return;
    const context = {
      settings: options.watch,
      territory: this.#territory,
      index: this.#index,
      pass: (scope: Scope, settled: (found: ScanResult) => boolean) =>
        this.#inTurn(() => this.#pass(undefined, scope, settled)),
      changed: () => this.#tell(),
      warning: (message: string) => post({ type: "warning", message }),
      failed,
    };
    this.#watcher = new Watcher(context, openHints, typeOf);
  }

  /** Reads everything, answers request 0, and begins to watch. */
  async start(): Promise<void> {
    this.#untold.assume(this.#boot.known);
    await this.#inTurn(() => this.#pass(0, { kind: "all" }));
    this.#watcher?.begin();
    this.#tell();
  }

  async receive(message: MainToSource): Promise<void> {
    if (message.type === "files") {
      await this.#inTurn(() => {
        const folders = new Set([...this.#files, ...message.files].map((file) => dirname(resolve(file))));
        this.#files = message.files;
        this.#territory.setFiles(message.files);
        return this.#pass(message.id, { kind: "folders", folders });
      });
      return;
    }
    const { id, paths, force } = message;
    await this.#inTurn(() => {
      if (paths !== "all") {
        // A step that answers for some paths tells of no others.
        this.#publish(undefined);
        return this.#pass(id, { kind: "paths", paths: paths.map((path) => resolve(path)), force });
      }
      this.#watcher?.clear();
      return this.#pass(id, { kind: "all" });
    });
  }

  async close(): Promise<void> {
    await this.#watcher?.close();
    await this.#passes;
  }

  #inTurn<T>(pass: () => Promise<T>): Promise<T> {
    const turn = this.#passes.then(pass);
    this.#passes = turn.catch(() => {});
    return turn;
  }

  async #pass(
    id: number | undefined,
    scope: Scope,
    settled: (found: ScanResult) => boolean = () => true,
  ): Promise<ScanResult> {
    const progress = slowProgress((done, total) => this.#post({ type: "progress", done, total }));
    const scan = this.#scanner.scan(scope, this.#untold, progress.report);
    const result = await runSliced(scan).finally(progress.end);
    for (const [number, memory] of result.arenas) this.#untoldArenas.set(number, memory);
    this.#post({ type: "status", status: this.#status() });
    if (settled(result)) this.#publish(id);
    this.#watcher?.passed(result);
    return result;
  }

  /** One step of all that was found since the last one. */
  #publish(id: number | undefined): void {
    const { present, absent } = this.#untold.differences();
    if (id !== undefined || present.length > 0 || absent.length > 0) {
      const files = present.length > mostUnpacked ? { present: [], packed: packFiles(present) } : { present };
      this.#post({ type: "step", id, ...files, absent, arenas: new Map(this.#untoldArenas) });
    }
    this.#untold.finish(this.#index);
    this.#untold = new Changes();
    this.#untoldArenas.clear();
  }

  /** Says what has changed about the watching; steps speak for themselves. */
  #tell(): void {
    const { mode, live, sweep } = this.#watching();
    const watched = `${mode} ${live} ${sweep.lastAt} ${sweep.missed}`;
    if (watched !== this.#toldWatched) {
      this.#toldWatched = watched;
      this.#post({ type: "status", status: this.#status() });
    }
    const pending = this.#watcher?.pending ?? false;
    if (pending === this.#pending) return;
    this.#pending = pending;
    this.#post({ type: "pending", pending });
  }

  #status(): SourceStatus {
    return {
      files: this.#index.fileCount,
      folders: this.#index.folderCount,
      roots: this.#territory
        .rootFolders()
        .map((folder) => ({ folder, real: this.#index.folder(folder)?.real })),
      ignored: rulesInWords(this.#boot.options.ignore),
      missingRoots: this.#territory
        .rootFolders()
        .filter((folder) => this.#index.folder(folder) === undefined),
      skipped: this.#index.skipped().slice(0, mostSkipped),
      pending: this.#pending,
      reading: undefined,
      ...this.#watching(),
    };
  }

  #watching(): Pick<SourceStatus, "mode" | "live" | "sweep"> {
    const watcher = this.#watcher;
    if (watcher === undefined) return { mode: "manual", live: false, sweep: noSweep };
    const { mode, live, sweep } = watcher;
    return { mode, live, sweep };
  }
}
