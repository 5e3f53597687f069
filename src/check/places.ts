/** Lines and columns of places in a text. */

import type { Place } from "../core/source-facts.ts";

/** Finds the places of offsets that are asked for in any order; Lua takes \r\n and \n\r for one end of a line. */
export class Places {
  readonly #text: string;
  #starts: readonly number[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  at(offset: number): Place {
    const starts = this.#lineStarts();
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] as number) + 1 };
  }

  /** The text of a line, from 1, without its end. */
  line(number: number): string {
    const starts = this.#lineStarts();
    return this.#text.slice(starts[number - 1] ?? this.#text.length, starts[number]).replace(/[\r\n]+$/, "");
  }

  /** Made when the first place is asked for: most texts have none to tell. */
  #lineStarts(): readonly number[] {
    if (this.#starts !== undefined) return this.#starts;
    const starts = this.#text.includes("\r") ? startsAfterAny(this.#text) : startsAfterNewlines(this.#text);
    this.#starts = starts;
    return starts;
  }
}

/** Nearly all texts: searching for one character is several times as fast. */
function startsAfterNewlines(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function startsAfterAny(text: string): readonly number[] {
  const starts = [0];
  for (const end of text.matchAll(/\r\n|\n\r|\r|\n/g)) starts.push(end.index + end[0].length);
  return starts;
}
