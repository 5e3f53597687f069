/** Servers to be measured, each in a process of its own. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import type { ConfigInput } from "./built.ts";

/**
 * An agent; its data plane and VMs without what can reload them; node:http alone, or the data plane without VMs, which answer everything alike; node:http with a bare
 * Fengari state in the same thread, which answers what `require(module)[fn](body)` returns.
 */
export type ServeOrder =
  | { readonly kind: "agent" | "pool"; readonly config: ConfigInput }
  | { readonly kind: "fengari"; readonly packagePath: string; readonly module: string; readonly fn: string }
  | { readonly kind: "bare" | "plane"; readonly headers: readonly string[]; readonly body: string };

/** What a process tells when it is ready. */
interface Ready {
  readonly port: number;
  /** The agent's control plane, `127.0.0.1:8081`. */
  readonly control?: string;
}

export class Served {
  readonly port: number;
  readonly #control: string | undefined;
  readonly #process: ChildProcess;

  constructor(process: ChildProcess, { port, control }: Ready) {
    this.#process = process;
    this.port = port;
    this.#control = control;
  }

  /** Milliseconds of processor time that the process has taken so far, all threads together. */
  cpuMs(): Promise<number> {
    return this.#ask({ ask: "cpu" });
  }

  /** `agent.call` of a Lua function, `inFlight` at a time: how many a second. */
  calls(order: {
    readonly module: string;
    readonly fn: string;
    readonly inFlight: number;
    readonly ms: number;
  }) {
    return this.#ask({ ask: "calls", ...order });
  }

  /** `POST /api/v1/reloads`; the outcome. @throws when it is not a commit */
  async reload(request: object = {}): Promise<Reloaded> {
    // A connection of its own, as of a command: a kept one may have been closed meanwhile.
    const asking = httpRequest(`http://${this.#control}/api/v1/reloads`, {
      method: "POST",
      agent: false,
      headers: { "content-type": "application/json" },
    }).end(JSON.stringify(request));
    const [response] = (await once(asking, "response")) as [IncomingMessage];
    const pieces = await response.toArray();
    const outcome = JSON.parse(Buffer.concat(pieces as Buffer[]).toString()) as Reloaded;
    if (outcome.outcome !== "committed") throw new Error(`${JSON.stringify(outcome)} instead of a commit`);
    return outcome;
  }

  async close(): Promise<void> {
    const exit = once(this.#process, "exit");
    this.#process.disconnect();
    await exit;
  }

  /** One question at a time. */
  async #ask(question: object): Promise<number> {
    this.#process.send(question);
    const [{ answer }] = (await once(this.#process, "message")) as [{ readonly answer: number }];
    return answer;
  }
}

/** What the control plane says of a reload, as far as it is measured. */
export interface Reloaded {
  readonly outcome: string;
  readonly durationMs: number;
  readonly changes: readonly object[];
  readonly stages: { readonly [stage: string]: number };
}

export async function serve(order: ServeOrder): Promise<Served> {
  const child = fork(new URL("./serve-process.mjs", import.meta.url), [JSON.stringify(order)], {
    execArgv: [],
  });
  const ready = await new Promise<Ready>((resolve, reject) => {
    child.once("message", (message) => resolve(message as Ready));
    child.once("exit", (code) => reject(new Error(`the server ended with ${code} before it was ready`)));
  });
  return new Served(child, ready);
}
