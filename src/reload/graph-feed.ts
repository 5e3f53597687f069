/** Feeds the graph with what the VMs report, leaving out what a commit has made obsolete meanwhile. */

import type { Edge, Graph, ModuleObservation } from "../core/graph.ts";

export interface ObservedBatch {
  /** The generation the VM was on. */
  readonly generation: number;
  readonly loaded: readonly ModuleObservation[];
  readonly unloaded: readonly string[];
  readonly edges: readonly Edge[];
}

export class GraphFeed {
  readonly #graph: Graph;
  /** Names whose edges were dropped by a commit: a VM that has not moved yet still reports the old ones. */
  readonly #retired = new Map<string, number>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  observed(vm: number, batch: ObservedBatch): void {
    for (const name of batch.unloaded) this.#graph.drop(vm, name);
    for (const module of batch.loaded) this.#graph.observe(vm, module);
    for (const edge of batch.edges)
      if ((this.#retired.get(edge.from) ?? 0) <= batch.generation) this.#graph.connect(edge);
  }

  /** A commit evicts these names: their chunks will run again and require anew. */
  committed(generation: number, evicted: readonly string[]): void {
    for (const name of evicted) {
      this.#graph.disconnect(name);
      this.#retired.set(name, generation);
    }
  }

  /** Every VM has reached this generation: nothing older will be reported. */
  reached(generation: number): void {
    for (const [name, retired] of this.#retired) if (retired <= generation) this.#retired.delete(name);
  }

  /** A VM starts anew: it holds nothing. */
  vmGone(vm: number): void {
    this.#graph.dropVm(vm);
  }
}
