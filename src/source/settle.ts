/** When to look: collects hints until the disk is quiet. Pure; the clock is an argument. */

export interface SettleOptions {
  /** Milliseconds without a hint after which the disk counts as quiet; five times as long after a burst of them. */
  readonly settleMs: number;
  /** Milliseconds after the first hint at which a pass is due though hints keep coming. */
  readonly maxWaitMs: number;
}

/** What a pass is to look at. */
export interface Due {
  /** More hints came than folders are worth telling apart: look everywhere. */
  readonly everything: boolean;
  readonly folders: ReadonlySet<string>;
  /** Of these, the ones that an event told of; others were found by the sweep. */
  readonly told: ReadonlySet<string>;
  /** False: it is a second look only, nobody has told of a change. */
  readonly hinted: boolean;
  /** When the first of the hints came; now, when there are none. */
  readonly sinceMs: number;
  /** False: hints keep coming, only the wait was too long already. */
  readonly quiet: boolean;
}

/** From so many hints on, the kernel may have dropped some (inotify's queue holds 16,384). */
const floodedHints = 8192;
/**
 * A save makes a few hints. Whoever writes more files is interrupted now and then, by other programs or by the canary
 * of his last change set: after so many hints the quiet must last so many times longer, also for what he writes after
 * the pass that maxWaitMs forced.
 */
const saveHints = 32;
const burstQuietFactor = 5;
/** Longest wait for a program that has announced that it is at work. */
const longestBusyMs = 5000;
const busyPauseMs = 10;
/** Looks that fall due this soon after a pass are made with it. */
const lookAheadMs = 20;

/** The folders to look at, and when. */
export class Settle {
  readonly #options: SettleOptions;
  readonly #hinted = new Set<string>();
  readonly #told = new Set<string>();
  readonly #again = new Map<string, number>();
  #hints = 0;
  #burst = false;
  #firstMs = 0;
  #lastMs = 0;
  #notBeforeMs = 0;

  constructor(options: SettleOptions) {
    this.#options = options;
  }

  /** True while a hint waits for its pass. */
  get pending(): boolean {
    return this.#hinted.size > 0;
  }

  /** Something happened in `folder`. `by` says who noticed. */
  hint(folder: string, by: "event" | "sweep", nowMs: number): void {
    // What one sweep found, the next one finds again: nothing need have happened in between.
    if (by === "sweep" && this.#hinted.has(folder)) return;
    if (this.#hinted.size === 0) {
      this.#firstMs = nowMs;
      if (nowMs - this.#lastMs > this.#options.maxWaitMs) this.#burst = false;
    }
    this.#lastMs = nowMs;
    this.#hinted.add(folder);
    if (by === "event") this.#told.add(folder);
    this.#hints += 1;
    if (this.#hints > saveHints) this.#burst = true;
  }

  /** What was taken out was not the end of it: the wait goes on as one that began at `sinceMs`. */
  resume(sinceMs: number): void {
    this.#firstMs = Math.min(this.#firstMs, sinceMs);
  }

  /** A writer is at work on a temporary name: the quiet begins anew. */
  prolong(nowMs: number): void {
    this.#lastMs = nowMs;
  }

  /** Look at `folder` at `atMs`, whether anything happens there or not. */
  again(folder: string, atMs: number): void {
    this.#again.set(folder, Math.min(atMs, this.#again.get(folder) ?? atMs));
  }

  /**
   * Milliseconds until the next pass, 0 for now, undefined for never. `busy`: somebody has announced that he is still
   * writing (git's lock); ask again after the returned time.
   */
  dueInMs(nowMs: number, busy: () => boolean): number | undefined {
    const begunMs = this.#hinted.size > 0 ? this.#firstMs : this.#soonestMs();
    if (begunMs === Number.POSITIVE_INFINITY) return undefined;
    if (this.#dueMs() <= nowMs && nowMs < begunMs + longestBusyMs && busy()) {
      this.#notBeforeMs = nowMs + Math.max(this.#options.settleMs, busyPauseMs);
    }
    return Math.max(0, this.#dueMs() - nowMs);
  }

  /** Takes what is due out. */
  take(nowMs: number): Due {
    const folders = new Set<string>();
    const told = new Set<string>();
    const hinted = this.#hinted.size > 0;
    const sinceMs = hinted ? this.#firstMs : nowMs;
    if (this.#dueMs() > nowMs)
      return { everything: false, folders, told, hinted: false, sinceMs, quiet: true };
    const quiet = !hinted || nowMs >= this.#quietMs();
    const everything = this.#hints >= floodedHints;
    for (const [folder, atMs] of this.#again) {
      if (atMs > nowMs + lookAheadMs) continue;
      this.#again.delete(folder);
      folders.add(folder);
      told.add(folder);
    }
    for (const folder of this.#hinted) folders.add(folder);
    for (const folder of this.#told) told.add(folder);
    this.#clearHints();
    return { everything, folders, told, hinted, sinceMs, quiet };
  }

  /** Everything is being looked at: nothing waits any more. */
  clear(): void {
    this.#clearHints();
    this.#again.clear();
  }

  /** When a pass is due. While something is being written, second looks wait as well: they would see half of it. */
  #dueMs(): number {
    const hintedMs = Math.min(this.#quietMs(), this.#firstMs + this.#options.maxWaitMs);
    return Math.max(this.#notBeforeMs, this.#hinted.size > 0 ? hintedMs : this.#soonestMs());
  }

  /** When the disk counts as quiet, unless more hints come. */
  #quietMs(): number {
    const { settleMs } = this.#options;
    return this.#lastMs + (this.#burst ? burstQuietFactor * settleMs : settleMs);
  }

  #soonestMs(): number {
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const atMs of this.#again.values()) soonestMs = Math.min(soonestMs, atMs);
    return soonestMs;
  }

  #clearHints(): void {
    this.#notBeforeMs = 0;
    this.#hinted.clear();
    this.#told.clear();
    this.#hints = 0;
  }
}
