/** What one VM has loaded, dropped and required: kept as a graph of its own, and told to the main thread in batches. */

import { createGraph, type Edge, type Graph, type ModuleObservation } from "../core/graph.ts";

/** This VM's number within its own graph. */
const self = 0;

/** News since the last batch. */
export interface ObservedBatch {
  readonly loaded: readonly ModuleObservation[];
  readonly unloaded: readonly string[];
  readonly edges: readonly Edge[];
}

export class Observations {
  /** This VM's own edges: complete for this VM at any moment, unlike the main thread's graph. */
  readonly graph: Graph = createGraph();
  #loaded: ModuleObservation[] = [];
  #unloaded: string[] = [];
  #edges: Edge[] = [];
  #held = 0;

  /** Modules from files that this VM holds. */
  get held(): number {
    return this.#held;
  }

  loaded(module: ModuleObservation): void {
    const before = this.graph.module(module.name)?.vms.has(self) ?? false;
    this.graph.observe(self, module);
    if (module.held && !before) this.#held++;
    this.#loaded.push(module);
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
  }

  edge(edge: Edge): void {
    if (this.graph.connect(edge)) this.#edges.push(edge);
  }

  /** The news, once; undefined when there is none. */
  take(): ObservedBatch | undefined {
    if (this.#loaded.length === 0 && this.#unloaded.length === 0 && this.#edges.length === 0)
      return undefined;
    const batch = { loaded: this.#loaded, unloaded: this.#unloaded, edges: this.#edges };
    this.#loaded = [];
    this.#unloaded = [];
    this.#edges = [];
    return batch;
  }
}
