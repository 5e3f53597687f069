/** The pool: dispatches work to the VMs, commits to all of them in one turn, and keeps them running. */

import { EventEmitter } from "node:events";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { UnfinishedWhy, VmStatus } from "../core/status.ts";
import type { CallSink, CallWork, RequestSink, RequestWork, Ticket } from "../core/work.ts";
import { ReluaError } from "../errors.ts";
import { chooseVm, WaitingLine } from "./admission.ts";
import { CallFlight, type Carrier, type Flight, RequestFlight } from "./flight.ts";
import { HostedVm, type VmListener, type VmSnapshot } from "./hosted-vm.ts";
import { Threads } from "./piscina-threads.ts";
import type { PoolEvents, PoolOptions } from "./pool-contract.ts";
import type { ActivateMessage, MainToVm } from "./protocol.ts";
import { Seat } from "./seat.ts";
import { lookEveryMs, Watchdog } from "./watchdog.ts";

/** VMs that may die before a piece of work has started, before it is given up. */
const retryLimit = 2;

/** Starts nothing: see `Pool.start`. */
export function createPool(options: PoolOptions): Pool {
  return new Pool(options);
}

/** The VMs that serve, and the threads below them. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #threads: Threads;
  readonly #seats: readonly Seat[];
  readonly #line: WaitingLine<Flight>;
  readonly #events = new EventEmitter<PoolEvents>();
  /** Every VM that has not ended, those of `host` included. */
  readonly #hosted = new Set<HostedVm>();
  readonly #watchdog: Watchdog;
  readonly #lineCarrier: Carrier;
  #watchTimer: NodeJS.Timeout | undefined;
  #state: "open" | "draining" | "closed" = "open";
  #closing: Promise<void> | undefined;
  #last = -1;
  readonly #unfinished: Record<UnfinishedWhy, number> = { "pool-full": 0, "pool-closed": 0, "vm-died": 0 };
  /** Resolves `drain`, as soon as nothing waits and nothing is in flight. */
  #tellIdle: (() => void) | undefined;

  constructor(options: PoolOptions) {
    const { limits, entry, execArgv, env } = options;
    this.#options = options;
    this.#threads = new Threads({
      threads: options.threads + (options.spareThreads ?? 0),
      heapMb: limits.heapMb,
      ...(entry === undefined ? {} : { entry }),
      ...(execArgv === undefined ? {} : { execArgv }),
      ...(env === undefined ? {} : { env }),
    });
    this.#line = new WaitingLine(limits.queue);
    this.#lineCarrier = {
      abort: (flight) => {
        this.#line.remove(flight);
        this.#checkIdle();
      },
      // Only a VM redirects, and what it was told is in its flight.
      continueAt: () => undefined,
    };
    this.#watchdog = new Watchdog({
      entryMs: limits.requestMs === 0 ? 0 : limits.requestMs + (limits.graceMs ?? 250),
      bootMs: limits.bootMs ?? 30_000,
    });
    const listener = this.#seatListener();
    this.#seats = Array.from(
      { length: options.threads },
      (_, index) =>
        new Seat({
          vm: index + 1,
          host: (vm, seatListener) => this.host(vm, this.#options.boot(), seatListener),
          listener,
        }),
    );
  }

  /**
   * Starts the VMs. Resolves when each has booted or failed to, and at least one serves; those that failed are
   * tried again, as their `vm` events tell. Rejects `vm-failed` with the first VM's message, and closes, when
   * all of them failed.
   */
  async start(): Promise<void> {
    let lookedAt = performance.now();
    this.#watchTimer = setInterval(() => {
      const now = performance.now();
      this.#watchdog.look(this.#hosted, now - lookedAt);
      this.#sendAway(now - (this.#options.limits.waitMs ?? 30_000));
      lookedAt = now;
    }, lookEveryMs);
    const boots = await Promise.allSettled(this.#seats.map((seat) => seat.start().ready));
    const failures = boots.filter((boot) => boot.status === "rejected");
    if (failures.length < this.#seats.length) return;
    await this.close();
    const reason: unknown = failures[0]?.reason;
    const message = reason instanceof Error ? reason.message : String(reason);
    throw new ReluaError("vm-failed", message, [], { cause: reason });
  }

  /** Dispatches a request, or a call, to the VM with the least in flight; it waits while all of them are full. */
  dispatch(work: RequestWork, sink: RequestSink): Ticket;
  dispatch(work: CallWork, sink: CallSink): Ticket;
  dispatch(work: RequestWork | CallWork, sink: RequestSink | CallSink): Ticket {
    // The overloads pair works with their sinks.
    const flight =
      work.type === "request"
        ? new RequestFlight(work, sink as RequestSink)
        : new CallFlight(work, sink as CallSink);
    if (this.#state !== "open") this.#giveUp(flight, "pool-closed");
    else if (this.#line.size > 0 || !this.#send(flight)) this.#enqueue(flight);
    return flight;
  }

  /**
   * Posts a message to every VM that serves, booting ones included, in one turn of the main thread. For
   * `activate` this is the commit (Invariant 2): what is dispatched later stands behind it on every port.
   * A VM that starts later starts on what `boot` returns then, which must include the message's effect
   * already when `broadcast` is called.
   */
  broadcast(message: ActivateMessage | Extract<MainToVm, { readonly type: "locations" }>): void {
    for (const seat of this.#seats) seat.post(message);
  }

  /**
   * Starts a VM that gets nothing from `dispatch` and `broadcast`, on one of the spare threads; it is watched as
   * the others are. Whoever asks owns it: nothing replaces it when it ends. `close` kills it.
   */
  host(vm: number, snapshot: VmSnapshot, listener: VmListener): HostedVm {
    const hosted = new HostedVm(vm, this.#threads, snapshot, listener);
    this.#hosted.add(hosted);
    void hosted.ended.then(() => this.#hosted.delete(hosted));
    return hosted;
  }

  /**
   * Replaces one VM by a new one, losing nothing: it takes no new work, finishes what it has, for at most
   * `drainMs`, and the new one serves when this resolves. Rejects `vm-failed` when the new one does not boot
   * (it is tried again).
   */
  async recycle(vm: number, drainMs = this.#drainMs()): Promise<void> {
    const seat = this.#seats[vm - 1];
    if (seat === undefined)
      throw new ReluaError("usage", `there is no VM ${vm}: they are 1 to ${this.#seats.length}`);
    await seat.recycle(drainMs);
  }

  /** Recycles the VMs one after another; stops at the first whose successor does not boot. */
  async recycleAll(drainMs?: number): Promise<void> {
    for (const seat of this.#seats) await this.recycle(seat.vm, drainMs);
  }

  /** Kills one VM's thread at once; another VM takes its place. */
  kill(vm: number, message: string): void {
    this.#seats[vm - 1]?.hosted?.kill(message);
  }

  vms(): VmStatus[] {
    return this.#seats.map(statusOf);
  }

  /** Work that waits for a VM. */
  get waiting(): number {
    return this.#line.size;
  }

  /** Work since the start that no VM has finished, by reason; without what a VM ended itself. */
  get unfinished(): Readonly<Record<UnfinishedWhy, number>> {
    return this.#unfinished;
  }

  /** Listens; the result stops it. */
  on<E extends keyof PoolEvents>(event: E, listener: (...args: PoolEvents[E]) => void): () => void {
    const events = this.#events as EventEmitter;
    events.on(event, listener);
    return () => events.off(event, listener);
  }

  /**
   * Takes no more work; resolves when all that was taken is over, at the latest after `timeoutMs`. False when
   * some was not: `close` ends it.
   */
  async drain(timeoutMs: number): Promise<boolean> {
    if (this.#state === "open") this.#state = "draining";
    const timeout = new AbortController();
    const idle = new Promise<void>((resolve) => {
      this.#tellIdle = resolve;
    });
    this.#checkIdle();
    await Promise.race([
      idle,
      delay(timeoutMs, undefined, { signal: timeout.signal }).catch(() => undefined),
    ]);
    timeout.abort();
    return this.#isIdle();
  }

  /** Ends everything: VMs get `graceMs` to finish what is in flight. Nothing of the pool is left when it resolves. */
  close(graceMs = 1_000): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    this.#state = "closed";
    for (let flight = this.#line.shift(); flight !== undefined; flight = this.#line.shift()) {
      flight.carrier = undefined;
      this.#giveUp(flight, "pool-closed");
    }
    await Promise.all(this.#seats.map((seat) => seat.close(graceMs)));
    for (const hosted of this.#hosted) hosted.kill("the pool is closed");
    await Promise.all([...this.#hosted].map((hosted) => hosted.ended));
    clearInterval(this.#watchTimer);
    await this.#threads.close();
  }

  #seatListener(): VmListener {
    return {
      ready: (vm) => {
        this.#events.emit("vm", statusOf(this.#seatOf(vm)), undefined);
        this.#serveLine();
      },
      draining: (vm) => this.#events.emit("vm", statusOf(this.#seatOf(vm)), undefined),
      slotFree: () => {
        if (this.#line.size > 0) this.#serveLine();
        this.#checkIdle();
      },
      notice: (vm, notice) => {
        if (notice.type === "observed") this.#events.emit("observed", vm.vm, notice);
        else if (notice.type === "applied") this.#events.emit("applied", vm.vm, notice.report);
        else if (notice.type === "recycle") this.#events.emit("recycle", vm.vm, notice.message);
        else if (notice.type === "log") this.#events.emit("log", vm.vm, notice.level, notice.message);
      },
      gone: (vm, end) => this.#events.emit("vm", statusOf(this.#seatOf(vm)), end),
      ended: (_vm, unstarted, lost) => {
        this.#unfinished["vm-died"] += lost;
        this.#retry(unstarted);
      },
    };
  }

  #seatOf(vm: HostedVm): Seat {
    return this.#seats[vm.vm - 1]!;
  }

  #send(flight: Flight): boolean {
    const index = chooseVm(this.#seats, this.#options.concurrency, this.#last);
    if (index === -1) return false;
    this.#last = index;
    this.#seats[index]!.hosted!.send(flight);
    return true;
  }

  #enqueue(flight: Flight): void {
    flight.waitsSince = performance.now();
    if (this.#line.push(flight)) flight.carrier = this.#lineCarrier;
    else this.#giveUp(flight, "pool-full");
  }

  #giveUp(flight: Flight, reason: UnfinishedWhy): void {
    if (flight.giveUp(reason)) this.#unfinished[reason] += 1;
  }

  /** Gives up what waits since before `since`: no VM serves, or all of them are too slow. */
  #sendAway(since: number): void {
    while ((this.#line.first?.waitsSince ?? since) < since) {
      const flight = this.#line.shift()!;
      flight.carrier = undefined;
      this.#giveUp(flight, "pool-full");
    }
    this.#checkIdle();
  }

  #serveLine(): void {
    while (this.#line.size > 0) {
      const index = chooseVm(this.#seats, this.#options.concurrency, this.#last);
      if (index === -1) return;
      this.#last = index;
      this.#seats[index]!.hosted!.send(this.#line.shift()!);
    }
  }

  /** Puts what a dead VM had not started in front of the line, in its order. */
  #retry(unstarted: readonly Flight[]): void {
    for (const flight of unstarted.toReversed()) {
      if (flight.settled) continue;
      flight.retries += 1;
      if (this.#state === "closed") this.#giveUp(flight, "pool-closed");
      else if (flight.retries > retryLimit) this.#giveUp(flight, "vm-died");
      else {
        flight.carrier = this.#lineCarrier;
        flight.waitsSince = performance.now();
        this.#line.putBack(flight);
      }
    }
    this.#serveLine();
    this.#checkIdle();
  }

  #isIdle(): boolean {
    if (this.#line.size > 0) return false;
    for (const seat of this.#hosted) if (seat.inFlight > 0) return false;
    return true;
  }

  #checkIdle(): void {
    if (this.#tellIdle !== undefined && this.#isIdle()) this.#tellIdle();
  }

  /** A VM's own limits end its work within `requestMs`; without them, half a minute. */
  #drainMs(): number {
    const { requestMs } = this.#options.limits;
    return requestMs === 0 ? 30_000 : requestMs + 1_000;
  }
}

function statusOf(seat: Seat): VmStatus {
  const { hosted } = seat;
  const state = hosted === undefined || hosted.state === "gone" ? "down" : hosted.state;
  return {
    id: seat.vm,
    state,
    generation: hosted?.generation ?? 0,
    inFlight: seat.inFlight,
    modules: hosted?.modules ?? 0,
    heap: hosted?.heapBytes || undefined,
    restarts: seat.restarts,
    dispatched: seat.dispatched,
  };
}
