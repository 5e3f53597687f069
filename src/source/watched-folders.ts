/** Keeps the hint source on the real folders that matter, and knows what a hint from each of them concerns. */

import { basename, dirname } from "node:path";
import type { DiskIndex } from "./disk-index.ts";
import type { HintSource } from "./hints.ts";
import { folderIdentity, isLasting, statOrCode } from "./stat-identity.ts";

/** Lexical folders to look at when something happens in a real one. */
export interface Concern {
  /** Folders that this real folder is. */
  readonly folders: Set<string>;
  /** Folders with links to files in this real folder, and the names of these files. */
  readonly linked: Map<string, Set<string>>;
  /** A link on the way to a root is here, or a missing root would appear here. */
  turning: boolean;
  identity: string | undefined;
}

/** The folders of the index, of link targets and of turning points, by real path. */
export class WatchedFolders {
  readonly #hints: HintSource;
  readonly #open = new Map<string, string | undefined>();
  readonly #starting = new Set<string>();
  /** Folders whose watch failed. They are tried again when asked to. */
  readonly #failed = new Set<string>();
  /** Of these, those that can be read: without the right to, there are no modules either. */
  readonly #lacking = new Set<string>();
  readonly #retrying = new Set<string>();
  #concerns = new Map<string, Concern>();

  constructor(hints: HintSource) {
    this.#hints = hints;
  }

  /** True while no hint comes from folders that can be read. */
  get failing(): boolean {
    return this.#lacking.size > 0;
  }

  /** True when no folder is about to be watched for the first time. */
  get settled(): boolean {
    return this.#starting.size === 0;
  }

  concern(folder: string): Concern | undefined {
    return this.#concerns.get(folder);
  }

  /** Watches what matters now; a folder that was replaced by another one of the same name is watched anew. */
  follow(index: DiskIndex, turningPoints: Iterable<string>): void {
    this.#concerns = concernsOf(index, turningPoints);
    // What goes is closed before anything is opened: a folder that was moved is one inode under two names.
    for (const [folder, identity] of this.#open) {
      const now = this.#concerns.get(folder);
      if (now === undefined || now.identity !== identity) this.#close(folder);
    }
    for (const folder of this.#failed) if (!this.#concerns.has(folder)) this.#forget(folder);
    for (const [folder, { identity }] of this.#concerns) {
      if (!this.#open.has(folder) && !this.#failed.has(folder)) this.#watch(folder, identity, this.#starting);
    }
  }

  /** To be told of `opened`; true when it is news. */
  opened(folder: string): boolean {
    const news = this.#starting.has(folder) || this.#retrying.has(folder);
    this.#forget(folder);
    return news;
  }

  /** To be told of `failed`. */
  lost(folder: string, code: string): void {
    this.#open.delete(folder);
    this.#forget(folder);
    if (!this.#concerns.has(folder)) return;
    this.#failed.add(folder);
    if (!isLasting(code)) this.#lacking.add(folder);
  }

  /** Tries the folders again whose watch failed. */
  retry(): void {
    for (const folder of this.#failed) {
      if (!this.#open.has(folder)) this.#watch(folder, this.#concerns.get(folder)?.identity, this.#retrying);
    }
  }

  #watch(folder: string, identity: string | undefined, waiting: Set<string>): void {
    this.#open.set(folder, identity);
    waiting.add(folder);
    this.#hints.watch(folder);
  }

  #close(folder: string): void {
    this.#open.delete(folder);
    this.#forget(folder);
    this.#hints.unwatch(folder);
  }

  /** What is open or not, nobody waits for, and nothing has failed. */
  #forget(folder: string): void {
    for (const set of [this.#starting, this.#retrying, this.#failed, this.#lacking]) set.delete(folder);
  }
}

function concernsOf(index: DiskIndex, turningPoints: Iterable<string>): Map<string, Concern> {
  const concerns = new Map<string, Concern>();
  const at = (folder: string): Concern => {
    const known = concerns.get(folder);
    if (known !== undefined) return known;
    const concern = { folders: new Set<string>(), linked: new Map(), turning: false, identity: undefined };
    concerns.set(folder, concern);
    return concern;
  };
  for (const node of index.folders()) {
    const concern = at(node.real);
    concern.folders.add(node.path);
    concern.identity ??= node.identity;
    for (const { source } of node.files.values()) {
      const folder = dirname(source.file);
      if (folder === node.real) continue;
      const { linked } = at(folder);
      linked.set(node.path, (linked.get(node.path) ?? new Set()).add(basename(source.file)));
    }
  }
  for (const folder of turningPoints) at(folder).turning = true;
  for (const [folder, concern] of concerns) {
    if (concern.folders.size > 0) continue;
    const stats = statOrCode(folder);
    concern.identity = typeof stats === "string" ? undefined : folderIdentity(stats);
  }
  return concerns;
}
