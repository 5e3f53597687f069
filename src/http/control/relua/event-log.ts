/** The last events, numbered: what a client that was away can catch up with. */

export interface LoggedEvent {
  readonly id: number;
  readonly type: string;
  /** JSON, one line. */
  readonly data: string;
}

export class EventLog {
  readonly #capacity: number;
  readonly #events: LoggedEvent[] = [];
  readonly #followers = new Set<(event: LoggedEvent) => void>();
  #lastId = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(type: string, content: unknown): void {
    const event = { id: ++this.#lastId, type, data: JSON.stringify(content) };
    this.#events.push(event);
    if (this.#events.length > this.#capacity) this.#events.shift();
    for (const follow of this.#followers) follow(event);
  }

  /** Events behind `id`, oldest first; all there are when `id` is from before a restart. */
  after(id: number): readonly LoggedEvent[] {
    return id > this.#lastId ? [...this.#events] : this.#events.filter((event) => event.id > id);
  }

  /** @returns what ends the following */
  follow(follower: (event: LoggedEvent) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }
}
