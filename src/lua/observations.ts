/** What one VM has loaded, dropped and required: kept as a graph of its own, and told to the main thread in batches. */

import { createGraph, type Edge, type Graph, type ModuleObservation } from "../core/graph.ts";

/** This VM's number within its own graph. */
const self = 0;

/** News since the last batch: what was unloaded comes first, what was loaded or required after it is there now. */
export interface ObservedBatch {
  readonly loaded: readonly ModuleObservation[];
  readonly unloaded: readonly string[];
  readonly edges: readonly Edge[];
}

export class Observations {
  /** This VM's own edges: complete for this VM at any moment, unlike the main thread's graph. */
  readonly graph: Graph = createGraph();
  // By name, so that what was loaded and is gone again by the time of the batch is not told as held.
  #loaded = new Map<string, ModuleObservation>();
  #unloaded: string[] = [];
  #edges = new Map<string, Edge[]>();
  #held = 0;

  /** Modules from files that this VM holds. */
  get held(): number {
    return this.#held;
  }

  /** Whether a module is held that was loaded from this path. */
  holdsFrom(path: string): boolean {
    for (const name of this.graph.namesTouching(path)) {
      const record = this.graph.module(name);
      if (record?.path === path && record.vms.has(self)) return true;
    }
    return false;
  }

  loaded(module: ModuleObservation): void {
    const before = this.graph.module(module.name)?.vms.has(self) ?? false;
    this.graph.observe(self, module);
    if (module.held && !before) this.#held++;
    this.#loaded.set(module.name, module);
  }

  /** A module that is held has said `hot.pin()`. */
  pinned(name: string): void {
    const record = this.graph.module(name);
    if (!record?.vms.has(self)) return;
    const { path, file, hash, probes, generation } = record;
    this.loaded({
      name,
      ...(path !== undefined && { path }),
      ...(file !== undefined && { file }),
      ...(hash !== undefined && { hash }),
      probes,
      held: true,
      generation,
      pinned: true,
    });
  }

  /** The module left `package.loaded`; its chunk will run again and require anew. */
  unloaded(name: string): void {
    if (this.graph.module(name)?.vms.has(self)) this.#held--;
    this.graph.drop(self, name);
    this.graph.disconnect(name);
    this.#unloaded.push(name);
    this.#loaded.delete(name);
    this.#edges.delete(name);
  }

  edge(edge: Edge): void {
    if (!this.graph.connect(edge)) return;
    const edges = this.#edges.get(edge.from);
    if (edges) edges.push(edge);
    else this.#edges.set(edge.from, [edge]);
  }

  /** The news, once; undefined when there is none. */
  take(): ObservedBatch | undefined {
    if (this.#loaded.size === 0 && this.#unloaded.length === 0 && this.#edges.size === 0) return undefined;
    const batch = {
      loaded: [...this.#loaded.values()],
      unloaded: this.#unloaded,
      edges: [...this.#edges.values()].flat(),
    };
    this.#loaded = new Map();
    this.#unloaded = [];
    this.#edges = new Map();
    return batch;
  }
}
