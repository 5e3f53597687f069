/** The file `.relua-hold` in the prefix: while it exists, nothing is committed. For deploy scripts without a client. */

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

const lookEveryMs = 250;
/** Beginning of the file that is taken for the reason. */
const reasonLength = 200;

export interface HoldFileEvents {
  /** The file is there; `reason` is what it says. */
  readonly appeared: (reason: string) => void;
  readonly vanished: () => void;
}

export class HoldFile {
  readonly path: string;
  readonly #events: HoldFileEvents;
  #there = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(prefix: string, events: HoldFileEvents) {
    this.path = join(prefix, ".relua-hold");
    this.#events = events;
  }

  /** Looks once, then every quarter of a second. */
  async start(): Promise<void> {
    await this.#look();
    this.#timer = setInterval(() => void this.#look(), lookEveryMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const found = await stat(this.path).catch(() => undefined);
    const there = found?.isFile() ?? false;
    if (there === this.#there) return;
    this.#there = there;
    if (!there) {
      this.#events.vanished();
      return;
    }
    const text = await readFile(this.path, "utf8").catch(() => "");
    this.#events.appeared(text.trim().slice(0, reasonLength));
  }
}
