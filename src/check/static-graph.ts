/** The dependency graph as the sources tell it, without a VM: kept up to date file by file. */

import { posix } from "node:path";
import type { DescribedModule, Edge } from "../core/graph.ts";
import type { SourceFile } from "../core/manifest.ts";
import { canonicalName, namesOf, resolve, type SearchPath } from "../core/search-path.ts";
import type { SourceFacts } from "../core/source-facts.ts";
import { shownPath } from "./shown-path.ts";

/** A module, or a file that no name reaches and that is named by its path with `@` before it. */
export interface StaticModule extends DescribedModule {
  /** In the order of the text, one for each name that is required. */
  readonly requires: readonly Edge[];
}

/** What a change of files does to the graph; goes into `Graph.describe` and `Graph.withdraw` as it is. */
export interface StaticChanges {
  readonly described: readonly StaticModule[];
  /** Names that lead nowhere any more. */
  readonly withdrawn: readonly string[];
}

export interface StaticGraphOptions {
  readonly searchPath: SearchPath;
  /** Places are told relative to this folder, absolute. */
  readonly prefix: string;
}

export interface StaticGraph {
  /**
   * Takes what has changed on the disk; costs what the change is worth, not what the tree is.
   * @param facts of every hash in `present`; files whose facts are missing require nothing
   */
  update(
    change: { readonly present: Iterable<SourceFile>; readonly absent: Iterable<string> },
    facts: ReadonlyMap<string, SourceFacts>,
  ): StaticChanges;
  module(name: string): StaticModule | undefined;
  modules(): Iterable<StaticModule>;
  edges(): Iterable<Edge>;
  /** Names that lead to this path, in canonical spelling; `@path` for a file that no name can reach. */
  namesOf(path: string): readonly string[];
}

export function createStaticGraph({ searchPath, prefix }: StaticGraphOptions): StaticGraph {
  const files = new Map<string, { readonly source: SourceFile; readonly facts: SourceFacts | undefined }>();
  const modules = new Map<string, StaticModule>();
  const exists = (path: string) => files.has(path);

  /** Names of a file in every state of the others: shadowed ones as well, and that of a file run by path. */
  const possibleNames = (path: string): readonly string[] => {
    const names = namesOf(searchPath, path, exists).map(({ name }) => name);
    return names.length === 0 || modules.has(chunkName(path)) ? [...names, chunkName(path)] : names;
  };

  /** What a name leads to now. */
  const describe = (name: string): StaticModule | undefined => {
    const { path, probes } = isChunkName(name)
      ? { path: name.slice(1), probes: [] }
      : resolve(searchPath, name, exists);
    const known = path === undefined ? undefined : files.get(path);
    if (known === undefined) return undefined;
    const { source, facts } = known;
    const requires = edgesOf(name, shownPath(source.path, prefix), facts, searchPath.cwd);
    return { name, path: source.path, file: source.file, hash: source.hash, probes, requires };
  };

  return {
    update({ present, absent }, facts) {
      const names = new Set<string>();
      const touch = (path: string) => {
        for (const name of possibleNames(path)) names.add(name);
      };
      for (const path of absent) {
        touch(path);
        files.delete(path);
      }
      for (const source of present) {
        files.set(source.path, { source, facts: facts.get(source.hash) });
        touch(source.path);
      }
      const described: StaticModule[] = [];
      const withdrawn: string[] = [];
      for (const name of names) {
        const module = describe(name);
        if (module !== undefined) {
          modules.set(name, module);
          described.push(module);
          // A Set goes on over what is added to it meanwhile.
          for (const { to } of module.requires) if (isChunkName(to) && !modules.has(to)) names.add(to);
        } else if (modules.delete(name)) withdrawn.push(name);
      }
      return { described, withdrawn };
    },
    module: (name) => modules.get(name),
    modules: () => modules.values(),
    *edges() {
      for (const { requires } of modules.values()) yield* requires;
    },
    namesOf: (path) => possibleNames(path).filter((name) => modules.get(name)?.path === path),
  };
}

/** Like the VMs name files that run as chunks of their own (src/lua/files.ts). */
function chunkName(path: string): string {
  return `@${path}`;
}

function isChunkName(name: string): boolean {
  return name.startsWith("@");
}

/** The strongest edge to each name: `load` before `call`, then the first in the text. */
function edgesOf(from: string, file: string, facts: SourceFacts | undefined, cwd: string): readonly Edge[] {
  if (facts === undefined) return [];
  const edges = new Map<string, Edge>();
  const connect = (to: string, kind: Edge["kind"], line: number) => {
    const known = edges.get(to);
    if (to === from || (known !== undefined && (known.kind === "load" || kind === "call"))) return;
    edges.set(to, { from, to, kind, at: `${file}:${line}`, static: true });
  };
  for (const { name, kind, line } of facts.requires) connect(canonicalName(name), kind, line);
  // A file is run anew each time, whenever that is: the VMs call such an edge `call`.
  for (const { path, line } of facts.fileLoads) connect(chunkName(posix.resolve(cwd, path)), "call", line);
  return [...edges.values()];
}
