/** Names that modules enter into `package.loaded` themselves, beside their own: who entered them, and so when they go. */

import { lauxlib, lua, type lua_State } from "#fengari";
import type { Generations } from "./generations.ts";
import type { Observations } from "./observations.ts";
import { utf8Text } from "./stack.ts";

/** An entry of a Fengari table; they are linked in the order in which they came. */
interface Entry {
  readonly key: { ttisstring(): boolean; svalue(): Uint8Array };
  /** Undefined once it was removed. */
  readonly value: object | undefined;
  readonly n: Entry | undefined;
}

interface Linked {
  /** The last one. */
  readonly l: Entry | undefined;
}

export class EnteredNames {
  readonly #L: lua_State;
  readonly #generations: Generations;
  readonly #observations: Observations;
  /** The last entry that has been looked at. */
  #seen: Entry | undefined;

  constructor(L: lua_State, generations: Generations, observations: Observations) {
    this.#L = L;
    this.#generations = generations;
    this.#observations = observations;
  }

  /** Nobody is loading: what has come until now belongs to nobody. */
  begin(): void {
    this.#seen = this.#last();
  }

  /**
   * Looks at what came since the last look. Names that no `require` put there belong to `owner`, whose chunk has been
   * running since; they go when it goes, and it goes when they do, for nothing else can bring them back.
   * @param loading modules whose chunks are running: each may enter itself
   */
  look(owner: string, loading: readonly { readonly name: string }[]): void {
    const { shown, active } = this.#generations;
    if (shown !== active) return;
    const { graph } = this.#observations;
    // When Lua code has removed the last one that was seen, what came behind it is not found: it belongs to nobody.
    const first = this.#seen?.value === undefined ? undefined : this.#seen.n;
    for (let entry = first; entry !== undefined; entry = entry.n) {
      if (!entry.key.ttisstring()) continue;
      const name = utf8Text(entry.key.svalue());
      if (graph.module(name)?.vms.size || loading.some((one) => one.name === name)) continue;
      this.#observations.loaded({ name, probes: [], held: true, generation: active.generation });
      this.#observations.edge({ from: name, to: owner, kind: "load", at: "package.loaded" });
      this.#observations.edge({ from: owner, to: name, kind: "load", at: "package.loaded" });
    }
    this.#seen = this.#last();
  }

  #last(): Entry | undefined {
    lua.lua_getfield(this.#L, lua.LUA_REGISTRYINDEX, lauxlib.LUA_LOADED_TABLE);
    const { l } = lua.lua_topointer<Linked>(this.#L, -1);
    lua.lua_pop(this.#L, 1);
    return l;
  }
}
