/**
 * An agent without threads and with a simple reader of the disk: the real manifests, graph, planner and reloader, over
 * VMs of this thread that move when they are asked. It starts in milliseconds, and each of its VMs has a number.
 */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { orderOf } from "../../src/core/delivery.ts";
import { createGraph, type Graph } from "../../src/core/graph.ts";
import type { ContentRef, SourceFile } from "../../src/core/manifest.ts";
import type { ActivationOrder } from "../../src/core/move.ts";
import type { Outcome } from "../../src/core/outcome.ts";
import { createPins } from "../../src/core/pins.ts";
import { parseSearchPath, type SearchPath, sourceRoots } from "../../src/core/search-path.ts";
import { ManifestView } from "../../src/lua/manifest-view.ts";
import { rehearse } from "../../src/lua/rehearsal.ts";
import { LuaVm } from "../../src/lua/vm.ts";
import { GraphFeed } from "../../src/reload/graph-feed.ts";
import { ManifestStore } from "../../src/reload/manifest-store.ts";
import { Reloader, type ReloadRequest } from "../../src/reload/reloader.ts";
import type { Canary, Target } from "../../src/reload/target.ts";
import type { Source, SourceStep } from "../../src/source/contract.ts";
import { resultOf } from "../lua/vm-harness.ts";

/** Changes a graph before it is used: the main thread's, and that of each VM. */
export type Distort = (graph: Graph) => Graph;

export interface InProcessOptions {
  /** Absolute; relative templates start here. */
  readonly root: string;
  readonly luaPackagePath: string;
  readonly vms: number;
  readonly preflight: "load" | "compile" | "off";
  /** Run in each new VM. */
  readonly initBy: string;
  readonly distort?: Distort | undefined;
  /** Hears what a VM has evicted on its way to a generation. */
  readonly evicted?: (generation: number, names: ReadonlySet<string>) => void;
}

const allowance = { deadlineMs: 5_000, instructions: 0, context: undefined };

interface Seat {
  vm: LuaVm;
  /** Commits that it has not applied yet. */
  readonly queue: ActivationOrder[];
  /** Whether it loads at once what it evicts. */
  warm: boolean;
}

export class InProcessAgent {
  readonly reloader: Reloader;
  readonly graph: Graph;
  readonly store = new ManifestStore(100);
  readonly #options: InProcessOptions;
  readonly #searchPath: SearchPath;
  readonly #feed: GraphFeed;
  readonly #seats: Seat[] = [];
  readonly #scan: () => SourceStep;

  constructor(options: InProcessOptions) {
    this.#options = options;
    this.#searchPath = parseSearchPath(options.luaPackagePath, { prefix: options.root, cwd: options.root });
    const graph = createGraph();
    this.graph = options.distort?.(graph) ?? graph;
    this.#feed = new GraphFeed(this.graph);
    this.#scan = diskReader(this.#searchPath);
    this.store.begin(this.#scan());
    this.reloader = new Reloader({
      source: {
        reconcile: async () => this.#scan(),
        status: () => ({ mode: "manual" }),
      } as unknown as Source,
      store: this.store,
      graph: this.graph,
      feed: this.#feed,
      searchPath: this.#searchPath,
      pinnedWhy: createPins([]),
      canary: options.preflight === "off" ? undefined : this.#canary(),
      pool: this.#pool(),
      targets: [],
      preflight: options.preflight,
      history: 100,
      oneNamePerFile: false,
      recycle: false,
    });
    for (let i = 0; i < options.vms; i++) this.#seats.push(this.#seat());
  }

  reload(request: ReloadRequest = {}): Promise<Outcome> {
    return this.reloader.reload(request, "call");
  }

  /** How many VMs there are. */
  get vms(): number {
    return this.#seats.length;
  }

  /** Whether every VM has moved to the active generation, and told what it has. */
  get settled(): boolean {
    return this.#seats.every(({ queue }) => queue.length === 0);
  }

  /** From now on this VM loads at once what it evicts, or waits for somebody who asks for it. */
  setWarm(number: number, warm: boolean): void {
    this.#seats[number]!.warm = warm;
  }

  /** The VM dies; another one takes its place. */
  replace(number: number): void {
    this.#feed.vmGone(number + 1);
    this.#seats[number] = { ...this.#seat(), warm: this.#seats[number]!.warm };
  }

  /** Lets a VM move to the active generation, as it does before its next request. */
  move(number: number): void {
    const { vm, queue, warm } = this.#seats[number]!;
    for (const order of queue.splice(0)) {
      const evicted = new Set(vm.move(order, order.bytecode));
      this.#options.evicted?.(order.generation, evicted);
      if (warm) for (const name of order.load) if (evicted.has(name)) vm.load(name, allowance, () => {});
    }
    this.#tell(number);
    const { generation } = this.store;
    if (this.#seats.every((seat) => seat.vm.generations.active.generation === generation))
      this.#feed.reached(generation);
  }

  /** Runs a chunk in a VM, on the active generation; what it returns, or throws Lua's message. */
  ask(number: number, label: string, code: string): unknown {
    this.move(number);
    try {
      return run(this.#seats[number]!.vm, label, code);
    } finally {
      this.#tell(number);
    }
  }

  /** A VM that starts now, belonging to nobody. */
  fresh(): LuaVm {
    return this.#boot();
  }

  #seat(): Seat {
    return { vm: this.#boot(), queue: [], warm: false };
  }

  #boot(): LuaVm {
    const vm = new LuaVm({
      generation: this.store.generation,
      manifest: ManifestView.complete(this.store.snapshot()),
      packagePath: this.#searchPath.text,
      cwd: this.#options.root,
      pinned: [],
      print: () => {},
      printError: () => {},
    });
    const { distort } = this.#options;
    if (distort) Object.assign(vm.observations, { graph: distort(vm.observations.graph) });
    run(vm, "init_by", this.#options.initBy);
    return vm;
  }

  #tell(number: number): void {
    const { vm } = this.#seats[number]!;
    const news = vm.observations.take();
    if (news) this.#feed.observed(number + 1, { generation: vm.generations.active.generation, ...news });
  }

  #pool(): Target {
    return {
      name: "pool",
      commit: (delivery) => {
        for (const { queue } of this.#seats) queue.push(orderOf(delivery));
      },
      recycle: () => Promise.resolve(),
      applied: () => Promise.resolve({ target: "pool", applied: [], missing: [] }),
    };
  }

  #canary(): Canary {
    let rehearsed: LuaVm | undefined;
    let current: LuaVm | undefined;
    return {
      rehearse: async (order) => {
        const vm = current ?? this.#boot();
        current = undefined;
        const held = vm.generations.acquire();
        const result = rehearse(vm, {
          move: order,
          compile: order.compile,
          load: order.load,
          allowance,
          tellRequires: order.tellRequires,
        });
        vm.generations.release(held);
        rehearsed = result.errors.length === 0 ? vm : undefined;
        return result;
      },
      adopt: () => {
        current = rehearsed;
      },
    };
  }
}

/** Runs a chunk that must not suspend. */
export function run(vm: LuaVm, label: string, code: string): unknown {
  let result: unknown;
  vm.runChunk(
    label,
    code,
    allowance,
    (ended) => {
      result = resultOf(ended);
    },
    "read",
  );
  return result;
}

/** How the manifests here name a content. */
export function hashOf(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex").slice(0, 16);
}

/** Reads everything there is, each time, and says what differs from the time before. */
function diskReader(searchPath: SearchPath): () => SourceStep {
  const roots = sourceRoots(searchPath);
  let known: ReadonlyMap<string, SourceFile> = new Map();
  let sequence = 0;
  return () => {
    const now = new Map<string, SourceFile>();
    const arenas = new Map<number, SharedArrayBuffer>();
    for (const { folder, suffixes } of roots)
      for (const path of filesBelow(folder)) {
        if (now.has(path) || !suffixes.some((suffix) => path.endsWith(suffix))) continue;
        const bytes = readFileSync(path);
        const hash = hashOf(bytes);
        const file = realpathSync(path);
        const before = known.get(path);
        const isSame = before?.hash === hash && before.file === file;
        now.set(path, isSame ? before : { path, file, hash, content: keep(bytes, arenas) });
      }
    const present = [...now.values()].filter((file) => known.get(file.path) !== file);
    const absent = [...known.keys()].filter((path) => !now.has(path));
    known = now;
    return { sequence: ++sequence, present, absent, arenas };
  };
}

function* filesBelow(folder: string): Iterable<string> {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const path = join(folder, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isDirectory()) yield* filesBelow(path);
    else if (stats?.isFile()) yield path;
  }
}

let arenaCount = 0;

function keep(bytes: Uint8Array, arenas: Map<number, SharedArrayBuffer>): ContentRef {
  const arena = new SharedArrayBuffer(bytes.length);
  new Uint8Array(arena).set(bytes);
  arenas.set(++arenaCount, arena);
  return { arena: arenaCount, offset: 0, length: bytes.length };
}
