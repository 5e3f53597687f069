/** Feeds the graph with what the VMs report, leaving out what a commit has made obsolete meanwhile. */

import type { Edge, Graph, ModuleObservation } from "../core/graph.ts";
import type { Move } from "../core/move.ts";
import { isChunk } from "../core/plan.ts";

export interface ObservedBatch {
  /** The generation the VM was on. */
  readonly generation: number;
  readonly loaded: readonly ModuleObservation[];
  readonly unloaded: readonly string[];
  readonly edges: readonly Edge[];
}

/** One file that VMs hold under several names: instances with a state each. */
export interface AliasesInUse {
  /** Canonical real path. */
  readonly file: string;
  /** Each name, with the places that require it: `apps/a.lua:3`. */
  readonly names: readonly { readonly name: string; readonly at: readonly string[] }[];
}

/** For the log. */
export function describeAliases({ file, names }: AliasesInUse): string {
  const uses = names.map(({ name, at }) => `"${name}" (${at.join(", ")})`);
  return `${file} is loaded as ${uses.join(" and as ")}: each has a state of its own`;
}

export class GraphFeed {
  readonly #graph: Graph;
  readonly #aliases: (found: AliasesInUse) => void;
  /** Files whose aliases were told, with the names they had. */
  readonly #told = new Map<string, string>();
  /** Names whose edges were dropped by a commit: a VM that has not moved yet still reports the old ones. */
  readonly #retired = new Map<string, number>();

  /** @param aliases called when a file is held under one name more than before */
  constructor(graph: Graph, aliases: (found: AliasesInUse) => void = () => {}) {
    this.#graph = graph;
    this.#aliases = aliases;
  }

  observed(vm: number, batch: ObservedBatch): void {
    for (const name of batch.unloaded) this.#graph.drop(vm, name);
    const touched = new Set<string>();
    // Edges first: the graph may forget a name that nobody holds as soon as it hears of it, its edges with it.
    for (const edge of batch.edges)
      if ((this.#retired.get(edge.from) ?? 0) <= batch.generation && this.#graph.connect(edge))
        touched.add(edge.to);
    for (const module of batch.loaded) {
      this.#graph.observe(vm, module);
      touched.add(module.name);
    }
    const files = new Set([...touched].map((name) => this.#graph.module(name)?.file));
    for (const file of files) if (file !== undefined) this.#tellAliases(file);
  }

  /** Names that somebody requires: one that a warm VM has loaded again for nobody is no second instance to anybody. */
  #tellAliases(file: string): void {
    const uses: AliasesInUse["names"][number][] = [];
    for (const name of this.#graph.namesOfFile(file)) {
      if ((this.#graph.module(name)?.vms.size ?? 0) === 0) continue;
      const at = [...this.#graph.dependents(name)].map((edge) => edge.at).sort();
      if (at.length > 0) uses.push({ name, at });
    }
    uses.sort((a, b) => (a.name < b.name ? -1 : 1));
    const names = uses.map(({ name }) => name).join(" ");
    if (uses.length < 2 || this.#told.get(file) === names) return;
    this.#told.set(file, names);
    this.#aliases({ file, names: uses });
  }

  /** A commit evicts what is planned: these chunks will run again and require anew. */
  committed({ generation, roots, evict, manifest }: Move): void {
    for (const { path, file } of manifest.present) this.#graph.relocate(path, file);
    const again = new Set([...roots, ...evict]);
    // Handlers, and files that dofile ran, are in nobody's package.loaded: they run again with what they are part of.
    for (const name of again)
      for (const { from } of this.#graph.dependents(name)) if (isChunk(from)) again.add(from);
    for (const name of again) {
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
