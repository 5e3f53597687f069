/** The main thread's face of the disk: starts the source's thread, numbers its steps, replaces it when it dies. */

import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { PackedFiles } from "../core/packed-manifest.ts";
import { ReluaError } from "../errors.ts";
import type { Source, SourceEvents, SourceOptions, SourceStatus, SourceStep } from "./contract.ts";
import { rulesInWords } from "./ignore-rules.ts";
import { KnownFiles } from "./known-files.ts";
import type { MainToSource, SourceThreadBoot, SourceToMain } from "./messages.ts";

type Listeners = { readonly [E in keyof SourceEvents]: Set<SourceEvents[E]> };

interface Waiting {
  resolve(step: SourceStep): void;
  reject(error: ReluaError): void;
}

/** Id of the pass that every thread makes by itself when it starts. */
const firstPass = 0;
/** A thread that dies again and again is started again after 2 ^ deaths × this, at most the longest pause. */
const restartPauseMs = 50;
const longestPauseMs = 10_000;

/**
 * What a pass leaves behind is dead at once, and there is much of it: V8 would keep 48 MiB ready for it. Collected more
 * often it takes hardly longer, and an agent with 10,000 files 20 MiB less.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 2 };

/** Starts the source's thread. Through the package's imports, so that it is found from dist and from src alike. */
function startThread(workerData: SourceThreadBoot): Worker {
  const entry = createRequire(import.meta.url).resolve("#source-thread");
  return new Worker(entry, { workerData, name: "relua-source", resourceLimits });
}

/** A source over the disk; see `Source`. Nothing is read before `start`. `thread` starts a thread, for tests. */
export function createSource(options: SourceOptions, thread = startThread): Source {
  return new DiskSource(options, thread);
}

class DiskSource implements Source {
  readonly #listeners: Listeners = {
    step: new Set(),
    pending: new Set(),
    live: new Set(),
    warning: new Set(),
    progress: new Set(),
  };
  readonly #known = new KnownFiles();
  readonly #waiting = new Map<number, Waiting>();
  readonly #thread: typeof startThread;
  #options: SourceOptions;
  #status: SourceStatus;
  #worker: Worker | undefined;
  #restart: NodeJS.Timeout | undefined;
  #started = false;
  #closed = false;
  #deaths = 0;
  #nextId = firstPass + 1;
  #sequence = 0;

  constructor(options: SourceOptions, thread: typeof startThread) {
    this.#options = options;
    this.#thread = thread;
    this.#status = {
      files: 0,
      folders: 0,
      mode: "manual",
      roots: [],
      ignored: rulesInWords(options.ignore),
      missingRoots: [],
      skipped: [],
      pending: false,
      live: false,
      sweep: { lastAt: undefined, costMs: 0, missed: 0 },
      reading: undefined,
    };
  }

  start(): Promise<SourceStep> {
    if (this.#started || this.#worker !== undefined || this.#closed) {
      return Promise.reject(
        new ReluaError("source-failed", "A source is started once, and not after it was closed"),
      );
    }
    const step = new Promise<SourceStep>((resolve, reject) =>
      this.#waiting.set(firstPass, { resolve, reject }),
    );
    this.#spawn();
    return step;
  }

  reconcile(
    what: { readonly paths: readonly string[]; readonly force?: boolean } | "all",
  ): Promise<SourceStep> {
    const { paths, force = false } = what === "all" ? { paths: what } : what;
    return this.#ask((id) => ({ type: "reconcile", id, paths, force }));
  }

  setFiles(files: readonly string[]): Promise<SourceStep> {
    // A thread that is started later begins with these.
    this.#options = { ...this.#options, files };
    return this.#ask((id) => ({ type: "files", id, files }));
  }

  status(): SourceStatus {
    return this.#status;
  }

  on<E extends keyof SourceEvents>(event: E, listener: SourceEvents[E]): void {
    this.#listeners[event].add(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#restart);
    this.#failAll("closed while the disk was being read");
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #ask(message: (id: number) => MainToSource): Promise<SourceStep> {
    const worker = this.#worker;
    if (worker === undefined) {
      const why = this.#closed
        ? "it is closed"
        : this.#started
          ? "its thread is being replaced"
          : "it was not started";
      return Promise.reject(new ReluaError("source-failed", `The disk cannot be read: ${why}`));
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage(message(id));
    });
  }

  #spawn(): void {
    const workerData: SourceThreadBoot = {
      options: this.#options,
      known: this.#known.files(),
      nextArena: this.#known.nextArena,
    };
    let cause: unknown;
    try {
      const worker = this.#thread(workerData);
      this.#worker = worker;
      worker.on("message", (message: SourceToMain) => this.#receive(message));
      worker.on("error", (error) => {
        cause = error;
      });
      worker.on("exit", () => {
        if (this.#worker === worker) this.#died(cause);
      });
    } catch (error) {
      this.#died(error);
    }
  }

  #receive(message: SourceToMain): void {
    switch (message.type) {
      case "step":
        this.#step(message);
        break;
      case "status":
        // What has a message of its own is told by that alone.
        this.#setStatus({
          ...message.status,
          pending: this.#status.pending,
          reading: this.#status.reading,
        });
        break;
      case "pending":
        this.#setPending(message.pending);
        break;
      case "warning":
        this.#emit("warning", message.message);
        break;
      case "progress":
        this.#progress(message.done, message.total);
        break;
    }
  }

  #step({ id, present: some, packed, absent, arenas: fresh }: SourceToMain & { type: "step" }): void {
    let listed = packed === undefined ? some : undefined;
    const list = () => {
      listed ??= packed === undefined ? [] : [...new PackedFiles(packed).files()];
      return listed;
    };
    const isFirst = !this.#started;
    const arenas =
      isFirst && packed !== undefined
        ? this.#known.begin(packed, fresh)
        : this.#known.apply(list(), absent, fresh);
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (id !== undefined) this.#waiting.delete(id);
    if (id === firstPass) {
      this.#started = true;
      this.#deaths = 0;
    }
    // The first pass of a replaced thread answers nobody: what it found is an ordinary step.
    if (waiting === undefined && list().length === 0 && absent.length === 0) return;
    this.#sequence += 1;
    const step: SourceStep = {
      sequence: this.#sequence,
      // Of a whole tree nobody may want them one by one.
      get present() {
        return list();
      },
      absent,
      arenas,
      ...(packed !== undefined && { packed }),
    };
    if (waiting === undefined) this.#emit("step", step);
    else waiting.resolve(step);
  }

  #died(cause: unknown): void {
    this.#worker = undefined;
    if (this.#closed) return;
    const why = cause === undefined ? "it ended by itself" : messageOf(cause);
    this.#failAll(why);
    this.#endProgress();
    if (!this.#started) return;
    const pauseMs = Math.min(restartPauseMs * 2 ** this.#deaths, longestPauseMs);
    this.#deaths += 1;
    this.#emit(
      "warning",
      `source-failed: the thread that watches the disk died (${why}); started again in ${pauseMs} ms`,
    );
    // Until the new thread has read everything, nobody knows what has changed.
    this.#setStatus({ ...this.#status, pending: true, live: false });
    this.#restart = setTimeout(() => this.#spawn(), pauseMs);
  }

  /** The pass that somebody watches ended with its thread. */
  #endProgress(): void {
    if (this.#status.reading !== undefined) this.#progress(0, 0);
  }

  #progress(filesDone: number, filesTotal: number): void {
    const reading = filesDone < filesTotal ? { filesDone, filesTotal } : undefined;
    this.#setStatus({ ...this.#status, reading });
    this.#emit("progress", filesDone, filesTotal);
  }

  #failAll(why: string): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting)
      reject(new ReluaError("source-failed", `The disk could not be read: ${why}`));
  }

  #setPending(pending: boolean): void {
    this.#setStatus({ ...this.#status, pending });
  }

  #setStatus(status: SourceStatus): void {
    const was = this.#status;
    this.#status = status;
    if (status.pending !== was.pending) this.#emit("pending", status.pending);
    if (status.live !== was.live) this.#emit("live", status.live);
  }

  #emit<E extends keyof SourceEvents>(event: E, ...args: Parameters<SourceEvents[E]>): void {
    for (const listener of this.#listeners[event]) {
      (listener as (...args: Parameters<SourceEvents[E]>) => void)(...args);
    }
  }
}

/** Errors of another thread are not always instances of this one's Error. */
function messageOf(cause: unknown): string {
  const told = typeof cause === "object" && cause !== null && "message" in cause ? cause.message : cause;
  return String(told);
}
