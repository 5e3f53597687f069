/** Names by what they have in common: a path, a file. Most have it alone, and cost no set. */

const nothing: readonly string[] = [];

export class NameIndex {
  readonly #names = new Map<string, string | Set<string>>();

  add(key: string, name: string): void {
    const known = this.#names.get(key);
    if (known === undefined) this.#names.set(key, name);
    else if (typeof known !== "string") known.add(name);
    else if (known !== name) this.#names.set(key, new Set([known, name]));
  }

  delete(key: string, name: string): void {
    const known = this.#names.get(key);
    if (known === name) this.#names.delete(key);
    else if (typeof known === "object" && known.delete(name) && known.size === 1)
      this.#names.set(key, [...known][0]!);
  }

  /** In the order in which they came. */
  get(key: string): Iterable<string> {
    const known = this.#names.get(key);
    if (known === undefined) return nothing;
    return typeof known === "string" ? [known] : known;
  }

  /** The others that have what `name` has. */
  others(key: string, name: string): readonly string[] {
    const known = this.#names.get(key);
    return typeof known === "object" ? [...known].filter((other) => other !== name) : nothing;
  }
}
