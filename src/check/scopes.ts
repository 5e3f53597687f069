/** The local variables that are visible at one point of a walk through a chunk. */

/** What is known of a local's value: the path of the global it stands for, e.g. `require` or `package.loaded`. */
export interface Binding {
  meaning: string | undefined;
}

/** Blocks nest: `mark` when one begins, `leave` when it ends. */
export class Scopes {
  readonly #visible = new Map<string, Binding>();
  /** What each declaration hid. */
  readonly #hidden: { readonly name: string; readonly was: Binding | undefined }[] = [];

  mark(): number {
    return this.#hidden.length;
  }

  leave(mark: number): void {
    while (this.#hidden.length > mark) {
      const { name, was } = this.#hidden.pop() as { name: string; was: Binding | undefined };
      if (was === undefined) this.#visible.delete(name);
      else this.#visible.set(name, was);
    }
  }

  declare(name: string, meaning?: string): void {
    this.#hidden.push({ name, was: this.#visible.get(name) });
    this.#visible.set(name, { meaning });
  }

  /** The local of this name; undefined when the name is a global's. */
  find(name: string): Binding | undefined {
    return this.#visible.get(name);
  }
}
