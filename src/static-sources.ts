/** What the sources of the active generation say by themselves: the static graph, brought up to date when it is asked for. */

import { createAnalysis } from "./check/analysis.ts";
import { createStaticGraph, type StaticChanges } from "./check/static-graph.ts";
import type { Edge } from "./core/graph.ts";
import type { ManifestDelta } from "./core/manifest.ts";
import type { SearchPath } from "./core/search-path.ts";
import type { SourceFacts } from "./core/source-facts.ts";

export interface StaticSourcesParts {
  readonly searchPath: SearchPath;
  readonly prefix: string;
  /** The number of the active generation. */
  readonly generation: () => number;
  /** Its whole manifest. */
  readonly manifest: () => ManifestDelta;
}

/** Nothing is read before somebody asks. */
export class StaticSources {
  readonly #parts: StaticSourcesParts;
  readonly #analysis = createAnalysis();
  readonly #graph;
  /** Hash by path of what the static graph knows. */
  readonly #known = new Map<string, string>();
  #edges: readonly Edge[] | undefined;
  /** One look after another: each starts from what the one before left. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(parts: StaticSourcesParts) {
    this.#parts = parts;
    this.#graph = createStaticGraph(parts);
  }

  /**
   * What each of these contents says, by hash.
   * @throws ReluaError `analysis-failed`
   */
  facts({ present, arenas }: ManifestDelta): Promise<ReadonlyMap<string, SourceFacts>> {
    return this.#analysis.facts(present, arenas);
  }

  /**
   * Takes a change whose facts are at hand.
   * @param facts of every content in `present`
   */
  take(
    { present, absent }: Pick<ManifestDelta, "present" | "absent">,
    facts: ReadonlyMap<string, SourceFacts>,
  ): StaticChanges {
    for (const { path, hash } of present) this.#known.set(path, hash);
    for (const path of absent) this.#known.delete(path);
    if (present.length + absent.length > 0) this.#edges = undefined;
    return this.#graph.update({ present, absent }, facts);
  }

  /**
   * Brings it to the active manifest; the changes are what differed.
   * @throws ReluaError `analysis-failed`
   */
  follow(): Promise<StaticChanges> {
    const followed = this.#tail.then(() => this.#follow());
    this.#tail = followed.catch(() => undefined);
    return followed;
  }

  /** Every static edge of the active manifest; the same list until something changes. */
  async edges(): Promise<readonly Edge[]> {
    await this.follow();
    this.#edges ??= [...this.#graph.edges()];
    return this.#edges;
  }

  async #follow(): Promise<StaticChanges> {
    for (;;) {
      const generation = this.#parts.generation();
      const { present, arenas } = this.#parts.manifest();
      const there = new Set(present.map(({ path }) => path));
      const absent = [...this.#known.keys()].filter((path) => !there.has(path));
      const differing = present.filter(({ path, hash }) => this.#known.get(path) !== hash);
      const facts = await this.#analysis.facts(differing, arenas);
      // What was committed meanwhile is newer than what was read here.
      if (this.#parts.generation() === generation) return this.take({ present: differing, absent }, facts);
    }
  }

  close(): Promise<void> {
    return this.#analysis.close();
  }
}
