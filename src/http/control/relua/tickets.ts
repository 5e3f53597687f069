/** Outcomes that nobody waits for: a ticket names one before it has an id. */

/** Tickets that are remembered, the oldest forgotten first. */
const capacity = 100;

export class Tickets<T> {
  readonly #tickets = new Map<string, { readonly outcome: Promise<T>; underWay: boolean }>();
  #issued = 0;

  /** @returns the ticket's name, which no number looks like: `async-1` */
  issue(outcome: Promise<T>): string {
    const name = `async-${++this.#issued}`;
    const ticket = { outcome, underWay: true };
    const done = () => {
      ticket.underWay = false;
    };
    // A failure is told to whoever asks for it.
    outcome.then(done, done);
    this.#tickets.set(name, ticket);
    const [oldest] = this.#tickets.keys();
    if (this.#tickets.size > capacity && oldest !== undefined) this.#tickets.delete(oldest);
    return name;
  }

  /** Undefined for a name that was never issued, or was forgotten. */
  look(name: string): Promise<T> | "under way" | undefined {
    const ticket = this.#tickets.get(name);
    return ticket?.underWay ? "under way" : ticket?.outcome;
  }
}
