/** The VM inside its thread: takes messages from the one port, in order; between two of them is the safe point. */

import { getHeapStatistics } from "node:v8";
import type { MessagePort } from "node:worker_threads";
import { ManifestView } from "../lua/manifest-view.ts";
import { guardMemory, type MemoryGuard } from "../lua/memory-guard.ts";
import { rehearse } from "../lua/rehearsal.ts";
import { Surroundings } from "../ngx/exchange.ts";
import { Timers } from "../ngx/timers.ts";
import { canaryNumber } from "./canary-vm.ts";
import { flatResponse, requestMessage } from "./flat-messages.ts";
import { HotFailures } from "./hot-failures.ts";
import { createOccupant, initialise, type Occupant } from "./occupant.ts";
import type { ActivateMessage, MainToVm, RehearseMessage, VmBoot, VmToMain } from "./protocol.ts";
import { slot } from "./shared-slots.ts";
import { WorkFloor } from "./work-floor.ts";

const measureEveryMs = 1_000;

/** What timers get for their last calls at a drain, and what is left of them from the end of the last request. */
const timersEndWithinMs = 500;

/** What a fresh state of this thread starts on. */
interface Active {
  readonly generation: number;
  readonly manifest: ManifestView;
}

export class Resident {
  readonly #boot: VmBoot;
  readonly #port: MessagePort;
  readonly #slots: Int32Array;
  readonly #floor: WorkFloor;
  readonly #memory: MemoryGuard;
  #active: Active;
  #occupant: Occupant;
  /** Between a rehearsal and the commit: what is active then. */
  #rehearsed: (() => Active) | undefined;
  /** The state is of no further use: what is rehearsed next starts anew. */
  #spoilt = false;
  #moving = false;
  #draining = false;
  #ended = false;
  readonly #timers = new Timers(() => this.#checkDrained());
  #timersEnd: NodeJS.Timeout | undefined;
  readonly #hotFailures: HotFailures;
  #end: () => void = () => {};

  constructor(boot: VmBoot) {
    this.#boot = boot;
    this.#port = boot.port;
    this.#slots = new Int32Array(boot.slots);
    const { requestMs } = boot.settings.limits;
    this.#hotFailures = new HotFailures(
      { deadlineMs: requestMs, instructions: 0, context: new Surroundings("timer") },
      (message) => this.#post(message),
    );
    this.#active = { generation: boot.generation, manifest: ManifestView.complete(boot.manifest) };
    const { heapMb } = boot.settings.limits;
    this.#memory = guardMemory(heapMb * 1024 * 1024, (usedBytes) => {
      const message = `strings take ${Math.round(usedBytes / 1024 / 1024)} MB, more than limits.heapMb (${heapMb})`;
      this.#post({ type: "log", level: "alert", message });
      // As V8 does when its heap is full: what had started is lost, everything else is run by other VMs.
      process.exit(1);
    });
    this.#occupant = this.#createOccupant(this.#active);
    this.#floor = new WorkFloor({
      settings: boot.settings,
      slots: this.#slots,
      locations: boot.locations,
      occupant: () => this.#occupant,
      freshOccupant: () => this.#freshOccupant(),
      post: (message, transfer) => this.#post(message, transfer),
      idle: () => this.#checkDrained(),
    });
  }

  /** Boots, then serves until it is drained. Returns early when `initBy` fails. */
  async run(): Promise<void> {
    const startedAtMs = performance.now();
    const failure = await initialise(this.#occupant, this.#boot.settings);
    if (failure !== undefined) {
      this.#timers.close();
      this.#post({ type: "unfit", message: failure });
      this.#port.close();
      return;
    }
    this.#stampGeneration();
    this.#post({ type: "ready", bootMs: performance.now() - startedAtMs });
    this.#measureHeap();
    const measuring = setInterval(() => this.#measureHeap(), measureEveryMs);
    await new Promise<void>((resolve) => {
      this.#end = resolve;
      this.#port.on("message", (message: MainToVm) => this.#receive(message));
    });
    clearInterval(measuring);
    this.#port.close();
  }

  #receive(message: MainToVm): void {
    switch (message.type) {
      case "call":
        this.#floor.start(message);
        return;
      case "requests":
        for (const request of message.requests) this.#floor.start(requestMessage(request));
        return;
      case "continue":
        this.#floor.continue(message);
        return;
      case "abort":
        this.#floor.abort(message.id);
        return;
      case "locations":
        this.#floor.locations = message.locations;
        return;
      case "activate":
        this.#activate(message);
        return;
      case "rehearse":
        void this.#rehearse(message);
        return;
      case "adopt":
        this.#active = this.#rehearsed?.() ?? this.#active;
        this.#rehearsed = undefined;
        return;
      case "drain":
        this.#draining = true;
        this.#timers.expire(timersEndWithinMs);
        this.#checkDrained();
    }
  }

  #activate(message: ActivateMessage): void {
    const startedAtMs = performance.now();
    const { vm } = this.#occupant;
    const errors: string[] = [];
    this.#hotFailures.beginMove();
    let warmed = 0;
    this.#moving = true;
    const evicted = vm.move(message, message.bytecode);
    if (this.#boot.settings.warm) {
      const gone = new Set(evicted);
      for (const name of message.load)
        if (gone.has(name))
          vm.load(name, this.#loadAllowance(), (ended) => {
            if (ended.ok) warmed++;
            else errors.push(ended.message);
          });
    }
    this.#moving = false;
    this.#active = activeOf(this.#occupant);
    const { generation } = this.#active;
    this.#stampGeneration();
    const appliedMs = performance.now() - startedAtMs;
    const failures = this.#hotFailures.endMove();
    this.#post({ type: "applied", report: { generation, appliedMs, evicted, warmed, errors, ...failures } });
  }

  /** The canary loads the next generation aside. Its state is adopted, or thrown away. */
  async #rehearse(message: RehearseMessage): Promise<void> {
    let unfit: string | undefined;
    const next = (): Active => ({
      generation: message.generation,
      manifest: this.#active.manifest.next(message.manifest),
    });
    if (message.fresh) unfit = await this.#startAnew(next());
    else if (this.#spoilt || this.#rehearsed) await this.#startAnew(this.#active);
    const { vm } = this.#occupant;
    // Held, so that the active manifest stays whole in case this one is rejected.
    const held = vm.generations.acquire();
    const rehearsed = rehearse(vm, {
      move: message.fresh ? undefined : message,
      compile: message.compile,
      load: message.load,
      allowance: this.#loadAllowance(this.#boot.settings.limits.canaryMs),
      tellRequires: message.tellRequires,
    });
    const errors = [...rehearsed.errors];
    if (unfit !== undefined)
      errors.push({ path: undefined, line: undefined, message: unfit, requiredBy: [] });
    this.#spoilt = errors.length > 0;
    this.#rehearsed = () => {
      // Errors that the change set is not to blame for do not keep it from being committed.
      if (this.#spoilt) return next();
      vm.generations.release(held);
      return activeOf(this.#occupant);
    };
    this.#post({ ...rehearsed, type: "rehearsed", errors });
  }

  /** Takes a new state for the canary; resolves with the message of its `initBy` when that fails. */
  async #startAnew(on: Active): Promise<string | undefined> {
    this.#occupant = this.#createOccupant(on);
    this.#rehearsed = undefined;
    this.#spoilt = false;
    const failure = await initialise(this.#occupant, this.#boot.settings);
    if (failure !== undefined) this.#post({ type: "log", level: "warn", message: `canary: ${failure}` });
    return failure;
  }

  /** For `luaCodeCache: false`: a VM for one request, on the active generation. */
  async #freshOccupant(): Promise<Occupant | string> {
    const { generation, manifest } = this.#active;
    const occupant = this.#createOccupant({ generation, manifest: manifest.detached() }, true);
    const failure = await initialise(occupant, this.#boot.settings);
    return failure ?? occupant;
  }

  #createOccupant(on: Active, fleeting = false): Occupant {
    const serving = { hot: this.#hotFailures, timers: this.#timers, fleeting };
    const slots = this.#slots;
    const occupant: Occupant = createOccupant({
      settings: this.#boot.settings,
      ...on,
      vm: this.#boot.vm,
      ...(this.#boot.vm !== canaryNumber && { serving }),
      exiting: () => this.#draining,
      log: (level, message) => this.#post({ type: "log", level, message }),
      onTick: () => this.#memory.tick(),
      onEnter: () => {
        slots[slot.entries] = (slots[slot.entries] ?? 0) + 1;
        Atomics.store(slots, slot.running, 1);
      },
      onLeave: () => {
        Atomics.store(slots, slot.running, 0);
        this.#tellObservations(occupant);
      },
    });
    return occupant;
  }

  #tellObservations({ vm }: Occupant): void {
    // A move tells all of it at its end.
    const news = this.#moving ? undefined : vm.observations.take();
    // Nobody asks what the canary has: it serves nobody.
    if (!news || this.#boot.vm === canaryNumber) return;
    this.#slots[slot.modules] = vm.observations.held;
    this.#port.postMessage({
      type: "observed",
      generation: vm.generations.active.generation,
      ...news,
    } satisfies VmToMain);
  }

  #loadAllowance(deadlineMs = this.#boot.settings.limits.requestMs) {
    return { deadlineMs, instructions: 0, context: new Surroundings("init_worker") };
  }

  #stampGeneration(): void {
    Atomics.store(this.#slots, slot.generation, this.#active.generation);
    this.#slots[slot.modules] = this.#occupant.vm.observations.held;
  }

  /** Whatever was observed goes first: who hears of an answer knows what it loaded. */
  #post(message: VmToMain, transfer: readonly ArrayBuffer[] = []): void {
    this.#tellObservations(this.#occupant);
    this.#port.postMessage(message.type === "response" ? flatResponse(message) : message, transfer);
  }

  #measureHeap(): void {
    const { used_heap_size, external_memory } = getHeapStatistics();
    this.#slots[slot.heapKb] = Math.round((used_heap_size + external_memory) / 1024);
  }

  #checkDrained(): void {
    if (!this.#draining || this.#ended || this.#floor.inFlight > 0) return;
    if (!this.#timers.idle) {
      // Its end comes back here.
      this.#timersEnd ??= setTimeout(() => this.#timers.close(), timersEndWithinMs);
      return;
    }
    this.#ended = true;
    clearTimeout(this.#timersEnd);
    this.#post({ type: "drained" });
    this.#end();
  }
}

function activeOf({ vm }: Occupant): Active {
  const { generation, manifest } = vm.generations.active;
  return { generation, manifest };
}
