/** Names by what they have in common: a path, a file. Most have it alone, and cost no set. */

const nothing: readonly string[] = [];

export class NameIndex {
  readonly #alone = new Map<string, string>();
  /** Two names at least; apart, so that who asks for others seldom has far to look. */
  readonly #shared = new Map<string, Set<string>>();

  add(key: string, name: string): void {
    const shared = this.#shared.get(key);
    if (shared) {
      shared.add(name);
      return;
    }
    const known = this.#alone.get(key);
    if (known === undefined) this.#alone.set(key, name);
    else if (known !== name) {
      this.#alone.delete(key);
      this.#shared.set(key, new Set([known, name]));
    }
  }

  delete(key: string, name: string): void {
    const shared = this.#shared.get(key);
    if (shared?.delete(name) && shared.size === 1) {
      this.#shared.delete(key);
      this.#alone.set(key, [...shared][0]!);
    } else if (!shared && this.#alone.get(key) === name) this.#alone.delete(key);
  }

  /** In the order in which they came. */
  get(key: string): Iterable<string> {
    const name = this.#alone.get(key);
    return name === undefined ? (this.#shared.get(key) ?? nothing) : [name];
  }

  /** The others that have what `name` has. */
  others(key: string, name: string): readonly string[] {
    const shared = this.#shared.get(key);
    return shared ? [...shared].filter((other) => other !== name) : nothing;
  }

  /** Whether anything is had by more than one name. */
  get isShared(): boolean {
    return this.#shared.size > 0;
  }
}
