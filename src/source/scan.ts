/** One pass over the disk, stage by stage: brings the index up to date and says what differed. */

import { type ArenaNumbers, ArenaWriter } from "./arena.ts";
import type { Changes, Differences } from "./changes.ts";
import { chooseFolder, choosePath, chooseTops } from "./choose-folders.ts";
import type { DiskIndex, FolderNode } from "./disk-index.ts";
import { listFolder } from "./list-folder.ts";
import type { Pass } from "./pass.ts";
import { readFiles } from "./read-files.ts";
import type { Territory } from "./territory.ts";

/** What a pass that nobody waits for leaves alone for now. */
interface Patience {
  /** A root that vanished less than so long ago. */
  readonly rootGraceMs?: number;
  /** Files that grow within so many milliseconds, and those that were emptied just now. */
  readonly writingMs?: number;
}

/** What a pass looks at. */
export type Scope =
  /** Everything. */
  | ({ readonly kind: "all" } & Patience)
  /** Folders that are known; their known subfolders are entered only when they are other ones than before. */
  | ({
      readonly kind: "folders";
      readonly folders: Iterable<string>;
      /** Asked before a file is read; true leaves its folder for another time, at once. */
      readonly defer?: () => boolean;
    } & Patience)
  /** Files, or folders with everything below, and nothing else. `force` hashes files though `stat` shows no change. */
  | { readonly kind: "paths"; readonly paths: readonly string[]; readonly force: boolean };

/** What a pass found, and passes before it that no step tells of yet. */
export interface ScanResult extends Differences {
  /** Of this pass alone. */
  readonly arenas: ReadonlyMap<number, SharedArrayBuffer>;
  /** New folders that something was put into just now. */
  readonly fresh: readonly string[];
  /** Folders that must be looked at once more, after so many milliseconds. */
  readonly again: ReadonlyMap<string, number>;
  /** True while no step tells of a root that is missing and may come back, or of files that are being written. */
  readonly awaiting: boolean;
}

const never = () => false;

/** Scans for one source; passes must not overlap. */
export class Scanner {
  readonly #territory: Territory;
  readonly #index: DiskIndex;
  readonly #maxFileBytes: number;
  readonly #numbers: ArenaNumbers;
  readonly #missingSinceMs = new Map<string, number>();
  readonly #writing = new Set<FolderNode>();

  constructor(territory: Territory, index: DiskIndex, maxFileBytes: number, numbers: ArenaNumbers) {
    this.#territory = territory;
    this.#index = index;
    this.#maxFileBytes = maxFileBytes;
    this.#numbers = numbers;
  }

  /**
   * One pass; what it changes is added to `changes`. Yields after every few system calls how many milliseconds to pause, mostly 0.
   * `progress` is told the files that are done and the files that are to be looked at.
   */
  *scan(
    scope: Scope,
    changes: Changes,
    progress: (done: number, total: number) => void = () => {},
  ): Generator<number, ScanResult> {
    const pass: Pass = {
      territory: this.#territory,
      index: this.#index,
      changes,
      arena: new ArenaWriter(this.#numbers),
      maxFileBytes: this.#maxFileBytes,
      toList: new Map(),
      looks: [],
      filesToLook: 0,
      fresh: [],
      writing: this.#writing,
      writingMs: scope.kind === "paths" ? undefined : scope.writingMs,
      vanished: new Set(),
      again: new Map(),
      defer: (scope.kind === "folders" ? scope.defer : undefined) ?? never,
    };
    if (scope.kind === "paths") {
      for (const path of scope.paths) choosePath(pass, path, scope.force);
    } else {
      chooseTops(pass, scope.kind === "all", scope.rootGraceMs ?? 0, this.#missingSinceMs);
      if (scope.kind === "folders") for (const folder of scope.folders) chooseFolder(pass, folder);
    }
    // A Map goes on over what is added to it meanwhile.
    for (const [node, deep] of pass.toList) {
      if (this.#index.folder(node.path) === node) listFolder(pass, node, deep);
      progress(0, pass.filesToLook);
      yield 0;
    }
    yield* readFiles(pass, progress);
    return {
      ...changes.differences(),
      arenas: pass.arena.finish(),
      fresh: pass.fresh,
      again: pass.again,
      awaiting: pass.vanished.size > 0 || this.#isWriting(),
    };
  }

  #isWriting(): boolean {
    for (const node of this.#writing) {
      if (node.unfinished.size === 0 || this.#index.folder(node.path) !== node) this.#writing.delete(node);
    }
    return this.#writing.size > 0;
  }
}
