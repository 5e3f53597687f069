/** The way of a change, from a trigger to its outcome; one change set at a time. */

import { EventEmitter } from "node:events";
import { performance } from "node:perf_hooks";
import type { Change } from "../core/change-set.ts";
import { closureOf } from "../core/closure.ts";
import type { Graph } from "../core/graph.ts";
import type { SourceFile } from "../core/manifest.ts";
import type { LoadError, Outcome, OutcomeKind, Trigger } from "../core/outcome.ts";
import type { PinnedWhy } from "../core/pins.ts";
import { type Plan, planChange } from "../core/plan.ts";
import { candidates, namesOf, resolve, type SearchPath } from "../core/search-path.ts";
import type { Source, SourceStep } from "../source/contract.ts";
import type { GraphFeed } from "./graph-feed.ts";
import { History } from "./history.ts";
import type { ManifestStore } from "./manifest-store.ts";
import type { Bytecode, Canary, Target } from "./target.ts";

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
  readonly reason?: string;
}

export interface ReloaderParts {
  readonly source: Source;
  readonly store: ManifestStore;
  readonly graph: Graph;
  readonly feed: GraphFeed;
  readonly searchPath: SearchPath;
  readonly pinnedWhy: PinnedWhy;
  /** Undefined with `preflight: "off"`. */
  readonly canary: Canary | undefined;
  readonly target: Target;
  /** `load`: affected modules must load in the canary; `compile`: changed files must compile. */
  readonly preflight: "load" | "compile" | "off";
  readonly history: number;
}

export interface ReloaderEvents {
  plan: [plan: Plan, changes: readonly Change[]];
  outcome: [outcome: Outcome];
}

/** How long an outcome waits for VMs to report that they have moved; a busy one is not waited for. */
const reportWithinMs = 50;

/** A change set on its way. */
interface Journey {
  readonly trigger: Trigger;
  readonly request: ReloadRequest;
  readonly startedAt: number;
  readonly began: number;
  scanMs: number;
  planMs: number;
  canaryMs: number;
  commitMs: number;
}

export class Reloader {
  readonly #parts: ReloaderParts;
  readonly #events = new EventEmitter<ReloaderEvents>();
  readonly #history: History;
  #lastId = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #underWay = 0;
  #watchQueued = false;
  #rejected: Outcome | undefined;

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
    this.#history = new History(parts.history);
  }

  /** A change set is on its way, or waits for its turn. */
  get busy(): boolean {
    return this.#underWay > 0;
  }

  /** The rejection that stands: what differs on disk did not load. */
  get rejected(): Outcome | undefined {
    return this.#rejected;
  }

  get history(): History {
    return this.#history;
  }

  on<E extends keyof ReloaderEvents>(event: E, listener: (...args: ReloaderEvents[E]) => void): void {
    (this.#events as EventEmitter).on(event, listener as (...args: unknown[]) => void);
  }

  /** Brings every VM to what is on disk now; resolves with the outcome, never rejects for what Lua code does. */
  reload(request: ReloadRequest, trigger: Trigger): Promise<Outcome> {
    return this.#inTurn(async () => {
      const journey = begin(request, trigger);
      const targeted = request.names !== undefined || request.files !== undefined;
      const paths = targeted ? this.#pathsOf(request) : undefined;
      const step = await this.#parts.source.reconcile(
        paths ? { paths: [...paths], force: request.force ?? false } : "all",
      );
      this.#parts.store.takeStep(step);
      journey.scanMs = performance.now() - journey.began;
      return this.#bring(
        journey,
        this.#parts.store.changes(paths),
        this.#requested(request),
        fromDisk(this.#parts.store),
      );
    });
  }

  /** The watcher settled on a step: it becomes a change set, together with all that waits by then. */
  takeStep(step: SourceStep): void {
    this.#parts.store.takeStep(step);
    if (this.#watchQueued) return;
    this.#watchQueued = true;
    void this.#inTurn(async () => {
      this.#watchQueued = false;
      const journey = begin({}, "watch");
      return this.#bring(journey, this.#parts.store.changes(), [], fromDisk(this.#parts.store));
    });
  }

  /** The plan for a change at `paths`, as if their content had changed; nothing happens. */
  planFor(paths: readonly string[]): Plan {
    const changes = paths.map((path): Change => {
      const was = this.#parts.store.active.get(path)?.hash;
      return was === undefined
        ? { path, kind: "added", hash: "?" }
        : { path, kind: "changed", was, hash: "?" };
    });
    return this.#plan(changes, [], fromDisk(this.#parts.store));
  }

  /** One change set at a time; the next one waits. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    this.#underWay++;
    const turn = this.#tail.then(run);
    this.#tail = turn
      .catch(() => undefined)
      .then(() => {
        this.#underWay--;
      });
    return turn;
  }

  async #bring(
    journey: Journey,
    changes: readonly Change[],
    requested: readonly string[],
    next: (path: string) => SourceFile | undefined,
  ): Promise<Outcome> {
    const { store, canary, preflight } = this.#parts;
    const planBegan = performance.now();
    // The disk goes on while the canary loads: what was planned is what is rehearsed and committed.
    const settled = new Map(changes.map(({ path }) => [path, next(path)]));
    const files = (path: string) => settled.get(path);
    const plan = this.#plan(changes, requested, files);
    journey.planMs = performance.now() - planBegan;
    this.#events.emit("plan", plan, changes);
    if (journey.request.dryRun) return this.#tell(journey, "planned", { changes, plan });
    if (changes.length === 0 && plan.evict.length === 0) {
      if (store.changes().length === 0) this.#rejected = undefined;
      return this.#tell(journey, "unchanged", { changes, plan });
    }

    const order = {
      generation: store.generation + 1,
      manifest: store.parcel(settled.keys(), files),
      evict: plan.evict.map((member) => member.name),
      roots: plan.roots,
      load: plan.load,
    };
    let bytecode: Bytecode = new Map();
    if (canary) {
      const canaryBegan = performance.now();
      const rehearsed = await canary.rehearse({
        ...order,
        compile: changes.filter((change) => change.kind !== "removed").map((change) => change.path),
        load: preflight === "load" ? order.load : undefined,
      });
      journey.canaryMs = performance.now() - canaryBegan;
      if (rehearsed.errors.length > 0)
        return this.#tell(journey, "rejected", { changes, plan, errors: rehearsed.errors });
      bytecode = rehearsed.bytecode;
    }
    return this.#commit(journey, { changes, plan, files, order: { ...order, bytecode } });
  }

  async #commit(
    journey: Journey,
    {
      changes,
      plan,
      files,
      order,
    }: {
      readonly changes: readonly Change[];
      readonly plan: Plan;
      readonly files: (path: string) => SourceFile | undefined;
      readonly order: Parameters<Target["commit"]>[0];
    },
  ): Promise<Outcome> {
    const { store, target, canary, feed } = this.#parts;
    const commitBegan = performance.now();
    // One turn of the main thread: from here to the end of target.commit nothing may wait (Invariant 2).
    store.commit(
      changes.map((change) => change.path),
      files,
    );
    target.commit(order);
    feed.committed(order.generation, order.evict);
    canary?.adopt(order);
    journey.commitMs = performance.now() - commitBegan;
    const vms = await target.applied(order.generation, reportWithinMs);
    return this.#tell(journey, "committed", { changes, plan, vms });
  }

  #plan(
    changes: readonly Change[],
    requested: readonly string[],
    next: (path: string) => SourceFile | undefined,
  ): Plan {
    const { graph, pinnedWhy, searchPath, store } = this.#parts;
    const changed = new Set(changes.map((change) => change.path));
    const exists = (path: string) => (changed.has(path) ? next(path) !== undefined : store.active.has(path));
    return planChange({
      changes,
      requested,
      graph,
      pinnedWhy,
      namesOf: (path) => namesOf(searchPath, path, exists),
      resolves: (name) =>
        resolve(searchPath, name, exists).path !== undefined || isUnwatched(graph, store, name),
    });
  }

  /** Names to evict though nothing changed. */
  #requested(request: ReloadRequest): readonly string[] {
    const { graph } = this.#parts;
    const held = [...graph.modules()].filter((module) => module.vms.size > 0).map((module) => module.name);
    if (request.all) return held;
    if (!request.force) return [];
    const files = new Set(request.files);
    return [...(request.names ?? []), ...held.filter((name) => files.has(graph.module(name)?.path ?? ""))];
  }

  /** The paths that a request by name or file is about: of the closure's files, and where the names would be found. */
  #pathsOf(request: ReloadRequest): ReadonlySet<string> {
    const { graph, searchPath, pinnedWhy } = this.#parts;
    const paths = new Set(request.files);
    const names = (request.names ?? []).filter((name) => pinnedWhy(name) === undefined);
    const aliases = (name: string) => {
      const file = graph.module(name)?.file;
      return file === undefined ? [] : graph.namesOfFile(file);
    };
    const closure = closureOf(
      {
        dependents: (name) => graph.dependents(name),
        aliases,
        stops: (name) => pinnedWhy(name) !== undefined,
      },
      names,
    );
    for (const { name } of closure.members) {
      const path = graph.module(name)?.path;
      if (path !== undefined) paths.add(path);
    }
    for (const name of names) for (const { path } of candidates(searchPath, name)) paths.add(path);
    return paths;
  }

  #tell(
    journey: Journey,
    kind: OutcomeKind,
    what: {
      readonly changes: readonly Change[];
      readonly plan: Plan;
      readonly errors?: readonly LoadError[];
      readonly vms?: Outcome["vms"];
    },
  ): Outcome {
    const outcome: Outcome = {
      id: ++this.#lastId,
      outcome: kind,
      generation: this.#parts.store.generation,
      trigger: journey.trigger,
      reason: journey.request.reason,
      startedAt: journey.startedAt,
      durationMs: performance.now() - journey.began,
      stages: {
        scanMs: journey.scanMs,
        planMs: journey.planMs,
        canaryMs: journey.canaryMs,
        commitMs: journey.commitMs,
      },
      changes: what.changes,
      evicted: what.plan.evict,
      kept: what.plan.kept,
      vms: what.vms ?? [],
      errors: what.errors ?? [],
      recycleRequired: what.plan.recycleRequired,
    };
    if (kind === "committed") this.#rejected = undefined;
    if (kind === "rejected") this.#rejected = outcome;
    if (kind === "committed" || kind === "rejected") this.#history.add(outcome);
    this.#events.emit("outcome", outcome);
    return outcome;
  }
}

function begin(request: ReloadRequest, trigger: Trigger): Journey {
  return {
    trigger,
    request,
    startedAt: Date.now(),
    began: performance.now(),
    scanMs: 0,
    planMs: 0,
    canaryMs: 0,
    commitMs: 0,
  };
}

function fromDisk(store: ManifestStore): (path: string) => SourceFile | undefined {
  return (path) => store.disk.get(path);
}

/** A module that came from outside of the watched folders: nothing that changed can have taken it away. */
function isUnwatched(graph: Graph, store: ManifestStore, name: string): boolean {
  const path = graph.module(name)?.path;
  return path !== undefined && !store.active.has(path) && graph.module(name)?.hash === undefined;
}
