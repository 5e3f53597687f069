/** Who requires: the module that is loading, and those whose functions called. Each requirement becomes an edge, once. */

import type { lua_State } from "#fengari";
import { callersOf, callingProto } from "./caller.ts";
import type { Files, FoundFile } from "./files.ts";
import type { Instance } from "./hot.ts";
import type { Observations } from "./observations.ts";

/** What the search for a module came to. */
export interface Search {
  readonly name: string;
  found: FoundFile | undefined;
  /** Paths that were tried before and missed. */
  probes: readonly string[];
}

/** A module that is being searched for, or whose chunk is running. */
export interface Loading extends Search {
  /** Names it required while it loaded, directly. */
  readonly requires: Set<string>;
  /** Once its chunk has required `relua.hot`. */
  instance: Instance | undefined;
}

/** Names of one function that are remembered as told; it starts anew beyond, for there is no end of names made at run time. */
const mostTold = 1_000;

export class Requirers {
  /** Outermost first. */
  readonly loading: Loading[] = [];
  readonly #files: Files;
  readonly #observations: Observations;
  #told = new WeakMap<object, Set<string>>();
  #sharing = 0;

  constructor(files: Files, observations: Observations) {
    this.#files = files;
    this.#observations = observations;
  }

  /** The running C function was asked for `name`: a module, or a chunk of its own. Returns false where that is known. */
  record(L: lua_State, name: string): boolean {
    const loading = this.loading.at(-1);
    if (!loading) {
      const calling = callingProto(L);
      if (!calling || this.#wasTold(calling, name)) return false;
    }
    const callers = callersOf(L);
    if (loading) {
      loading.requires.add(name);
      this.#observations.edge({ from: loading.name, to: name, kind: "load", at: callers[0]?.at ?? "?" });
    }
    for (const { source, at } of callers)
      for (const from of this.#files.requirersOf(source))
        if (from !== loading?.name && from !== name)
          this.#observations.edge({ from, to: name, kind: "call", at });
    return true;
  }

  /** Forgets which edges were told: evicted chunks will tell theirs anew. */
  forget(): void {
    this.#told = new WeakMap();
  }

  #wasTold(proto: object, name: string): boolean {
    if (this.#sharing !== this.#files.sharing) {
      this.#sharing = this.#files.sharing;
      this.forget();
    }
    const names = this.#told.get(proto);
    if (names?.has(name)) return true;
    if (names && names.size < mostTold) names.add(name);
    else this.#told.set(proto, new Set([name]));
    return false;
  }
}
