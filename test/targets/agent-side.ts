/** What an agent is to its targets: two manifests, a graph, plans and generations, without disk, watcher and VMs. */

import { createHash } from "node:crypto";
import { type Change, changesBetween } from "../../src/core/change-set.ts";
import { closureOf, dependentsIn } from "../../src/core/closure.ts";
import type { Delivery } from "../../src/core/delivery.ts";
import { createGraph } from "../../src/core/graph.ts";
import type { SourceFile } from "../../src/core/manifest.ts";
import { createPins, withHotPins } from "../../src/core/pins.ts";
import { planChange } from "../../src/core/plan.ts";
import { GraphFeed } from "../../src/reload/graph-feed.ts";
import type { HostTarget } from "../../src/reload/target.ts";
import type { KnownContent, TargetContext } from "../../src/targets/targets.ts";

export interface AgentSideOptions {
  readonly agent?: string;
  /** Default `/srv`. */
  readonly prefix?: string;
  readonly pinned?: readonly string[];
}

/** Texts by absolute path. */
type Texts = Readonly<Record<string, string | null>>;

export class AgentSide {
  readonly graph = createGraph();
  readonly logged: string[] = [];
  readonly context: TargetContext;
  readonly #prefix: string;
  readonly #feed = new GraphFeed(this.graph);
  readonly #contents = new Map<string, Uint8Array>();
  readonly #active = new Map<string, SourceFile>();
  readonly #disk = new Map<string, SourceFile>();
  #generation = 1;
  #workers = 0;

  /** Generation 1 has the files of `texts`. */
  constructor(texts: Texts, { agent = "agent-1", prefix = "/srv", pinned = [] }: AgentSideOptions = {}) {
    this.#prefix = prefix;
    this.onDisk(texts);
    for (const [path, file] of this.#disk) this.#active.set(path, file);
    const pinnedWhy = withHotPins(
      createPins(pinned),
      (name) => (this.graph.module(name)?.pinnedIn.size ?? 0) > 0,
    );
    this.context = {
      agent,
      prefix,
      generation: () => this.#generation,
      active: (path) => this.#known(this.#active.get(path)),
      onDisk: (path) => this.#known(this.#disk.get(path)),
      closure: (names) => closureOf(dependentsIn(this.graph, pinnedWhy), names).members,
      observed: (worker, batch) => this.#feed.observed(worker, batch),
      gone: (worker) => this.#feed.vmGone(worker),
      nextWorker: () => ++this.#workers,
      pinnedWhy,
      log: (level, message) => this.logged.push(`${level}: ${message}`),
    };
  }

  get generation(): number {
    return this.#generation;
  }

  /** The source has seen these on the disk; nothing is committed. */
  onDisk(texts: Texts): void {
    for (const [path, text] of Object.entries(texts)) {
      if (text === null) {
        this.#disk.delete(path);
        continue;
      }
      const bytes = new TextEncoder().encode(text);
      const hash = createHash("sha1").update(bytes).digest("hex").slice(0, 16);
      this.#contents.set(hash, bytes);
      this.#disk.set(path, {
        path,
        file: path,
        hash,
        content: { arena: 0, offset: 0, length: bytes.length },
      });
    }
  }

  /** What is on the disk becomes the next generation, and is committed to the targets; `requested` is evicted as well. */
  commit(texts: Texts, targets: readonly HostTarget[], requested: readonly string[] = []): Delivery {
    this.onDisk(texts);
    const delivery = this.deliveryOf(
      changesBetween(new Set([...this.#active.keys(), ...this.#disk.keys()]), this.#active, this.#disk),
      requested,
    );
    this.activate(delivery, targets);
    return delivery;
  }

  /** What is on the disk becomes the next generation, by a plan that was made before. */
  activate(delivery: Delivery, targets: readonly HostTarget[]): void {
    this.#active.clear();
    for (const [path, file] of this.#disk) this.#active.set(path, file);
    this.#generation = delivery.generation;
    for (const target of targets) target.commit(delivery);
    for (const name of delivery.evict) this.graph.disconnect(name);
  }

  deliveryOf(changes: readonly Change[], requested: readonly string[] = []): Delivery {
    const plan = planChange({
      changes,
      requested,
      graph: this.graph,
      pinnedWhy: this.context.pinnedWhy,
      namesOf: (path) => [{ name: this.nameOf(path) }],
      resolves: () => true,
    });
    return {
      generation: this.#generation + 1,
      manifest: { present: [], absent: [], arenas: new Map() },
      evict: plan.evict.map((member) => member.name),
      roots: plan.roots,
      load: plan.load,
      bytecode: [],
      evicted: plan.evict,
      changes,
      kept: plan.kept,
      recycleRequired: plan.recycleRequired,
    };
  }

  /** `/srv/a/b.lua` is `a.b`. */
  nameOf(path: string): string {
    return path.slice(this.#prefix.length + 1, -".lua".length).replaceAll("/", ".");
  }

  #known(file: SourceFile | undefined): KnownContent | undefined {
    if (!file) return undefined;
    return { file: file.file, hash: file.hash, bytes: () => this.#contents.get(file.hash) as Uint8Array };
  }
}

/** A delivery that evicts these names, for targets that need no more. */
export function deliveryOf(generation: number, more: Partial<Delivery> = {}): Delivery {
  const evicted = more.evicted ?? [{ name: `m${generation}`, because: [`m${generation}`] }];
  return {
    generation,
    manifest: { present: [], absent: [], arenas: new Map() },
    evict: evicted.map((member) => member.name),
    roots: [],
    load: [],
    bytecode: [],
    evicted,
    changes: [],
    kept: [],
    recycleRequired: [],
    ...more,
  };
}
