/** The canary: a VM that serves nobody and loads a change set first. Replaced when it dies or takes too long. */

import type { RehearsalOrder, Rehearsed } from "../core/move.ts";
import type { HostedVm, VmEnd, VmListener, VmSnapshot } from "./hosted-vm.ts";

/** The canary's number: VMs that serve count from 1. */
export const canaryNumber = 0;

export interface CanaryVmOptions {
  readonly host: (vm: number, snapshot: VmSnapshot, listener: VmListener) => HostedVm;
  /** What it starts on: the active generation. */
  readonly boot: () => VmSnapshot;
  /** Milliseconds until a rehearsal is given up and its thread killed. */
  readonly timeoutMs: number;
  readonly log: (message: string) => void;
}

export class CanaryVm {
  readonly #options: CanaryVmOptions;
  #hosted: HostedVm | undefined;
  #answer: ((result: Rehearsed) => void) | undefined;

  constructor(options: CanaryVmOptions) {
    this.#options = options;
  }

  /** Boots it ahead of the first rehearsal. */
  start(): void {
    this.#current();
  }

  /** Loads the order aside. Never rejects; at most one at a time. */
  async rehearse(order: RehearsalOrder): Promise<Rehearsed> {
    const vm = this.#current();
    const booted = await vm.ready.then(
      () => undefined,
      (error: Error) => error,
    );
    if (booted) return failure(`the canary does not boot: ${booted.message}`);
    return new Promise((resolve) => {
      const { timeoutMs } = this.#options;
      const timer = setTimeout(() => {
        settle(failure(`did not load within ${timeoutMs} ms (reload.canaryMs)`));
        vm.kill("rehearsal timed out");
      }, timeoutMs);
      const settle = (result: Rehearsed) => {
        clearTimeout(timer);
        this.#answer = undefined;
        resolve(result);
      };
      this.#answer = settle;
      vm.post({ type: "rehearse", ...order });
    });
  }

  /** The order that was rehearsed last was committed: the state that rehearsed it goes on from there. */
  adopt(): void {
    // One that is gone meanwhile is followed by one that starts on it.
    this.#hosted?.post({ type: "adopt" });
  }

  #current(): HostedVm {
    this.#hosted ??= this.#options.host(canaryNumber, this.#options.boot(), {
      ready: () => undefined,
      slotFree: () => undefined,
      draining: () => undefined,
      notice: (_vm, notice) => {
        if (notice.type === "rehearsed") this.#answer?.(notice);
        else if (notice.type === "log") this.#options.log(notice.message);
      },
      gone: (vm, end) => {
        if (this.#hosted === vm) this.#hosted = undefined;
        this.#answer?.(failure(`the canary died while it loaded the change: ${why(end)}`));
      },
      ended: () => undefined,
    });
    return this.#hosted;
  }
}

function failure(message: string): Rehearsed {
  return { errors: [{ path: undefined, line: undefined, message, requiredBy: [] }], bytecode: [] };
}

function why(end: VmEnd): string {
  return end.kind === "finished" ? "it ended" : end.message;
}
