/** A pool over stand-in threads, which speak the protocol and run no Lua, and sinks that write down what they hear. */

import type { HttpRequest, ResponseHead } from "../../src/core/exchange.ts";
import type { VmStatus } from "../../src/core/status.ts";
import type { RequestSink, Ticket } from "../../src/core/work.ts";
import type { VmSnapshot } from "../../src/vm/hosted-vm.ts";
import { Pool } from "../../src/vm/pool.ts";
import type { PoolEvents, PoolOptions } from "../../src/vm/pool-contract.ts";
import type { ActivateMessage } from "../../src/vm/protocol.ts";

export const entry = new URL("../fixtures/vm/stand-in.mjs", import.meta.url).pathname;

/** How the stand-in starts: see `boots` in its file. */
export type BootMode = "" | "unfit" | "never" | "hang" | "throw" | "exit" | "unstamped";

export function snapshot(generation: number, mode: BootMode = "", starts?: SharedArrayBuffer): VmSnapshot {
  return {
    generation,
    locations: [],
    manifest: { present: [], absent: [], arenas: new Map(starts === undefined ? [] : [[0, starts]]) },
    settings: {
      prefix: "/",
      cwd: "/",
      packagePath: "",
      luaCodeCache: true,
      initBy: mode,
      initWorkerBy: "",
      threads: 1,
      limits: { requestMs: 0, instructions: 0, heapMb: 256, canaryMs: 0 },
      sharedDicts: {},
      pinned: [],
      oneNamePerFile: false,
      warm: false,
    },
  };
}

export interface StandInOptions extends Partial<Omit<PoolOptions, "limits">> {
  readonly limits?: Partial<PoolOptions["limits"]>;
}

export function poolOptions(options: StandInOptions = {}): PoolOptions {
  return {
    threads: 1,
    concurrency: 8,
    entry,
    boot: () => snapshot(1),
    ...options,
    limits: { queue: 100, heapMb: 64, requestMs: 0, ...options.limits },
  };
}

/** A pool that is closed, and its threads gone, at the end of the `await using` block. */
export class StandInPool extends Pool {
  constructor(options: StandInOptions = {}) {
    super(poolOptions(options));
  }

  static async started(options: StandInOptions = {}): Promise<StandInPool> {
    const pool = new StandInPool(options);
    await pool.start();
    return pool;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close(0);
  }

  /** Dispatches a request for `path`, `/echo` or `/slow?20`. */
  ask(path: string, more: Partial<HttpRequest> = {}): Heard {
    const heard = new Heard();
    heard.ticket = this.dispatch({ type: "request", request: requestFor(path, more) }, heard);
    return heard;
  }

  /** Resolves with the first status of this kind that a `vm` event tells. */
  vmEvent(wanted: (...args: PoolEvents["vm"]) => boolean): Promise<VmStatus> {
    return new Promise((resolve) => {
      const stop = this.on("vm", (status, end) => {
        if (!wanted(status, end)) return;
        stop();
        resolve(status);
      });
    });
  }
}

export function requestFor(path: string, more: Partial<HttpRequest> = {}): HttpRequest {
  const [uri = "", args = ""] = path.split("?");
  return {
    method: "GET",
    target: path,
    uri,
    args,
    httpVersion: "1.1",
    headers: [],
    scheme: "http",
    remoteAddr: "127.0.0.1",
    remotePort: 1,
    serverAddr: "127.0.0.1",
    serverPort: 80,
    serverName: "",
    connection: 0,
    connectionRequests: 1,
    startedAt: 0,
    location: 1,
    captures: [],
    ...more,
  };
}

/** A sink that writes down everything in order, and resolves `over` with it at the first end. */
export class Heard implements RequestSink {
  readonly said: string[] = [];
  readonly over: Promise<string>;
  ticket: Ticket | undefined;
  generation: number | undefined;
  vm: number | undefined;
  locations: number | undefined;
  /** Ends heard: must be 1, or 0 after an abort. */
  ends = 0;
  #resolve: (said: string) => void = () => undefined;

  constructor() {
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  response(head: ResponseHead, body: Uint8Array | undefined): void {
    this.#note(head);
    this.#end(body === undefined ? "response" : `response ${Buffer.from(body).toString()}`);
  }

  head(head: ResponseHead): void {
    this.#note(head);
    this.said.push("head");
  }

  data(bytes: Uint8Array): void {
    this.said.push(Buffer.from(bytes).toString());
  }

  finish(): void {
    this.#end("finish");
  }

  broken(): void {
    this.#end("broken");
  }

  redirect(redirection: { readonly uri: string }, ticket: Ticket): void {
    this.said.push(`redirect ${redirection.uri}`);
    ticket.continueAt({ uri: redirection.uri, args: "a=1", location: 5, captures: [] });
  }

  unavailable(reason: string): void {
    this.#end(reason);
  }

  #note(head: ResponseHead): void {
    this.generation = head.generation;
    this.vm = Number(head.headers[1]);
    this.locations = Number(head.headers[3]);
  }

  #end(how: string): void {
    this.ends += 1;
    this.said.push(how);
    this.#resolve(this.said.join(", "));
  }
}

export function activate(generation: number): ActivateMessage {
  return {
    type: "activate",
    generation,
    manifest: { present: [], absent: [], arenas: new Map() },
    evict: [],
    roots: [],
    load: [],
    bytecode: [],
  };
}
