/** Decides when and where the disk is looked at: gathers hints, waits for quiet, and has a pass made. */

import { dirname } from "node:path";
import { performance } from "node:perf_hooks";
import type { SweepStatus } from "../core/status.ts";
import type { WatchSettings } from "../core/watch-settings.ts";
import type { SourceStatus } from "./contract.ts";
import type { DiskIndex } from "./disk-index.ts";
import { EventHints } from "./event-hints.ts";
import { EventTrust } from "./event-trust.ts";
import { isGitAtWork } from "./git-lock.ts";
import type { OpenHints } from "./hints.ts";
import type { ScanResult, Scope } from "./scan.ts";
import { type Due, Settle } from "./settle.ts";
import { type FileSystemType, type SharedMount, SharedMounts } from "./shared-mounts.ts";
import { SweepLoop } from "./sweep-loop.ts";
import type { Territory } from "./territory.ts";
import { TopsWatch } from "./tops-watch.ts";

/** What a watcher works on. */
export interface WatcherContext {
  readonly settings: WatchSettings;
  readonly territory: Territory;
  readonly index: DiskIndex;
  /** Makes a pass in its turn; what it found is published when `settled` says so, or with what a later pass finds. */
  pass(scope: Scope, settled: (found: ScanResult) => boolean): Promise<ScanResult>;
  /** What the watcher can be asked for may have changed. */
  changed(): void;
  warning(message: string): void;
  /** An error that nobody expected: the thread must be replaced. */
  failed(error: unknown): void;
}

/** A root that vanishes is often on its way back: a folder replaced by another, a link made anew. */
const rootGraceMs = 500;
/** After a folder is opened it is looked at once more, together with those that follow at once. */
const openedAgainMs = 10;

/** Watches until closed. */
export class Watcher {
  readonly #context: WatcherContext;
  readonly #settle: Settle;
  readonly #events: EventHints | undefined;
  readonly #tops: TopsWatch;
  readonly #sweeps: SweepLoop;
  readonly #trust = new EventTrust();
  readonly #mounts: SharedMounts;
  readonly #warned = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = 0;
  #looking: "no" | "hinted" | "again" = "no";
  #awaiting = false;
  /** No step tells yet of what was found by the last passes. */
  #keeping = false;
  #begun = false;
  #closed = false;
  #mode: SourceStatus["mode"];

  constructor(context: WatcherContext, openHints: OpenHints, typeOf: FileSystemType) {
    const { settings, territory, index } = context;
    this.#context = context;
    this.#settle = new Settle(settings);
    this.#mounts = new SharedMounts(typeOf);
    this.#mode = settings.polling ? "polling" : "events";
    if (!settings.polling) this.#events = new EventHints(this.#eventsContext(), openHints);
    this.#tops = new TopsWatch(
      territory,
      index,
      (folder) => this.#differs(folder, "event"),
      (points) => this.#events?.setTurningPoints(points),
    );
    this.#sweeps = new SweepLoop({
      index,
      sweepMs: settings.sweepMs,
      listener: {
        differs: (folder) => this.#differs(folder, "sweep"),
        unsure: (folder) => this.#lookAgain([folder], 0),
      },
      mode: () => this.mode,
      swept: () => context.changed(),
      failed: (error) => context.failed(error),
    });
  }

  get pending(): boolean {
    return this.#settle.pending || this.#looking === "hinted" || this.#awaiting;
  }

  /** True when a change is noticed, by an event or by frequent sweeps. */
  get live(): boolean {
    return this.#begun && this.#events?.live !== false;
  }

  get mode(): SourceStatus["mode"] {
    return this.#mode;
  }

  get sweep(): SweepStatus {
    return { lastAt: this.#sweeps.lastAt, costMs: this.#sweeps.costMs, missed: this.#trust.missed };
  }

  /** Begins, after the first pass. */
  begin(): void {
    this.#begun = true;
    this.#tops.check();
    this.#sweeps.plan();
    this.#context.changed();
  }

  /** To be told of every pass, whoever asked for it. */
  passed(result: ScanResult): void {
    if (this.#closed) return;
    this.#awaiting = result.awaiting;
    for (const [folder, afterMs] of result.again) this.#lookAgain([folder], afterMs);
    this.#events?.follow();
    this.#judgeMode();
  }

  /** Everything is about to be looked at: what waits for a pass will be in that one. */
  clear(): void {
    this.#settle.clear();
    this.#keeping = false;
    this.#trust.clear();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#tops.close();
    this.#sweeps.close();
    await this.#events?.close();
  }

  #eventsContext() {
    const { territory, index } = this.#context;
    return {
      territory,
      index,
      differs: (folder: string) => this.#differs(folder, "event"),
      prolong: () => this.#settle.prolong(performance.now()),
      opened: (folders: Iterable<string>) => this.#lookAgain(folders, openedAgainMs),
      turning: () => this.#tops.checkSoon(),
      changed: () => this.#judgeMode(),
      warning: (code: string, message: string) => this.#warnOnce(code, message),
    };
  }

  /** Sweeps take the place of events where these cannot tell of everything; what they do tell of is found sooner. */
  #judgeMode(): void {
    if (this.#events === undefined) return;
    const shared = this.#mounts.first(this.#context.index);
    if (shared !== undefined) this.#warnOnce(shared.kind, sharedMountText(shared));
    const reliable = !this.#events.failing && !this.#trust.lost && shared === undefined;
    const mode = reliable ? "events" : "sweep";
    if (mode !== this.#mode) {
      this.#mode = mode;
      this.#sweeps.plan();
    }
    this.#context.changed();
  }

  #differs(folder: string, by: "event" | "sweep"): void {
    const was = this.pending;
    this.#settle.hint(folder, by, performance.now());
    this.#armIn(this.#context.settings.settleMs);
    if (!was) this.#context.changed();
  }

  #lookAgain(folders: Iterable<string>, afterMs: number): void {
    const atMs = performance.now() + afterMs;
    for (const folder of folders) this.#settle.again(folder, atMs);
    this.#armIn(afterMs);
  }

  #armIn(delayMs: number): void {
    if (this.#closed || this.#looking !== "no") return;
    const atMs = performance.now() + delayMs;
    if (this.#timer !== undefined && this.#timerAtMs <= atMs) return;
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    // Events that arrived while the thread was busy are read after timers: let them have their say first.
    this.#timer = setTimeout(() => setImmediate(() => this.#fire()), Math.ceil(delayMs));
  }

  #fire(): void {
    this.#timer = undefined;
    if (this.#closed || this.#looking !== "no") return;
    const delayMs = this.#settle.dueInMs(performance.now(), () => this.#isGitAtWork());
    if (delayMs === undefined) return;
    if (delayMs > 0) this.#armIn(delayMs);
    else this.#look(this.#settle.take(performance.now())).catch((error) => this.#context.failed(error));
  }

  async #look(due: Due): Promise<void> {
    this.#looking = due.hinted ? "hinted" : "again";
    // While folders are being opened, or some cannot be, events are not expected to tell of everything.
    const complete = this.#events?.failing === false && this.live && !due.everything;
    // A second look that gets into somebody's writing leaves it to the pass after the quiet.
    const defer = () => !due.hinted && (this.#settle.pending || this.#isGitAtWork());
    // Between two sweeps there are no events for somebody's writing: that nothing was told is no quiet.
    const writingMs = due.quiet && this.mode === "events" ? 0 : this.#context.settings.settleMs;
    const scope: Scope = due.everything
      ? { kind: "all", rootGraceMs, writingMs }
      : { kind: "folders", folders: due.folders, rootGraceMs, writingMs, defer };
    const result = await this.#context.pass(scope, (found) => this.#isSettled(found, due));
    this.#looking = "no";
    this.#trust.heard(due.told, complete);
    if (!this.#keeping) this.#warnOfMissed(this.#trust.judge(result));
    this.#armIn(0);
    this.#judgeMode();
  }

  /** False: what was found is the beginning of something. One change set is to be one step. */
  #isSettled({ present, absent, fresh }: ScanResult, { folders, hinted, sinceMs }: Due): boolean {
    const nowMs = performance.now();
    const differing = [...present.map(({ path }) => path), ...absent];
    // In a folder that is new, much may have happened before anybody told.
    const untold = fresh.length > 0 || (this.#keeping && !this.live);
    const goesOn = untold || (differing.length > 0 && (this.#settle.pending || !hinted));
    this.#keeping = goesOn && nowMs < sinceMs + this.#context.settings.maxWaitMs;
    if (!this.#keeping) return true;
    if (!this.#settle.pending) {
      const unsettled = untold ? [...folders, ...fresh] : differing.map((path) => dirname(path));
      for (const folder of unsettled) this.#settle.hint(folder, "event", nowMs);
    }
    this.#settle.resume(sinceMs);
    return false;
  }

  #warnOfMissed(missed: number): void {
    if (this.#trust.lost) {
      this.#warnOnce(
        "lost",
        "again and again no event told of changed files: everything is compared every second until events do; where they never will, set watch.polling",
      );
    } else if (missed > 0 && this.#mode === "events") {
      this.#warnOnce(
        "missed",
        `${missed} changed files were found by the sweep, no event told of them; where that goes on, set watch.polling`,
      );
    }
  }

  #isGitAtWork(): boolean {
    return this.#context.territory.tops().some(({ folder, root }) => {
      const node = root ? this.#context.index.folder(folder) : undefined;
      return node !== undefined && isGitAtWork(node.real, Date.now());
    });
  }

  #warnOnce(key: string, message: string): void {
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#context.warning(message);
  }
}

function sharedMountText({ folder, kind }: SharedMount): string {
  return `${folder} is on a file system (${kind}) that tells of no change made elsewhere: everything is compared every second; watch.polling does so four times a second`;
}
