/** The work of a VM in its thread: starts requests and calls, keeps what is in flight, answers over the port. */

import { posix } from "node:path";
import type { lua_State } from "#fengari";
import type { HandlerSource, LocationHandlers, Phase, Redirection, ResponseHead } from "../core/exchange.ts";
import type { Running } from "../lua/activity.ts";
import { Exchange, Surroundings } from "../ngx/exchange.ts";
import {
  type ExchangeOutput,
  type HandlerFailure,
  type RunningExchange,
  startExchange,
} from "../ngx/phases.ts";
import { readVariable } from "../ngx/variables.ts";
import type { Occupant } from "./occupant.ts";
import type { CallMessage, MainToVm, RequestMessage, VmSettings, VmToMain, WorkMessage } from "./protocol.ts";
import { slot } from "./shared-slots.ts";

export interface WorkFloorOptions {
  readonly settings: VmSettings;
  readonly slots: Int32Array;
  readonly locations: readonly LocationHandlers[];
  /** The VM of this thread at this moment. */
  readonly occupant: () => Occupant;
  /** With `luaCodeCache: false`: a VM for one request, or why there is none. */
  readonly freshOccupant: () => Promise<Occupant | string>;
  readonly post: (message: VmToMain, transfer?: readonly ArrayBuffer[]) => void;
  /** Called when the last work in flight is over. */
  readonly idle: () => void;
}

type ContinueMessage = Extract<MainToVm, { readonly type: "continue" }>;

/** Bodies from this size on are handed over instead of copied: below it the copy is cheaper. */
const transferFrom = 16 * 1024;

/** Bodies up to this size travel as text: a Uint8Array in a message costs more than the rest of it. */
const textUpTo = 8 * 1024;

export class WorkFloor {
  readonly #options: WorkFloorOptions;
  /** Requests that redirect are answered here; calls only abort. */
  readonly #running = new Map<number, RunningExchange | Running | undefined>();
  #locations: ReadonlyMap<number, LocationHandlers>;

  constructor(options: WorkFloorOptions) {
    this.#options = options;
    this.#locations = byId(options.locations);
  }

  get inFlight(): number {
    return this.#running.size;
  }

  set locations(locations: readonly LocationHandlers[]) {
    this.#locations = byId(locations);
  }

  start(message: WorkMessage): void {
    const { slots, settings } = this.#options;
    Atomics.store(slots, slot.startedId, message.id);
    this.#running.set(message.id, undefined);
    if (settings.luaCodeCache) this.#startOn(this.#options.occupant(), message);
    else void this.#startFresh(message);
  }

  continue(message: ContinueMessage): void {
    const running = this.#running.get(message.id);
    if (!running || !("continueWith" in running)) return;
    const location = message.location === undefined ? undefined : this.#locations.get(message.location);
    running.continueWith(location, message.uri, message.args, message.captures);
  }

  abort(id: number): void {
    this.#running.get(id)?.abort();
  }

  async #startFresh(message: WorkMessage): Promise<void> {
    const fresh = await this.#options.freshOccupant();
    if (typeof fresh !== "string") {
      this.#startOn(fresh, message);
      return;
    }
    this.#options.post({ type: "log", level: "error", message: fresh });
    this.#over(message.id);
  }

  #startOn(occupant: Occupant, message: WorkMessage): void {
    this.#options.slots[slot.runningId] = message.id;
    if (message.type === "request") this.#startRequest(occupant, message);
    else this.#startCall(occupant, message);
  }

  #startRequest({ vm, host }: Occupant, { id, request }: RequestMessage): void {
    const { settings } = this.#options;
    const location = this.#locations.get(request.location);
    const exchange = new Exchange(request, location);
    const activity = vm.begin({
      deadlineMs: settings.limits.requestMs,
      instructions: settings.limits.instructions,
      context: exchange,
    });
    const pushHandler = (L: lua_State, phase: Phase, source: HandlerSource): HandlerFailure | undefined => {
      const pattern = exchange.location?.pattern ?? "";
      const pushed =
        source.kind === "inline"
          ? vm.handlers.pushInline(L, `${phase}_by(${pattern})`, source.code)
          : vm.handlers.pushFile(L, this.#handlerPath(source.path, exchange, host), activity.view);
      if (pushed.ok) return undefined;
      return { status: "missing" in pushed ? 404 : 500, message: pushed.message };
    };
    const output = new PortOutput(id, this.#options.post, () => {
      vm.end(activity);
      this.#over(id, output.over);
    });
    const running = startExchange({ host, activity, exchange, pushHandler, output });
    if (this.#running.has(id)) this.#running.set(id, running);
  }

  #startCall({ vm }: Occupant, { id, module, fn, args }: CallMessage): void {
    const { limits } = this.#options.settings;
    const { generation } = vm.generations.active;
    const allowance = {
      deadlineMs: limits.requestMs,
      instructions: limits.instructions,
      context: new Surroundings("timer"),
    };
    const running = vm.call(module, fn, args, allowance, (ended) => {
      if (ended.ok) this.#options.post({ type: "result", id, values: ended.values, generation, over: true });
      else {
        const { message, traceback } = ended;
        this.#options.post({ type: "failed", id, message, traceback, generation, over: true });
      }
      this.#over(id, true);
    });
    if (this.#running.has(id)) this.#running.set(id, running);
  }

  /** A handler's file for one request: variables filled in; with variables it never leaves the prefix. */
  #handlerPath(template: string, exchange: Exchange, host: Occupant["host"]): string {
    const { prefix } = this.#options.settings;
    let varies = false;
    const filled = template.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced: string, bare: string) => {
      varies = true;
      return readVariable(exchange, host, braced ?? bare) ?? "";
    });
    const path = posix.resolve(prefix, filled);
    const outside = varies && !path.startsWith(prefix === "/" ? prefix : `${prefix}/`);
    return outside || path.includes("\0") ? "" : path;
  }

  /** `told` when the answer itself has said that the work is over. */
  #over(id: number, told = false): void {
    this.#running.delete(id);
    if (!told) this.#options.post({ type: "done", id });
    if (this.#running.size === 0) this.#options.idle();
  }
}

/** Sends a request's output to the main thread. */
class PortOutput implements ExchangeOutput {
  readonly #id: number;
  readonly #post: WorkFloorOptions["post"];
  readonly done: () => void;
  /** The response has told that nothing follows. */
  over = false;

  constructor(id: number, post: WorkFloorOptions["post"], done: () => void) {
    this.#id = id;
    this.#post = post;
    this.done = done;
  }

  response(head: ResponseHead, body: Uint8Array | undefined, isLast: boolean): void {
    this.over = isLast;
    if (body === undefined || body.length > textUpTo)
      this.#post({ type: "response", id: this.#id, head, body, over: isLast }, ownBuffer(body));
    else this.#post({ type: "response", id: this.#id, head, body: latin1(body), over: isLast });
  }

  head(head: ResponseHead): void {
    this.#post({ type: "head", id: this.#id, head });
  }

  data(bytes: Uint8Array): void {
    this.#post({ type: "data", id: this.#id, bytes }, ownBuffer(bytes));
  }

  finish(): void {
    this.#post({ type: "finish", id: this.#id });
  }

  broken(): void {
    this.#post({ type: "broken", id: this.#id });
  }

  redirect(redirection: Redirection): void {
    this.#post({ type: "redirect", id: this.#id, redirection });
  }
}

function ownBuffer(bytes: Uint8Array | undefined): readonly ArrayBuffer[] {
  return bytes && bytes.length >= transferFrom ? [bytes.buffer as ArrayBuffer] : [];
}

function latin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1");
}

function byId(locations: readonly LocationHandlers[]): ReadonlyMap<number, LocationHandlers> {
  return new Map(locations.map((location) => [location.id, location]));
}
