/** Servers to be measured, each in a process of its own. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { ConfigInput } from "./built.ts";

/**
 * An agent; node:http alone, or the data plane without VMs, which answer everything alike; node:http with a bare
 * Fengari state in the same thread, which answers what `require(module)[fn](body)` returns.
 */
export type ServeOrder =
  | { readonly kind: "agent"; readonly config: ConfigInput }
  | { readonly kind: "fengari"; readonly packagePath: string; readonly module: string; readonly fn: string }
  | { readonly kind: "bare" | "plane"; readonly headers: readonly string[]; readonly body: string };

export class Served {
  readonly port: number;
  readonly #process: ChildProcess;

  constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  async close(): Promise<void> {
    const exit = once(this.#process, "exit");
    this.#process.disconnect();
    await exit;
  }
}

export async function serve(order: ServeOrder): Promise<Served> {
  const child = fork(new URL("./serve-process.mjs", import.meta.url), [JSON.stringify(order)], {
    execArgv: [],
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.once("message", (message) => resolve((message as { readonly port: number }).port));
    child.once("exit", (code) => reject(new Error(`the server ended with ${code} before it was ready`)));
  });
  return new Served(child, port);
}
