/** The last events, numbered: what a client that was away can catch up with. */

/** An event; its JSON is made when somebody first asks for it, and once: nobody may ever. */
export class LoggedEvent {
  readonly id: number;
  readonly type: string;
  #content: (() => unknown) | undefined;
  #data = "";

  constructor(id: number, type: string, content: () => unknown) {
    this.id = id;
    this.type = type;
    this.#content = content;
  }

  /** JSON, one line. */
  get data(): string {
    if (this.#content) this.#data = JSON.stringify(this.#content());
    this.#content = undefined;
    return this.#data;
  }
}

export class EventLog {
  readonly #capacity: number;
  readonly #events: LoggedEvent[] = [];
  readonly #followers = new Set<(event: LoggedEvent) => void>();
  #lastId = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** @param content says the same whenever it is called */
  add(type: string, content: () => unknown): void {
    const event = new LoggedEvent(++this.#lastId, type, content);
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
