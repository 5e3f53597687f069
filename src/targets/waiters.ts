/** Those who wait until a generation has been applied: each is answered once, when it has or when its time is over. */

interface Waiter {
  readonly generation: number;
  readonly end: () => void;
}

export class Waiters {
  readonly #waiters = new Set<Waiter>();

  /** Somebody waits: worth looking more often. */
  get any(): boolean {
    return this.#waiters.size > 0;
  }

  /** Resolves when `reached` tells this generation or a newer one, after `withinMs`, or at the end of everything. */
  until(generation: number, withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        generation,
        end: () => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve();
        },
      };
      const timer = setTimeout(waiter.end, withinMs);
      this.#waiters.add(waiter);
    });
  }

  reached(generation: number): void {
    for (const waiter of [...this.#waiters]) if (waiter.generation <= generation) waiter.end();
  }

  /** Nothing will be reached any more. */
  close(): void {
    for (const waiter of [...this.#waiters]) waiter.end();
  }
}
