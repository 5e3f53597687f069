/** Which modules and files a source text loads, without running it. */

import type { Expression } from "luaparse";
import type { Place, SourceFacts, StaticFileLoad, StaticRequire } from "../core/source-facts.ts";
import { constantText } from "./constants.ts";
import { type Parsed, parseLua, tooDeep } from "./parse-lua.ts";
import { Places } from "./places.ts";
import { offsetOf } from "./ranges.ts";
import { type Listener, walkChunk } from "./walk.ts";

const none = { requires: [], dynamicRequires: [], fileLoads: [] };

/** The facts of a text of one character per byte. Never throws: a text that cannot be read has an `error`. */
export function extractFacts(text: string): SourceFacts {
  const parsed = parseLua(text);
  const places = new Places(text);
  if ("fault" in parsed) return factsOfFault(parsed, places);
  const collector = new FactsCollector(places);
  try {
    walkChunk(parsed.chunk, collector);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return factsOfFault({ fault: { offset: 0, message: tooDeep } }, places);
  }
  return collector.facts();
}

/** A text that is no Lua. */
export function factsOfFault({ fault }: Extract<Parsed, { fault: unknown }>, places: Places): SourceFacts {
  return { ...none, error: { ...places.at(fault.offset), message: fault.message } };
}

/** Collects what is loaded; `check` adds what it looks for. */
export class FactsCollector implements Listener {
  readonly #places: Places;
  readonly #requires: StaticRequire[] = [];
  readonly #dynamicRequires: Place[] = [];
  readonly #fileLoads: StaticFileLoad[] = [];

  constructor(places: Places) {
    this.#places = places;
  }

  facts(): SourceFacts {
    return {
      requires: this.#requires.sort(inOrder),
      dynamicRequires: this.#dynamicRequires.sort(inOrder),
      fileLoads: this.#fileLoads.sort(inOrder),
    };
  }

  call: Listener["call"] = ({ meaning, args, guarded }, node, { kind }) => {
    if (meaning !== "require" && meaning !== "dofile" && meaning !== "loadfile") return;
    const [first] = args as readonly (Expression | undefined)[];
    // Without an argument: require fails, dofile and loadfile read the standard input.
    if (first === undefined) return;
    const text = constantText(first);
    const place = this.#places.at(offsetOf(node));
    if (text !== undefined) {
      if (meaning === "require") this.#requires.push({ name: text, kind, guarded, ...place });
      else this.#fileLoads.push({ path: text, kind, guarded, ...place });
    } else if (meaning === "require") this.#dynamicRequires.push(place);
  };
}

function inOrder(a: Place, b: Place): number {
  return a.line - b.line || a.column - b.column;
}
