/** Reads facts off source texts in a thread of its own, which comes when it is needed and goes when it is not. */

import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import type { ContentRef, SourceFile } from "../core/manifest.ts";
import type { SourceFacts } from "../core/source-facts.ts";
import { ReluaError } from "../errors.ts";
import { FactsCache } from "./facts-cache.ts";
import type { FactsRead, ReadContents } from "./thread-messages.ts";

/** Facts about contents, each read once. Owns a thread; `close` ends it. */
export interface Analysis {
  /**
   * The facts of every content that `files` have, by hash. A text that is no Lua has an `error` in its facts.
   * Rejects `analysis-failed` when the thread dies twice over it, and after `close`.
   * @param arenas every arena that `files` name
   */
  facts(
    files: Iterable<Pick<SourceFile, "hash" | "content">>,
    arenas: ReadonlyMap<number, SharedArrayBuffer>,
  ): Promise<ReadonlyMap<string, SourceFacts>>;
  close(): Promise<void>;
}

export interface AnalysisOptions {
  /** Milliseconds without work after which the thread ends. */
  readonly idleMs?: number;
  /** Starts a thread, for tests. */
  readonly thread?: () => Worker;
}

/** Nothing is started before the first content that is not known. */
export function createAnalysis(options: AnalysisOptions = {}): Analysis {
  return new ThreadAnalysis(options);
}

/** Long enough for the saves of somebody at work. */
const defaultIdleMs = 30_000;

/** One content may take the thread down; the second time it is told. */
const mostDeaths = 2;

interface Job extends ReadContents {
  readonly found: Map<string, SourceFacts>;
  deaths: number;
  resolve(): void;
  reject(error: ReluaError): void;
}

/** Starts the thread. Through the package's imports, so that it is found from dist and from src alike. */
function startThread(): Worker {
  return new Worker(createRequire(import.meta.url).resolve("#check-thread"), { name: "relua-check" });
}

class ThreadAnalysis implements Analysis {
  readonly #cache = new FactsCache();
  /** Oldest first: the thread works on them in this order. */
  readonly #jobs = new Map<number, Job>();
  /** Contents that a job is reading, so that nobody asks for them twice. */
  readonly #reading = new Map<string, Promise<ReadonlyMap<string, SourceFacts>>>();
  readonly #idleMs: number;
  readonly #thread: () => Worker;
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #closed = false;
  #nextId = 1;

  constructor({ idleMs = defaultIdleMs, thread = startThread }: AnalysisOptions) {
    this.#idleMs = idleMs;
    this.#thread = thread;
  }

  async facts(
    files: Iterable<Pick<SourceFile, "hash" | "content">>,
    arenas: ReadonlyMap<number, SharedArrayBuffer>,
  ): Promise<ReadonlyMap<string, SourceFacts>> {
    if (this.#closed) throw failed("it is closed");
    const facts = new Map<string, SourceFacts>();
    const unknown = new Map<string, ContentRef>();
    const awaited = new Set<Promise<ReadonlyMap<string, SourceFacts>>>();
    const hashes = new Set<string>();
    for (const { hash, content } of files) {
      hashes.add(hash);
      const known = this.#cache.get(hash);
      const reading = this.#reading.get(hash);
      if (known !== undefined) facts.set(hash, known);
      else if (reading !== undefined) awaited.add(reading);
      else unknown.set(hash, content);
    }
    if (unknown.size > 0) awaited.add(this.#read(unknown, arenas));
    for (const read of await Promise.all(awaited))
      for (const [hash, each] of read) if (hashes.has(hash)) facts.set(hash, each);
    return facts;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#failAll("it is closed");
    await this.#end();
  }

  async #read(
    contents: ReadonlyMap<string, ContentRef>,
    arenas: ReadonlyMap<number, SharedArrayBuffer>,
  ): Promise<ReadonlyMap<string, SourceFacts>> {
    const found = new Map<string, SourceFacts>();
    const named = new Set([...contents.values()].map(({ arena }) => arena));
    const read = new Promise<void>((resolve, reject) => {
      this.#ask({
        id: this.#nextId++,
        contents: [...contents],
        arenas: new Map([...arenas].filter(([number]) => named.has(number))),
        found,
        deaths: 0,
        resolve,
        reject,
      });
    }).then(() => found);
    for (const hash of contents.keys()) this.#reading.set(hash, read);
    try {
      return await read;
    } finally {
      for (const hash of contents.keys()) this.#reading.delete(hash);
    }
  }

  #ask(job: Job): void {
    clearTimeout(this.#idle);
    this.#jobs.set(job.id, job);
    if (this.#worker === undefined) this.#start();
    else this.#post(job);
  }

  /** Starts a thread and gives it everything that is not answered. */
  #start(): void {
    const worker = this.#thread();
    let cause: unknown;
    worker.on("message", (answer: FactsRead) => this.#receive(answer));
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", () => {
      if (this.#worker === worker) this.#died(cause);
    });
    this.#worker = worker;
    for (const job of this.#jobs.values()) this.#post(job);
  }

  #post({ id, contents, arenas, found }: Job): void {
    const left = contents.filter(([hash]) => !found.has(hash));
    this.#worker?.postMessage({ id, contents: left, arenas } satisfies ReadContents);
  }

  #receive({ id, facts, done }: FactsRead): void {
    const job = this.#jobs.get(id);
    if (job === undefined) return;
    for (const [hash, each] of facts) {
      job.found.set(hash, each);
      this.#cache.set(hash, each);
    }
    if (!done) return;
    this.#jobs.delete(id);
    job.resolve();
    if (this.#jobs.size > 0) return;
    this.#idle = setTimeout(() => void this.#end(), this.#idleMs);
    this.#idle.unref();
  }

  #died(cause: unknown): void {
    this.#worker = undefined;
    // The oldest is the one it was at.
    const [at] = this.#jobs.values();
    if (at === undefined) return;
    at.deaths += 1;
    if (at.deaths >= mostDeaths) {
      this.#jobs.delete(at.id);
      at.reject(failed(cause === undefined ? "its thread ended by itself" : messageOf(cause)));
    }
    if (this.#jobs.size > 0) this.#start();
  }

  #failAll(why: string): void {
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    for (const { reject } of jobs) reject(failed(why));
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

function failed(why: string): ReluaError {
  return new ReluaError("analysis-failed", `The sources could not be analysed: ${why}`);
}

/** Errors of another thread are not always instances of this one's Error. */
function messageOf(cause: unknown): string {
  const told = typeof cause === "object" && cause !== null && "message" in cause ? cause.message : cause;
  return String(told);
}
