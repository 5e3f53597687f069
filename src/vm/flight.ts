/** One piece of work on its way: waiting in the line, or posted to a VM, until it is over. */

import type {
  CallSink,
  CallWork,
  Continuation,
  RequestSink,
  RequestWork,
  Ticket,
  Unavailable,
} from "../core/work.ts";
import type { Linked } from "./admission.ts";
import type { VmToMain, WorkMessage } from "./protocol.ts";

/** What a VM says about one piece of work. */
export type Answer = Extract<VmToMain, { readonly id: number }>;

/** Where a flight is: its line takes it out, its VM is told. */
export interface Carrier {
  abort(flight: Flight): void;
  continueAt(flight: Flight, continuation: Continuation): void;
}

export abstract class Flight implements Linked<Flight>, Ticket {
  ahead: Flight | undefined = undefined;
  behind: Flight | undefined = undefined;
  /** Number on the port it was posted to. */
  id = 0;
  /** When it joined the line (clock of `performance.now()`). */
  waitsSince = 0;
  /** VMs that died before it started. */
  retries = 0;
  /** The line or the VM that holds it; undefined when it is over. */
  carrier: Carrier | undefined = undefined;
  /** The sink has heard its end, or wants to hear nothing. */
  settled = false;

  /** The message for a port; its body, if any, is in `transfer`. Can be asked for again: a retry is whole. */
  abstract message(id: number, transfer: ArrayBuffer[]): WorkMessage;
  /** Passes an answer of the VM with that number on to the sink. */
  abstract receive(answer: Answer, vm: number): void;
  /** Ends it without an answer from Lua; false, and nothing happens, when it is settled. */
  abstract giveUp(reason: Unavailable): boolean;

  abort(): void {
    if (this.settled) return;
    this.settled = true;
    this.carrier?.abort(this);
  }

  continueAt(continuation: Continuation): void {
    if (!this.settled) this.carrier?.continueAt(this, continuation);
  }
}

export class RequestFlight extends Flight {
  readonly #work: RequestWork;
  readonly #sink: RequestSink;
  #headSent = false;

  constructor(work: RequestWork, sink: RequestSink) {
    super();
    this.#work = work;
    this.#sink = sink;
  }

  message(id: number, transfer: ArrayBuffer[]): WorkMessage {
    const { request } = this.#work;
    if (request.body === undefined) return { type: "request", id, request };
    // A copy is transferred: cloning a view would copy the whole slab behind it, and transferring the body
    // itself would leave nothing to send to another VM.
    const body = new Uint8Array(request.body);
    transfer.push(body.buffer);
    return { type: "request", id, request: { ...request, body } };
  }

  receive(answer: Answer, vm: number): void {
    if (this.settled) return;
    switch (answer.type) {
      case "response":
        this.settled = true;
        this.#sink.response(answer.head, answer.body, vm);
        break;
      case "head":
        this.#headSent = true;
        this.#sink.head(answer.head, vm);
        break;
      case "data":
        this.#sink.data(answer.bytes);
        break;
      case "finish":
        this.settled = true;
        this.#sink.finish();
        break;
      case "broken":
        this.settled = true;
        this.#sink.broken();
        break;
      case "redirect":
        this.#sink.redirect(answer.redirection, this);
        break;
      default:
        this.giveUp("no-answer");
    }
  }

  giveUp(reason: Unavailable): boolean {
    if (this.settled) return false;
    this.settled = true;
    if (this.#headSent) this.#sink.broken();
    else this.#sink.unavailable(reason);
    return true;
  }
}

export class CallFlight extends Flight {
  readonly #work: CallWork;
  readonly #sink: CallSink;

  constructor(work: CallWork, sink: CallSink) {
    super();
    this.#work = work;
    this.#sink = sink;
  }

  message(id: number): WorkMessage {
    const { module, fn, args } = this.#work;
    return { type: "call", id, module, fn, args };
  }

  receive(answer: Answer): void {
    if (this.settled) return;
    switch (answer.type) {
      case "result":
        this.settled = true;
        this.#sink.result(answer.values, answer.generation);
        break;
      case "failed":
        this.settled = true;
        this.#sink.failed(answer);
        break;
      default:
        this.giveUp("no-answer");
    }
  }

  giveUp(reason: Unavailable): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#sink.unavailable(reason);
    return true;
  }
}
