/** The hosts beside the agent: its targets with what they need, and the graph and the check where no VM of ours loads the code. */

import { randomUUID } from "node:crypto";
import type { Config } from "./config/index.ts";
import { closureOf, dependentsIn } from "./core/closure.ts";
import type { Graph } from "./core/graph.ts";
import type { LogLevel } from "./core/log.ts";
import type { SourceFile } from "./core/manifest.ts";
import type { RehearsalOrder, Rehearsed } from "./core/move.ts";
import type { LoadError } from "./core/outcome.ts";
import type { PinnedWhy } from "./core/pins.ts";
import { isChunk } from "./core/plan.ts";
import type { SourceFacts } from "./core/source-facts.ts";
import type { GraphFeed } from "./reload/graph-feed.ts";
import type { ManifestStore } from "./reload/manifest-store.ts";
import type { Canary, HostTarget } from "./reload/target.ts";
import type { StaticSources } from "./static-sources.ts";
import { HostCanary } from "./targets/host-canary.ts";
import { createTargets, type KnownContent } from "./targets/targets.ts";

export interface HostSideParts {
  readonly store: ManifestStore;
  readonly graph: Graph;
  readonly feed: GraphFeed;
  readonly statics: StaticSources;
  readonly pinnedWhy: PinnedWhy;
  /** The canary of the agent's own VMs; undefined where it has none. */
  readonly canary: Canary | undefined;
  /** Numbers up to this one are the VMs'. */
  readonly lastVm: number;
  readonly hosting: boolean;
  readonly log: (level: LogLevel, message: string) => void;
}

export class HostSide implements Canary {
  readonly targets: readonly HostTarget[];
  readonly #parts: HostSideParts;
  /** Checks what no VM of ours loads. */
  readonly #check: HostCanary | undefined;
  /** What the sources of the order that was rehearsed last say. */
  #facts: ReadonlyMap<string, SourceFacts> = new Map();
  #lastWorker: number;

  constructor({ prefix, reload, targets }: Config, parts: HostSideParts) {
    this.#parts = parts;
    this.#lastWorker = parts.lastVm;
    const { store, graph, feed, pinnedWhy } = parts;
    this.targets = createTargets(targets, {
      agent: randomUUID(),
      prefix,
      generation: () => store.generation,
      active: (path) => this.#contentOf(store.active.get(path)),
      onDisk: (path) => this.#contentOf(store.disk.get(path)),
      closure: (names) =>
        closureOf(dependentsIn(graph, pinnedWhy), names).members.filter(({ name }) => !isChunk(name)),
      observed: (worker, batch) => feed.observed(worker, batch),
      gone: (worker) => feed.vmGone(worker),
      nextWorker: () => ++this.#lastWorker,
      pinnedWhy,
      log: parts.log,
    });
    if (!parts.hosting && reload.preflight !== "off")
      this.#check = new HostCanary({
        hostCheck: reload.hostCheck,
        prefix,
        timeoutMs: reload.canaryMs,
      });
  }

  /** The first generation is known: the graph learns what its sources say, then the targets find out where they stand. */
  async start(): Promise<void> {
    if (this.targets.length === 0) return;
    try {
      this.#describe(await this.#parts.statics.follow());
    } catch (error) {
      this.#withoutFacts(error);
    }
    for (const target of this.targets) target.start();
  }

  async rehearse(order: RehearsalOrder): Promise<Rehearsed> {
    const { canary } = this.#parts;
    const [facts, rehearsed] = await Promise.all([this.#factsOf(order), canary?.rehearse(order)]);
    this.#facts = facts;
    if (rehearsed) return rehearsed;
    const errors = this.#check ? syntaxErrors(order, facts) : [];
    if (errors.length > 0 || !this.#check) return { errors, bytecode: [] };
    return this.#check.rehearse(order);
  }

  adopt(...[order]: Parameters<Canary["adopt"]>): void {
    this.#parts.canary?.adopt(order);
    if (this.targets.length > 0) this.#describe(this.#parts.statics.take(order.manifest, this.#facts));
    this.#facts = new Map();
  }

  async close(): Promise<void> {
    this.#check?.close();
    await Promise.all(this.targets.map((target) => target.close()));
  }

  /** The oldest generation that some worker may still tell of; undefined without workers. */
  get oldestGeneration(): number | undefined {
    const generations = this.targets.flatMap((target) =>
      target.status().workers.map(({ generation }) => generation ?? 0),
    );
    return generations.length === 0 ? undefined : Math.min(...generations);
  }

  /** Beside a host, a dependent may be loaded that no worker has told of: its source has to speak for it. */
  #describe({ described, withdrawn }: ReturnType<StaticSources["take"]>): void {
    for (const name of withdrawn) this.#parts.graph.withdraw(name);
    for (const { requires, ...module } of described) this.#parts.graph.describe(module, requires);
  }

  async #factsOf({ manifest }: RehearsalOrder): Promise<ReadonlyMap<string, SourceFacts>> {
    if (this.targets.length === 0) return new Map();
    try {
      return await this.#parts.statics.facts(manifest);
    } catch (error) {
      this.#withoutFacts(error);
      return new Map();
    }
  }

  #withoutFacts(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.#parts.log("error", `what modules require is known from workers alone: ${why}`);
  }

  #contentOf(source: SourceFile | undefined): KnownContent | undefined {
    if (source === undefined) return undefined;
    const { file, hash } = source;
    return { file, hash, bytes: () => this.#parts.store.bytes(source) };
  }
}

function syntaxErrors(
  { manifest, compile }: RehearsalOrder,
  facts: ReadonlyMap<string, SourceFacts>,
): readonly LoadError[] {
  const compiled = new Set(compile);
  return manifest.present.flatMap(({ path, hash }) => {
    const error = compiled.has(path) ? facts.get(hash)?.error : undefined;
    return error ? [{ path, line: error.line, message: error.message, requiredBy: [] }] : [];
  });
}
