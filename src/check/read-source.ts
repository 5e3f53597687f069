/** Reads off one source text all that the rules of `relua check` ask about. */

import type { Chunk, Expression, Identifier } from "luaparse";
import type { EdgeKind } from "../core/graph.ts";
import type { Place, SourceFacts } from "../core/source-facts.ts";
import { constantText } from "./constants.ts";
import { FactsCollector, factsOfFault } from "./extract-facts.ts";
import { parseLua, tooDeep } from "./parse-lua.ts";
import { Places } from "./places.ts";
import { offsetOf } from "./ranges.ts";
import { type Suppressed, suppressionsOf } from "./suppressions.ts";
import { type Listener, type Moment, walkChunk } from "./walk.ts";

/** A global, where the text first reads or writes it. */
export interface GlobalUse extends Place {
  /** `load`: while the chunk runs. `call`: inside a function. */
  readonly kind: EdgeKind;
  /** How often in all. */
  readonly times: number;
}

/** A call after which something stays in the VM. */
export interface UnloadableCall extends Place {
  /** `ffi.cdef` */
  readonly what: string;
}

export interface SourceReading {
  readonly facts: SourceFacts;
  readonly reads: ReadonlyMap<string, GlobalUse>;
  readonly writes: ReadonlyMap<string, GlobalUse>;
  readonly unloadable: readonly UnloadableCall[];
  /** Calls of `module(…, package.seeall)`. */
  readonly seeAll: readonly Place[];
  /** Globals that it declares by `_G.x = …` or `rawset(_G, "x", …)`. */
  readonly declared: ReadonlySet<string>;
  /** It calls `module`: its globals are the module's fields, and it is in `package.loaded` before its chunk ends. */
  readonly isOldModule: boolean;
  /** It sets its environment: its globals are another table's fields. */
  readonly hasOwnEnvironment: boolean;
  /** It calls `hot.pin()`. */
  readonly pinsItself: boolean;
  /** Names that it puts into `package.loaded` or `package.preload` by itself. */
  readonly provides: ReadonlySet<string>;
  readonly suppressed: Suppressed;
  /** The text of a line, from 1. */
  line(number: number): string;
}

/** Never throws: a text that cannot be read has an error in its facts, and nothing else. */
export function readSource(text: string): SourceReading {
  const places = new Places(text);
  const collector = new Collector(places);
  const facts = collectFacts(text, collector, places);
  return {
    facts,
    ...(facts.error === undefined ? collector.found : new Collector(places).found),
    suppressed: suppressionsOf(text, places),
    line: (number) => places.line(number),
  };
}

function collectFacts(text: string, collector: Collector, places: Places): SourceFacts {
  const parsed = parseLua(text);
  if ("fault" in parsed) return factsOfFault(parsed, places);
  try {
    return collector.walk(parsed.chunk);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return factsOfFault({ fault: { offset: 0, message: tooDeep } }, places);
  }
}

const unloadableCalls: ReadonlySet<string> = new Set([
  "=ffi.cdef",
  "=ffi.load",
  "=ffi.metatype",
  "package.loadlib",
]);

/** Any of these fields by a name that stands in the text is a module provided. */
const provided = /^package\.(?:loaded|preload)\.(.+)$/s;

class Collector implements Listener {
  readonly #places: Places;
  readonly #loads: FactsCollector;
  readonly found = {
    reads: new Map<string, GlobalUse>(),
    writes: new Map<string, GlobalUse>(),
    unloadable: [] as UnloadableCall[],
    seeAll: [] as Place[],
    declared: new Set<string>(),
    isOldModule: false,
    hasOwnEnvironment: false,
    pinsItself: false,
    provides: new Set<string>(),
  };

  constructor(places: Places) {
    this.#places = places;
    this.#loads = new FactsCollector(places);
  }

  walk(chunk: Chunk): SourceFacts {
    walkChunk(chunk, this);
    return this.#loads.facts();
  }

  call: Listener["call"] = (called, node, moment, meaningHere) => {
    this.#loads.call(called, node, moment, meaningHere);
    const { meaning, args } = called;
    if (unloadableCalls.has(meaning))
      this.found.unloadable.push({ what: meaning.replace("=", ""), ...this.#places.at(offsetOf(node)) });
    else if (meaning === "=relua.hot.pin") this.found.pinsItself = true;
    else if (meaning === "rawset") {
      const [table, name] = args;
      const text = constantText(name);
      if (table !== undefined && text !== undefined && meaningHere(table) === "_G") this.declareGlobal(text);
    } else if (meaning === "setfenv") this.found.hasOwnEnvironment = true;
    else if (meaning === "module") {
      this.found.isOldModule = true;
      if (args.some((arg) => meaningHere(arg) === "package.seeall"))
        this.found.seeAll.push(this.#places.at(offsetOf(node)));
    }
  };

  read = (name: string, node: Identifier, { kind }: Moment): void =>
    this.#note(this.found.reads, name, node, kind);

  write = (name: string, node: Identifier, { kind }: Moment): void => {
    if (name === "_ENV") this.found.hasOwnEnvironment = true;
    else this.#note(this.found.writes, name, node, kind);
  };

  writeField = (meaning: string, _node: Expression): void => {
    const name = provided.exec(meaning)?.[1];
    if (name !== undefined) this.found.provides.add(name);
  };

  declareGlobal = (name: string): void => {
    this.found.declared.add(name);
  };

  declareEnvironment = (): void => {
    this.found.hasOwnEnvironment = true;
  };

  #note(uses: Map<string, GlobalUse>, name: string, node: Identifier, kind: EdgeKind): void {
    const known = uses.get(name);
    const times = (known?.times ?? 0) + 1;
    const place = this.#places.at(offsetOf(node));
    const isFirst = known === undefined || place.line < known.line;
    uses.set(name, isFirst ? { ...place, kind, times } : { ...known, times });
  }
}
