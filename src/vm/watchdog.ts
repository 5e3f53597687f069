/** The watchdog: finds VMs that are stuck in one entry into Lua, or in their boot, and kills them from outside. */

import { slot } from "./shared-slots.ts";

/** A VM as the watchdog sees it. */
export interface Watched {
  readonly slots: Int32Array;
  readonly state: "booting" | "ready" | "draining" | "gone";
  kill(message: string): void;
}

export interface WatchdogOptions {
  /** Milliseconds in one entry into Lua; 0 = no limit. */
  readonly entryMs: number;
  /** Milliseconds from the birth of a VM until it is ready; 0 = no limit. */
  readonly bootMs: number;
}

/** How often the watchdog looks. */
export const lookEveryMs = 25;

/** Time that one look counts at most: a process that was stopped and went on must not find its VMs guilty. */
const countAtMostMs = 4 * lookEveryMs;

interface Record {
  entries: number;
  insideMs: number;
  bootingMs: number;
}

/** Looks at the VMs. Without a clock and a timer of its own: `look` gets the time that has passed. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #records = new WeakMap<Watched, Record>();

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** One look at each VM, `passedMs` after the one before. Kills those that are over a limit. */
  look(vms: Iterable<Watched>, passedMs: number): void {
    const countedMs = Math.min(passedMs, countAtMostMs);
    for (const vm of vms) if (vm.state !== "gone") this.#lookAt(vm, countedMs);
  }

  #lookAt(vm: Watched, countedMs: number): void {
    const { entryMs, bootMs } = this.#options;
    const entries = Atomics.load(vm.slots, slot.entries);
    const running = Atomics.load(vm.slots, slot.running) === 1;
    const record = this.#records.get(vm);
    if (record === undefined) {
      this.#records.set(vm, { entries, insideMs: 0, bootingMs: 0 });
      return;
    }
    record.insideMs = running && entries === record.entries ? record.insideMs + countedMs : 0;
    record.entries = entries;
    if (vm.state === "booting") record.bootingMs += countedMs;
    if (entryMs > 0 && record.insideMs > entryMs) {
      vm.kill(`stuck in Lua code for more than ${entryMs} ms${during(vm)}`);
    } else if (bootMs > 0 && vm.state === "booting" && record.bootingMs > bootMs) {
      vm.kill(`not ready within ${bootMs} ms`);
    }
  }
}

function during(vm: Watched): string {
  const id = Atomics.load(vm.slots, slot.runningId);
  return id === 0 ? "" : ` (work ${id})`;
}
