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
  /** Names that lead to this path: canonical ones, and spellings in use; `@path` for a file that no name can reach. */
  namesOf(path: string): readonly string[];
}

export function createStaticGraph({ searchPath, prefix }: StaticGraphOptions): StaticGraph {
  const files = new Map<string, { readonly source: SourceFile; readonly facts: SourceFacts | undefined }>();
  const modules = new Map<string, StaticModule>();
  const exists = (path: string) => files.has(path);
  /** Spellings that sources use of a canonical name, `lib/x` of `lib.x`, with the number of modules that do. */
  const spellings = new Map<string, Map<string, number>>();

  const isSpelled = (name: string) => (spellings.get(canonicalName(name))?.get(name) ?? 0) > 0;
  /** Counts who uses a spelling; returns whether the first came, or the last went. */
  const spell = (name: string, change: 1 | -1): boolean => {
    const canonical = canonicalName(name);
    const known = spellings.get(canonical) ?? new Map<string, number>();
    const uses = (known.get(name) ?? 0) + change;
    if (uses > 0) known.set(name, uses);
    else known.delete(name);
    if (known.size > 0) spellings.set(canonical, known);
    else spellings.delete(canonical);
    return uses === 0 || (uses === 1 && change === 1);
  };

  /** Names of a file in every state of the others: shadowed ones as well, and that of a file run by path. */
  const possibleNames = (path: string): readonly string[] => {
    const names = namesOf(searchPath, path, exists).flatMap(({ name }) => [
      name,
      ...(spellings.get(name)?.keys() ?? []),
    ]);
    return names.length === 0 || modules.has(chunkName(path)) ? [...names, chunkName(path)] : names;
  };

  /** What a name leads to now. */
  const describe = (name: string): StaticModule | undefined => {
    if (isOtherSpelling(name) && !isSpelled(name)) return undefined;
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
      const before = new Map<string, StaticModule | undefined>();
      // A Set goes on over what is added to it meanwhile.
      for (const name of names) {
        const was = modules.get(name);
        const module = describe(name);
        if (!before.has(name)) before.set(name, was);
        if (module !== undefined) modules.set(name, module);
        else modules.delete(name);
        const again = [
          ...spellingsIn(was).filter((to) => spell(to, -1)),
          ...spellingsIn(module).filter((to) => spell(to, 1)),
          ...(module?.requires ?? []).flatMap(({ to }) => (isChunkName(to) && !modules.has(to) ? [to] : [])),
        ];
        for (const to of again) {
          names.delete(to);
          names.add(to);
        }
      }
      const described = [...before.keys()].flatMap((name) => modules.get(name) ?? []);
      const withdrawn = [...before].flatMap(([name, was]) => (was && !modules.has(name) ? [name] : []));
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

/** Another spelling than the canonical one: VMs keep an instance of its own for it. */
function isOtherSpelling(name: string): boolean {
  return !isChunkName(name) && canonicalName(name) !== name;
}

function spellingsIn(module: StaticModule | undefined): readonly string[] {
  return (module?.requires ?? []).map(({ to }) => to).filter(isOtherSpelling);
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
  for (const { name, kind, line } of facts.requires) connect(name, kind, line);
  // A file is run anew each time, whenever that is: the VMs call such an edge `call`.
  for (const { path, line } of facts.fileLoads) connect(chunkName(posix.resolve(cwd, path)), "call", line);
  return [...edges.values()];
}
