/** A numbered place for a VM: keeps one there, replaces it when it ends, and waits longer each time a boot fails. */

import { setTimeout as delay } from "node:timers/promises";
import { ReluaError } from "../errors.ts";
import type { Candidate } from "./admission.ts";
import type { HostedVm, VmListener } from "./hosted-vm.ts";
import type { MainToVm } from "./protocol.ts";

/** Pause before the second boot after a failed one; doubles up to `longestPauseMs`. */
const firstPauseMs = 100;
const longestPauseMs = 5_000;

export interface SeatOptions {
  readonly vm: number;
  /** Makes a VM that starts on what is active now. */
  readonly host: (vm: number, listener: VmListener) => HostedVm;
  readonly listener: VmListener;
}

export class Seat implements Candidate {
  readonly vm: number;
  readonly #options: SeatOptions;
  readonly #listener: VmListener;
  #hosted: HostedVm | undefined;
  #restarts = -1;
  /** By the VMs that were here before. */
  #dispatched = 0;
  #failedBoots = 0;
  #closed = false;
  #pause: AbortController | undefined;

  constructor(options: SeatOptions) {
    this.vm = options.vm;
    this.#options = options;
    const { listener } = options;
    this.#listener = {
      ready: (vm) => {
        this.#failedBoots = 0;
        listener.ready(vm);
      },
      draining: (vm) => listener.draining?.(vm),
      slotFree: (vm) => listener.slotFree(vm),
      notice: (vm, notice) => listener.notice(vm, notice),
      gone: (vm, end) => {
        this.#hosted = undefined;
        this.#dispatched += vm.dispatched;
        if (!this.#closed) this.#replace(vm);
        listener.gone(vm, end);
      },
      ended: (vm, unstarted, lost) => listener.ended(vm, unstarted, lost),
    };
  }

  /** The VM that sits here; undefined before the start, after the close, and in the pause after a failed boot. */
  get hosted(): HostedVm | undefined {
    return this.#hosted;
  }

  get accepting(): boolean {
    return this.#hosted?.accepting ?? false;
  }

  get inFlight(): number {
    return this.#hosted?.inFlight ?? 0;
  }

  /** How often a VM was started here after the first one. */
  get restarts(): number {
    return Math.max(0, this.#restarts);
  }

  /** Work that was posted to the VMs here so far. */
  get dispatched(): number {
    return this.#dispatched + (this.#hosted?.dispatched ?? 0);
  }

  /** Starts a VM. */
  start(): HostedVm {
    this.#restarts += 1;
    this.#hosted = this.#options.host(this.vm, this.#listener);
    return this.#hosted;
  }

  post(message: MainToVm): void {
    this.#hosted?.post(message);
  }

  /**
   * Replaces the VM by a new one; resolves when that is ready. The old one finishes what is in flight, for at
   * most `drainMs`. Throws what `HostedVm.ready` rejects with.
   */
  async recycle(drainMs: number): Promise<void> {
    const old = this.#hosted;
    if (old !== undefined) {
      // One that still boots is replaced too: it may have loaded already what it is recycled for.
      await old.ready.catch(() => undefined);
      old.drain();
      await endedWithin(old, drainMs);
    }
    if (this.#closed)
      throw new ReluaError("pool-closed", `VM ${this.vm} was not replaced: the pool is closed`);
    if (this.#hosted === undefined) throw new ReluaError("vm-failed", `VM ${this.vm} does not boot`);
    await this.#hosted.ready;
  }

  /** Drains the VM for at most `drainMs`, then kills it; none comes after it. */
  async close(drainMs: number): Promise<void> {
    this.#closed = true;
    this.#pause?.abort();
    const hosted = this.#hosted;
    if (hosted === undefined) return;
    if (hosted.state === "booting") hosted.kill("the pool is closed");
    hosted.drain();
    await endedWithin(hosted, drainMs);
  }

  #replace(old: HostedVm): void {
    if (old.bootMs !== undefined) {
      this.start();
      return;
    }
    const pauseMs = Math.min(firstPauseMs * 2 ** this.#failedBoots, longestPauseMs);
    this.#failedBoots += 1;
    this.#pause = new AbortController();
    delay(pauseMs, undefined, { signal: this.#pause.signal }).then(
      () => this.#closed || this.start(),
      () => undefined,
    );
  }
}

/** Waits for a VM to end; kills it after `drainMs`. */
async function endedWithin(vm: HostedVm, drainMs: number): Promise<void> {
  const timeout = new AbortController();
  delay(drainMs, undefined, { signal: timeout.signal }).then(
    () => vm.kill(`not drained within ${drainMs} ms`),
    () => undefined,
  );
  await vm.ended;
  timeout.abort();
}
