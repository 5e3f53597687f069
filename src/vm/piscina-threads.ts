/** The threads: a Piscina pool in which every task is resident and every thread hosts at most one. */

import { createRequire } from "node:module";
import { setTimeout as delay } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { Piscina } from "piscina";
import type { VmBoot } from "./protocol.ts";

/** How a resident task ended; its thread runs nothing of it any more. */
export type ResidentEnd = { readonly kind: "finished" } | { readonly kind: "died"; readonly error: Error };

/** A resident task. */
export interface Resident {
  /** Resolves when the task is over for the pool: its thread is free, or lost and being replaced. Never rejects. */
  readonly ended: Promise<ResidentEnd>;
  /** Resolves after `ended`, when the thread has left the task's code for good. Never rejects. */
  readonly stopped: Promise<void>;
  /** Ends the thread, or takes the task out of Piscina's queue when no thread has it yet. */
  kill(): void;
}

export interface ThreadsOptions {
  /** Threads, all of them started at once. */
  readonly threads: number;
  /** JavaScript heap of a thread in MiB; over it the thread dies, and nothing else. */
  readonly heapMb: number;
  /** File of the resident task, absolute; the package's own `#vm-thread` when absent. */
  readonly entry?: string;
  /** None by default: those of the process may not fit a thread (`--input-type`, loaders). */
  readonly execArgv?: readonly string[];
  /** Added to the process's environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Piscina tries `require` before `import`. A thread that is ended while it requires an ES module takes the whole
 * process with it (Node 20.20: "IsGraphAsync must be used on an instantiated module"); while it imports, it does not.
 */
const importOnly = process.allowedNodeEnvironmentFlags.has("--no-experimental-require-module")
  ? ["--no-experimental-require-module"]
  : [];

/** How long a terminated thread may take to exit before it is taken for stopped (a blocking system call). */
const exitMs = 5_000;

/** Where Piscina lets a task carry something for the load balancer; symbols do not travel to the thread. */
const queueOptions = Piscina.queueOptionsSymbol;

/** A task that Piscina knows and what became of it. */
class Assignment {
  readonly controller = new AbortController();
  worker: Worker | undefined;
}

/** Starts, replaces and ends the threads. */
export class Threads {
  readonly #piscina: Piscina<object, void>;
  /** Ids of threads that Piscina has heard of: only they get a task, see `#choose`. */
  readonly #ready = new Set<number>();
  /** Exits to come, of the threads that have had a task. */
  readonly #exits = new Map<Worker, Promise<void>>();
  readonly #waiting = new Set<Assignment>();

  constructor(options: ThreadsOptions) {
    this.#piscina = new Piscina<object, void>({
      filename: options.entry ?? createRequire(import.meta.url).resolve("#vm-thread"),
      minThreads: options.threads,
      maxThreads: options.threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: options.heapMb },
      env: { ...process.env, ...options.env },
      execArgv: [...importOnly, ...(options.execArgv ?? [])],
      loadBalancer: (task, workers) => {
        const assignment = (task as unknown as Record<symbol, Assignment | undefined>)[queueOptions];
        if (assignment === undefined) return null;
        // Piscina hands queued tasks to threads that are still booting, and stops respawning for good when one
        // of those is terminated: with tasks on ready threads only, a kill never meets a booting one.
        const chosen = workers.find((worker) => worker.currentUsage === 0 && this.#ready.has(worker.id));
        if (chosen === undefined) return null;
        assignment.worker = this.#piscina.threads.find((worker) => worker.threadId === chosen.id);
        if (assignment.worker !== undefined) this.#expectExit(assignment.worker);
        this.#waiting.delete(assignment);
        return chosen;
      },
    });
    this.#piscina.on("workerCreate", (worker: { readonly id: number }) => this.#ready.add(worker.id));
    this.#piscina.on("workerDestroy", (worker: { readonly id: number }) => this.#ready.delete(worker.id));
    // A thread failed without a task, that is before it could take one. Nobody else would tell those who wait.
    this.#piscina.on("error", (error: Error) => {
      for (const assignment of [...this.#waiting]) assignment.controller.abort(error);
    });
  }

  /** Runs a VM's resident task in a free thread, as soon as there is one. */
  host(boot: VmBoot): Resident {
    const assignment = new Assignment();
    this.#waiting.add(assignment);
    const task = { ...boot, [queueOptions]: assignment };
    const ended = this.#piscina
      .run(task, { transferList: [boot.port], signal: assignment.controller.signal })
      .then(
        (): ResidentEnd => ({ kind: "finished" }),
        (error: unknown): ResidentEnd => ({ kind: "died", error: causeOf(error) }),
      );
    const stopped = ended.then(async (end) => {
      this.#waiting.delete(assignment);
      const { worker } = assignment;
      // A task that threw leaves its thread alive, asleep, and in Piscina's list.
      if (end.kind === "finished" || worker === undefined || this.#piscina.threads.includes(worker)) return;
      const exit = this.#exits.get(worker);
      if (exit !== undefined) await within(exit, exitMs);
    });
    return { ended, stopped, kill: () => assignment.controller.abort() };
  }

  /** Ends every thread; resolves when all have exited. To be called when every resident has stopped. */
  async close(): Promise<void> {
    // A killed thread that exits after Piscina's destroy() makes it start a full set of new ones.
    await this.#piscina.destroy();
  }

  #expectExit(worker: Worker): void {
    if (this.#exits.has(worker)) return;
    const exit = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    this.#exits.set(worker, exit);
    void exit.then(() => this.#exits.delete(worker));
  }
}

/** Resolves with `promise`, or after `ms`. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  const timeout = new AbortController();
  const late = delay(ms, undefined, { signal: timeout.signal }).catch(() => undefined);
  await Promise.race([promise, late]);
  timeout.abort();
}

/** An abort's own reason where it has one: why the thread could not even boot. */
function causeOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return error.name === "AbortError" && error.cause instanceof Error ? error.cause : error;
}
