/** The agent's HTTP side: the table of locations, the data plane and the control plane. */

import type { Config } from "./config/index.ts";
import type { LocationHandlers } from "./core/exchange.ts";

export class WebFront {
  readonly #config: Config;
  constructor(config: Config) {
    this.#config = config;
  }
  handlerFiles(): readonly string[] {
    void this.#config;
    return [];
  }
  locations(): readonly LocationHandlers[] {
    return [];
  }
  get addresses(): { readonly data: readonly string[]; readonly control: string | undefined } {
    return { data: [], control: undefined };
  }
  async listen(_parts: unknown): Promise<void> {}
  async stopAccepting(): Promise<void> {}
  async close(_ms: number): Promise<void> {}
}
