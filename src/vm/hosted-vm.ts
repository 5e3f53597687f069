/** One VM from its birth to its end: the resident task on a thread, its port, and what is in flight on it. */

import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { Continuation } from "../core/work.ts";
import { ReluaError } from "../errors.ts";
import { type FlatRequest, type FlatResponse, flatRequest, responseMessage } from "./flat-messages.ts";
import type { Answer, Carrier, Flight } from "./flight.ts";
import type { Resident, Threads } from "./piscina-threads.ts";
import type { MainToVm, VmBoot, VmToMain } from "./protocol.ts";
import { createSlots, slot } from "./shared-slots.ts";

/**
 * What a VM starts with. Not to be changed afterwards: it is copied when a thread takes it, and what is posted
 * to the VM from the moment it was made is applied on top of it.
 */
export type VmSnapshot = Omit<VmBoot, "vm" | "port" | "slots">;

/** What a VM says that is not about one piece of work. */
export type VmNotice = Exclude<
  VmToMain,
  { readonly id: number } | { readonly type: "ready" | "unfit" | "drained" }
>;

/** How a VM ended. */
export type VmEnd =
  /** It was drained. */
  | { readonly kind: "finished" }
  /** `initBy` or `initWorkerBy` failed; the message is Lua's. */
  | { readonly kind: "unfit"; readonly message: string }
  /** `kill` was called. */
  | { readonly kind: "killed"; readonly message: string }
  /** Its thread died: out of memory, an uncaught error, an exit. */
  | { readonly kind: "died"; readonly message: string };

/** booting → ready → draining → gone; any of them → gone. */
export type VmState = "booting" | "ready" | "draining" | "gone";

/** Who owns a VM. */
export interface VmListener {
  /** It has booted and takes work. */
  ready(vm: HostedVm): void;
  /** It takes no new work, and ends when what it has is over. */
  draining?(vm: HostedVm): void;
  /** A piece of work is over. */
  slotFree(vm: HostedVm): void;
  notice(vm: HostedVm, notice: VmNotice): void;
  /** It takes nothing more: the time to start another. Its thread may still run for some milliseconds. */
  gone(vm: HostedVm, end: VmEnd): void;
  /**
   * Nothing of it runs any more. `unstarted`, in the order of their posting, have not run one instruction;
   * all others have been answered, `lost` of them as `vm-died`: nothing else is known of those.
   */
  ended(vm: HostedVm, unstarted: readonly Flight[], lost: number): void;
}

/** The two ends of the promise `ready`. */
interface Settle {
  readonly resolve: () => void;
  readonly reject: (error: ReluaError) => void;
}

/**
 * A VM on a thread. One is made per incarnation; what lasts longer (number, restarts) belongs to the owner.
 * Messages posted while it boots are queued on its port and are applied, in order, after the snapshot.
 */
export class HostedVm implements Carrier {
  readonly vm: number;
  readonly slots: Int32Array;
  /** Resolves when the VM takes work; rejects `vm-failed` (unfit) or `vm-died`. */
  readonly ready: Promise<void>;
  /** Resolves after `VmListener.ended`. */
  readonly ended: Promise<void>;
  readonly #port: MessagePort;
  readonly #resident: Resident;
  readonly #listener: VmListener;
  readonly #flights = new Map<number, Flight>();
  readonly #settleReady: Settle;
  #state: VmState = "booting";
  #lastId = 0;
  /** Requests of this turn of the main thread, which go to the port at its end, or before any other message. */
  #outbox: FlatRequest[] = [];
  #outboxTransfer: ArrayBuffer[] = [];
  #unfit: string | undefined;
  #bootMs: number | undefined;

  constructor(vm: number, threads: Threads, snapshot: VmSnapshot, listener: VmListener) {
    this.vm = vm;
    this.#listener = listener;
    const slots = createSlots();
    this.slots = new Int32Array(slots);
    let settleReady: Settle | undefined;
    this.ready = new Promise((resolve, reject) => {
      settleReady = { resolve, reject };
    });
    this.ready.catch(() => undefined);
    this.#settleReady = settleReady!;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.on("message", (message: VmToMain | FlatResponse) => this.#receive(message));
    this.#resident = threads.host({ ...snapshot, vm, port: port2, slots });
    this.ended = this.#watchEnd();
  }

  get state(): VmState {
    return this.#state;
  }

  get accepting(): boolean {
    return this.#state === "ready";
  }

  /** Work that is posted and not over. */
  get inFlight(): number {
    return this.#flights.size;
  }

  /** Work that was posted to it so far. */
  get dispatched(): number {
    return this.#lastId;
  }

  /** The generation it has applied; it answers no later request on an older one. */
  get generation(): number {
    return Atomics.load(this.slots, slot.generation);
  }

  /** Modules that it has loaded from files. */
  get modules(): number {
    return Atomics.load(this.slots, slot.modules);
  }

  /** Bytes of JavaScript heap and external memory that it last measured; 0 until then. */
  get heapBytes(): number {
    return Atomics.load(this.slots, slot.heapKb) * 1024;
  }

  /** How long the boot took, as the VM measured it; undefined while it boots. */
  get bootMs(): number | undefined {
    return this.#bootMs;
  }

  /**
   * Posts work; requests at the end of this turn, together. The VM must be accepting, or booting.
   * @throws DataCloneError for a call with arguments that are not plain values; nothing is in flight then
   */
  send(flight: Flight): void {
    flight.id = this.#lastId + 1;
    const message = flight.message(flight.id, this.#outboxTransfer);
    // A call's arguments are its caller's, who may change them next: they are copied now.
    if (message.type === "call") this.post(message);
    else if (this.#outbox.push(flatRequest(message)) === 1) setImmediate(this.#postOutbox);
    this.#lastId = flight.id;
    flight.carrier = this;
    this.#flights.set(flight.id, flight);
  }

  /** Posts anything else, behind all that was posted before; nothing when the VM is gone. */
  post(message: MainToVm): void {
    if (this.#state === "gone") return;
    this.#postOutbox();
    this.#port.postMessage(message);
  }

  /** Lets it finish what is in flight and end. Takes nothing more from now on. */
  drain(): void {
    if (this.#state === "gone" || this.#state === "draining") return;
    this.#state = "draining";
    this.post({ type: "drain" });
    this.#listener.draining?.(this);
  }

  /** Ends its thread at once. `message` says why. */
  kill(message: string): void {
    if (this.#state === "gone") return;
    this.#resident.kill();
    this.#leave({ kind: "killed", message });
  }

  abort(flight: Flight): void {
    this.post({ type: "abort", id: flight.id });
  }

  continueAt(flight: Flight, continuation: Continuation): void {
    this.post({ type: "continue", id: flight.id, ...continuation });
  }

  /** Waking a thread costs more than a request's message: what comes in together goes out together. */
  readonly #postOutbox = (): void => {
    const requests = this.#outbox;
    if (requests.length === 0 || this.#state === "gone") return;
    const transfer = this.#outboxTransfer;
    this.#outbox = [];
    this.#outboxTransfer = [];
    this.#port.postMessage({ type: "requests", requests } satisfies MainToVm, transfer);
  };

  #receive(message: VmToMain | FlatResponse): void {
    if (!("type" in message)) {
      this.#answer(responseMessage(message));
      return;
    }
    switch (message.type) {
      case "ready":
        this.#bootMs = message.bootMs;
        if (this.#state !== "booting") return;
        this.#state = "ready";
        this.#settleReady.resolve();
        this.#listener.ready(this);
        return;
      case "unfit":
        this.#unfit = message.message;
        return;
      case "drained":
        return;
      default:
        if ("id" in message) this.#answer(message);
        else this.#listener.notice(this, message);
    }
  }

  #answer(answer: Answer): void {
    const flight = this.#flights.get(answer.id);
    if (flight === undefined) return;
    flight.receive(answer, this.vm);
    if (answer.type !== "done" && !("over" in answer && answer.over)) return;
    this.#flights.delete(answer.id);
    flight.carrier = undefined;
    this.#listener.slotFree(this);
  }

  async #watchEnd(): Promise<void> {
    const end = await this.#resident.ended;
    this.#readRest();
    if (this.#state !== "gone") {
      if (this.#unfit !== undefined) this.#leave({ kind: "unfit", message: this.#unfit });
      else if (end.kind === "finished") this.#leave({ kind: "finished" });
      else this.#leave({ kind: "died", message: end.error.message });
    }
    // A thread that is being terminated may still start what is queued on its port; one that has exited cannot.
    await this.#resident.stopped;
    this.#readRest();
    this.#port.close();
    const { unstarted, lost } = this.#takeUnstarted();
    this.#listener.ended(this, unstarted, lost);
  }

  /** Reads what the thread posted before its end: other ports (Piscina's own) may have told of the end first. */
  #readRest(): void {
    for (let entry = receiveMessageOnPort(this.#port); entry !== undefined; ) {
      this.#receive(entry.message as VmToMain | FlatResponse);
      entry = receiveMessageOnPort(this.#port);
    }
  }

  #leave(end: VmEnd): void {
    this.#state = "gone";
    const what = `VM ${this.vm}`;
    if (end.kind === "unfit") this.#settleReady.reject(new ReluaError("vm-failed", end.message));
    else if (end.kind === "finished")
      this.#settleReady.reject(new ReluaError("vm-died", `${what} was drained`));
    else this.#settleReady.reject(new ReluaError("vm-died", `${what} died: ${end.message}`));
    this.#listener.gone(this, end);
  }

  #takeUnstarted(): { readonly unstarted: readonly Flight[]; readonly lost: number } {
    const startedId = Atomics.load(this.slots, slot.startedId);
    const unstarted: Flight[] = [];
    let lost = 0;
    for (const flight of this.#flights.values()) {
      flight.carrier = undefined;
      // The slot has 32 bits and ids may have grown past them: compared as serial numbers.
      if (((flight.id - startedId) | 0) > 0) unstarted.push(flight);
      else if (flight.giveUp("vm-died")) lost += 1;
    }
    this.#flights.clear();
    return { unstarted, lost };
  }
}
