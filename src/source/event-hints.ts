/** Turns what a hint source tells of real folders into lexical folders to look at. */

import type { DiskIndex } from "./disk-index.ts";
import type { HintListener, HintSource, OpenHints } from "./hints.ts";
import { isTemporaryFile } from "./ignore-rules.ts";
import type { Territory } from "./territory.ts";
import { WatchedFolders } from "./watched-folders.ts";

/** Who is told what. */
export interface EventHintsContext {
  readonly territory: Territory;
  readonly index: DiskIndex;
  /** Something has happened in a lexical folder. */
  differs(folder: string): void;
  /** A writer is at work on a temporary name. */
  prolong(): void;
  /** What happened in these folders before they were watched, nobody has told. */
  opened(folders: Iterable<string>): void;
  /** Something has happened where a link on the way to a root is, or where a missing root would appear. */
  turning(): void;
  /** `live` or `failing` may have changed. */
  changed(): void;
  /** With the code of the system error, so that the same need not be said for each folder. */
  warning(code: string, message: string): void;
}

/** What lacks may be there again soon, or only when somebody has raised a limit: each pause is twice the last one. */
const firstRetryMs = 500;
const longestRetryMs = 10_000;

/** Owns the hint source. */
export class EventHints implements HintListener {
  readonly #context: EventHintsContext;
  readonly #hints: HintSource;
  readonly #watched: WatchedFolders;
  #turningPoints: ReadonlySet<string> = new Set();
  #followed = -1;
  #retryMs = firstRetryMs;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(context: EventHintsContext, openHints: OpenHints) {
    this.#context = context;
    this.#hints = openHints(this);
    this.#watched = new WatchedFolders(this.#hints);
  }

  /** True when no folder is about to be watched. */
  get live(): boolean {
    return this.#watched.settled;
  }

  /** True while there are folders that could be read and cannot be watched. */
  get failing(): boolean {
    return this.#watched.failing;
  }

  /** Watches the folders that the index has now, unless nothing has changed about them. */
  follow(): void {
    const { index } = this.#context;
    if (this.#closed || this.#followed === index.foldersVersion) return;
    this.#followed = index.foldersVersion;
    this.#watched.follow(index, this.#turningPoints);
  }

  /** Watches these beside the folders of the index. */
  setTurningPoints(points: ReadonlySet<string>): void {
    this.#turningPoints = points;
    this.#followed = -1;
    this.follow();
  }

  hint(real: string, name: string | undefined, kind: "change" | "rename"): void {
    const concern = this.#watched.concern(real);
    if (concern === undefined || this.#closed) return;
    if (concern.turning) this.#context.turning();
    for (const folder of concern.folders) this.#sort(folder, name, kind);
    for (const [folder, names] of concern.linked) {
      if (name === undefined || names.has(name)) this.#context.differs(folder);
    }
  }

  opened(real: string): void {
    if (this.#closed || !this.#watched.opened(real)) return;
    if (!this.failing) this.#retryMs = firstRetryMs;
    const concern = this.#watched.concern(real);
    if (concern !== undefined) {
      this.#context.opened([...concern.folders, ...concern.linked.keys()]);
      if (concern.turning) this.#context.turning();
    }
    this.#context.changed();
  }

  failed(real: string, code: string): void {
    if (this.#closed) return;
    this.#watched.lost(real, code);
    this.#context.warning(code, lostWatch(code, real));
    this.#retry ??= this.#planRetry();
    this.#context.changed();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#hints.close();
  }

  #planRetry(): NodeJS.Timeout {
    const pauseMs = this.#retryMs;
    this.#retryMs = Math.min(2 * pauseMs, longestRetryMs);
    return setTimeout(() => {
      this.#retry = undefined;
      this.#watched.retry();
    }, pauseMs);
  }

  /** What an event on `name` means, judging by its path alone. */
  #sort(folder: string, name: string | undefined, kind: "change" | "rename"): void {
    const { territory } = this.#context;
    const interest = territory.interest(folder);
    if (interest === undefined) return;
    if (name !== undefined && isTemporaryFile(name) && !interest.names.has(name)) {
      this.#context.prolong();
    } else if (name === undefined || kind === "rename" || territory.isCandidate(interest, folder, name)) {
      // Whatever appears or vanishes may be a folder, or a link that others lead through.
      this.#context.differs(folder);
    }
  }
}

function lostWatch(code: string, folder: string): string {
  const meanwhile = "what is not watched is compared every second or two instead";
  if (code === "ENOSPC") {
    return `too many folders to watch (ENOSPC): raise fs.inotify.max_user_watches with sysctl; ${meanwhile}`;
  }
  if (code === "EMFILE" || code === "ENFILE") {
    return `no more files or inotify instances (${code}): raise ulimit -n or fs.inotify.max_user_instances; ${meanwhile}`;
  }
  return `${folder} cannot be watched (${code}); ${meanwhile}`;
}
