/** The request's header lines as Lua sees and changes them; parsed no further than each question needs. */

/**
 * Replaces every line of that name, in any case, by these values; none removes it. The first keeps its place. `lines`
 * are names and values in turn.
 */
export function replaceHeader(lines: string[], name: string, values: readonly string[]): void {
  const lowered = name.toLowerCase();
  let place = -1;
  for (let index = 0; index < lines.length; ) {
    if ((lines[index] as string).toLowerCase() === lowered) {
      if (place === -1) place = index;
      lines.splice(index, 2);
    } else {
      index += 2;
    }
  }
  if (place === -1) place = lines.length;
  lines.splice(place, 0, ...values.flatMap((value) => [name, value]));
}

/** Names and values in turn over the client's own list, copied at the first change only. */
export class HeaderLines {
  #lines: readonly string[];
  #owned: string[] | undefined;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  /** Names and values in turn. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Value of the first line of that name; `lowered` in lower case. */
  get(lowered: string): string | undefined {
    const lines = this.#lines;
    for (let index = 0; index < lines.length; index += 2) {
      const name = lines[index] as string;
      if (name.length === lowered.length && (name === lowered || name.toLowerCase() === lowered)) {
        return lines[index + 1];
      }
    }
    return undefined;
  }

  /** All values of that name joined, as nginx's `$http_name` does; `separator` is `"; "` for cookies. */
  joined(lowered: string, separator = ", "): string | undefined {
    let joined: string | undefined;
    const lines = this.#lines;
    for (let index = 0; index < lines.length; index += 2) {
      const name = lines[index] as string;
      if (name.length !== lowered.length || name.toLowerCase() !== lowered) continue;
      const value = lines[index + 1] as string;
      joined = joined === undefined ? value : `${joined}${separator}${value}`;
    }
    return joined;
  }

  /** See `replaceHeader`. */
  set(name: string, values: readonly string[]): void {
    replaceHeader(this.#own(), name, values);
  }

  #own(): string[] {
    this.#owned ??= [...this.#lines];
    this.#lines = this.#owned;
    return this.#owned;
  }
}
