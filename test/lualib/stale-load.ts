/** Load on nginx from keep-alive connections: how many answers were older than what had been acknowledged before they were asked for. */

import { Agent, request } from "node:http";

export interface Tally {
  readonly answers: number;
  /** Answers below the floor that stood when their request was sent. */
  readonly stale: number;
  /** Answers in which modules of different versions met, as the application says. */
  readonly mixed: number;
  /** Anything but 200, and broken connections. */
  readonly failed: number;
  readonly workers: number;
}

/** Requests one path over and over. The application answers `VERSION`, or `VERSION/OTHER` where it has mixed two. */
export class StaleLoad {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #loops: readonly Promise<void>[];
  readonly #tally = { answers: 0, stale: 0, mixed: 0, failed: 0 };
  readonly #workers = new Set<string>();
  #floor = 0;
  #running = true;

  constructor(url: string, connections = 8) {
    this.#loops = Array.from({ length: connections }, () => this.#loop(url));
  }

  /** Requests sent from now on must be answered by this version or a newer one. */
  raise(version: number): void {
    this.#floor = version;
  }

  get answers(): number {
    return this.#tally.answers;
  }

  async end(): Promise<Tally> {
    this.#running = false;
    await Promise.all(this.#loops);
    this.#agent.destroy();
    return { ...this.#tally, workers: this.#workers.size };
  }

  async #loop(url: string): Promise<void> {
    while (this.#running) {
      const floor = this.#floor;
      const body = await this.#ask(url);
      if (body === undefined) {
        this.#tally.failed++;
        continue;
      }
      this.#tally.answers++;
      const versions = new Set(body.split("/"));
      if (versions.size > 1) this.#tally.mixed++;
      if ([...versions].some((version) => Number(version) < floor)) this.#tally.stale++;
    }
  }

  #ask(url: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const asking = request(url, { agent: this.#agent }, (response) => {
        let text = "";
        response.setEncoding("latin1").on("data", (piece: string) => {
          text += piece;
        });
        response.on("error", () => resolve(undefined));
        response.on("end", () => resolve(response.statusCode === 200 ? text : undefined));
        this.#workers.add(String(response.headers["x-worker"]));
      });
      asking.on("error", () => resolve(undefined));
      asking.end();
    });
  }
}
