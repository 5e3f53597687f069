/** From a request to paths, names and a plan: asks the graph, the search path and the two manifests. */

import type { Change } from "../core/change-set.ts";
import { closureOf, dependentsIn } from "../core/closure.ts";
import type { Graph } from "../core/graph.ts";
import type { SourceFile } from "../core/manifest.ts";
import type { LoadError } from "../core/outcome.ts";
import type { PinnedWhy } from "../core/pins.ts";
import { type Plan, planChange } from "../core/plan.ts";
import { candidates, namesOf, resolve, type SearchPath } from "../core/search-path.ts";
import type { ManifestStore } from "./manifest-store.ts";

/** What to bring up to date; `{}` is everything that differs on disk now. */
export interface ReloadRequest {
  /** Module names: they, their aliases and their dependents alone. */
  readonly names?: readonly string[];
  /** Absolute paths: what changed at these alone. */
  readonly files?: readonly string[];
  /** Every module that may be evicted, changed or not. */
  readonly all?: boolean;
  /** Evict what `names` and `files` say though nothing changed. */
  readonly force?: boolean;
  /** Plan only. */
  readonly dryRun?: boolean;
  /** Kept in the history. */
  readonly reason?: string;
  /** Milliseconds to wait until every VM and every worker of the targets has applied it. */
  readonly waitMs?: number;
}

/** The file at a path in the manifest to be. */
export type NextFile = (path: string) => SourceFile | undefined;

export interface PlannerParts {
  readonly store: ManifestStore;
  readonly graph: Graph;
  readonly searchPath: SearchPath;
  readonly pinnedWhy: PinnedWhy;
}

export class Planner {
  readonly #parts: PlannerParts;

  constructor(parts: PlannerParts) {
    this.#parts = parts;
  }

  /** @param request what of it was not evicted is kept with a reason */
  plan(
    changes: readonly Change[],
    requested: readonly string[],
    next: NextFile,
    request: ReloadRequest = {},
  ): Plan {
    const { graph, pinnedWhy, searchPath, store } = this.#parts;
    const changed = new Set(changes.map((change) => change.path));
    const exists = (path: string) => (changed.has(path) ? next(path) !== undefined : store.active.has(path));
    return planChange({
      changes,
      requested,
      asked: this.#asked(request),
      graph,
      pinnedWhy,
      namesOf: (path) => namesOf(searchPath, path, exists),
      resolves: (name) => resolve(searchPath, name, exists).path !== undefined || this.#isUnwatched(name),
    });
  }

  /** The plan as if the content at `paths` had changed. */
  planFor(paths: readonly string[]): Plan {
    const { store } = this.#parts;
    const changes = paths.map((path): Change => {
      const was = store.active.get(path)?.hash;
      return was === undefined
        ? { path, kind: "added", hash: "?" }
        : { path, kind: "changed", was, hash: "?" };
    });
    return this.plan(changes, [], (path) => store.disk.get(path) ?? store.active.get(path));
  }

  /** Names to evict though nothing changed. */
  requested(request: ReloadRequest): readonly string[] {
    const { graph } = this.#parts;
    const loaded = [...graph.modules()]
      .filter((module) => module.vms.size > 0 || module.described)
      .map((module) => module.name);
    if (request.all) return loaded;
    if (!request.force) return [];
    const files = new Set(request.files);
    return [...(request.names ?? []), ...loaded.filter((name) => files.has(graph.module(name)?.path ?? ""))];
  }

  /** The paths that a request by name or file is about; undefined when it is about everything. */
  pathsOf(request: ReloadRequest): ReadonlySet<string> | undefined {
    if (request.names === undefined && request.files === undefined) return undefined;
    const { graph, searchPath, pinnedWhy } = this.#parts;
    const paths = new Set(request.files);
    const names = (request.names ?? []).filter((name) => pinnedWhy(name) === undefined);
    const { members } = closureOf(dependentsIn(graph, pinnedWhy), names);
    for (const { name } of members) {
      const path = graph.module(name)?.path;
      if (path !== undefined) paths.add(path);
    }
    for (const name of names) for (const { path } of candidates(searchPath, name)) paths.add(path);
    return paths;
  }

  /**
   * Whether the change set can have made this go wrong. That the canary does not find a module which VMs found by means
   * of their own, a `package.path` or a searcher that Lua code set up when it was called, says nothing of the change.
   */
  isFault({ notFound }: LoadError, changes: readonly Change[]): boolean {
    const { graph, searchPath, store } = this.#parts;
    const record = notFound === undefined ? undefined : graph.module(notFound);
    if (record === undefined || record.vms.size === 0) return true;
    if (resolve(searchPath, record.name, (path) => store.active.has(path)).path !== undefined) return true;
    return changes.some(({ path, kind }) => kind === "removed" && path === record.path);
  }

  /** Names that a request is about, by themselves or by their files. */
  #asked({ names = [], files = [] }: ReloadRequest): readonly string[] {
    const { graph, searchPath, store } = this.#parts;
    const ofFiles = files.flatMap((path) => {
      const loaded = [...graph.namesTouching(path)].filter((name) => graph.module(name)?.path === path);
      const leading = namesOf(searchPath, path, (other) => store.active.has(other));
      return loaded.length > 0
        ? loaded
        : leading.flatMap(({ name, shadowedBy }) => (shadowedBy === undefined ? [name] : []));
    });
    return [...names, ...ofFiles];
  }

  /** A module that came from outside of the watched folders: nothing that changed can have taken it away. */
  #isUnwatched(name: string): boolean {
    const record = this.#parts.graph.module(name);
    return (
      record?.path !== undefined && record.hash === undefined && !this.#parts.store.active.has(record.path)
    );
  }
}
