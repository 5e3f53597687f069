/** One worker of nginx as its reports tell of it: what it has loaded, and whether that is what it should run. */

import type { Edge, ModuleObservation } from "../core/graph.ts";
import type { ContentTruth } from "./content-truth.ts";
import type { TargetContext } from "./context.ts";
import type { LoadedModule, WorkerRecord, WorkerReport } from "./nginx-protocol.ts";

/** Modules that are not what they should be, of one worker. */
export interface Drift {
  /** Names that an eviction brings up to date. */
  readonly stale: readonly string[];
  /** Names that may be among them at the next look: what was read off the disk just now may be about to be committed. */
  readonly doubtful: readonly string[];
}

/** A name that runs the same wrong bytes after as many evictions is left alone: its file is not the one that we watch. */
const mostRepairs = 2;
const mostNotes = 10;

export class NginxWorker {
  /** Among all workers and VMs of the agent. */
  readonly number: number;
  readonly #context: TargetContext;
  readonly #truth: ContentTruth;
  readonly #modules = new Map<string, LoadedModule>();
  /** Names whose content is not known to be the active one. */
  readonly #suspects = new Set<string>();
  /** Names that did not run a known content, with the md5 of what they ran, and the evictions that did not help. */
  readonly #strange = new Map<string, { readonly md5: string | undefined; looks: number; repairs: number }>();
  #notes: readonly string[] = [];
  record: WorkerRecord;

  constructor(number: number, record: WorkerRecord, context: TargetContext, truth: ContentTruth) {
    this.number = number;
    this.record = record;
    this.#context = context;
    this.#truth = truth;
  }

  get label(): string {
    return `worker ${this.record.id} (pid ${this.record.pid})`;
  }

  /** What went wrong in it, newest last. */
  get errors(): readonly string[] {
    return [...this.record.errors, ...this.record.recycle, ...this.#notes];
  }

  /** Names that it holds. */
  get names(): Iterable<string> {
    return this.#modules.keys();
  }

  /** @param generation the one that it had reached when it told this */
  take(report: WorkerReport, generation: number): void {
    if (report.whole) this.leave();
    const pinned = new Set(this.record.pinned);
    for (const name of report.unloaded) this.#forget(name);
    const loaded = report.loaded.map((module) => this.#load(module, generation, pinned.has(module.name)));
    const edges: readonly Edge[] = report.edges;
    this.#context.observed(this.number, { generation, loaded, unloaded: report.unloaded, edges });
  }

  /** It is gone, or holds nothing of what was known. */
  leave(): void {
    this.#modules.clear();
    this.#suspects.clear();
    this.#notes = [];
    this.#context.gone(this.number);
  }

  /** The content at these paths is another one now. */
  changed(paths: ReadonlySet<string>): void {
    for (const { name, path } of this.#modules.values()) if (paths.has(path)) this.#suspects.add(name);
  }

  /** Looks at what is in doubt again. */
  drift(): Drift {
    const stale: string[] = [];
    const doubtful: string[] = [];
    const notes: string[] = [];
    for (const name of this.#suspects) {
      const module = this.#modules.get(name);
      const { verdict, path } = module ? this.#truth.judge(module) : { verdict: "active" as const, path: "" };
      if (module === undefined || verdict === "active" || verdict === "unknown") {
        this.#suspects.delete(name);
        this.#strange.delete(name);
        continue;
      }
      const kept = this.#whyKept(name);
      const strange = this.#seenAgain(module);
      if (verdict === "uncommitted")
        notes.push(`${name} runs ${path} as it is on the disk, which is not committed`);
      else if (kept !== undefined)
        notes.push(
          `${name} runs another content of ${path} and is ${kept}: only a new worker takes the change`,
        );
      else if (strange.repairs >= mostRepairs)
        notes.push(
          `${name} runs a content that is not that of ${path} as the agent sees it, also after an eviction`,
        );
      else if (strange.looks > 1) stale.push(name);
      else doubtful.push(name);
    }
    this.#notes =
      notes.length > mostNotes ? [...notes.slice(0, mostNotes), `${notes.length - mostNotes} more`] : notes;
    return { stale, doubtful };
  }

  /** These are about to be evicted because of what they run. */
  repairing(names: Iterable<string>): void {
    for (const name of names) {
      const strange = this.#strange.get(name);
      if (!strange) continue;
      strange.repairs++;
      strange.looks = 0;
    }
  }

  #seenAgain({ name, md5 }: LoadedModule): { readonly looks: number; readonly repairs: number } {
    const before = this.#strange.get(name);
    const strange = before?.md5 === md5 && before ? before : { md5, looks: 0, repairs: 0 };
    strange.looks++;
    this.#strange.set(name, strange);
    return strange;
  }

  #whyKept(name: string): string | undefined {
    return this.record.pinned.includes(name) ? "pinned (hot.pin)" : this.#context.pinnedWhy(name);
  }

  #load(module: LoadedModule, generation: number, pinned: boolean): ModuleObservation {
    const { verdict, path, content } = this.#truth.judge(module);
    const { name } = module;
    this.#modules.set(name, { ...module, path });
    if (verdict === "active" || verdict === "unknown") {
      this.#suspects.delete(name);
      this.#strange.delete(name);
    } else this.#suspects.add(name);
    const hash = content?.hash;
    const file = content?.file ?? this.#context.active(path)?.file ?? path;
    return {
      name,
      path,
      file,
      ...(hash !== undefined && { hash }),
      probes: [],
      held: true,
      generation,
      pinned,
    };
  }

  #forget(name: string): void {
    this.#modules.delete(name);
    this.#suspects.delete(name);
  }
}
