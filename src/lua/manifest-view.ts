/** A VM's own view of the manifest: which bytes each path has in one generation, out of shared memory. */

import { LayeredFiles } from "../core/layered-files.ts";
import type { ContentRef, ManifestDelta, ManifestSnapshot, SourceFile } from "../core/manifest.ts";

/** Every arena counts as this much more than its bytes: small ones are not free. */
const arenaCostBytes = 4096;

/** What arenas may cost on top of twice what was needed at the last look, before a VM looks again. */
const slackBytes = 1024 ** 2;

/** The shared memory that the views of one VM read from. */
class Arenas {
  readonly #byNumber: Map<number, SharedArrayBuffer>;
  #costBytes = 0;
  #lookAboveBytes = 0;

  constructor(arenas: ReadonlyMap<number, SharedArrayBuffer>) {
    this.#byNumber = new Map(arenas);
    this.#count();
  }

  get size(): number {
    return this.#byNumber.size;
  }

  /** Whether so much came since the last look that it is worth asking which arenas are still named. */
  get crowded(): boolean {
    return this.#costBytes > this.#lookAboveBytes;
  }

  get(number: number): SharedArrayBuffer | undefined {
    return this.#byNumber.get(number);
  }

  add(arenas: ReadonlyMap<number, SharedArrayBuffer>): void {
    for (const [number, arena] of arenas) {
      if (!this.#byNumber.has(number)) this.#costBytes += arena.byteLength + arenaCostBytes;
      this.#byNumber.set(number, arena);
    }
  }

  keepOnly(named: ReadonlySet<number>): void {
    for (const number of [...this.#byNumber.keys()]) if (!named.has(number)) this.#byNumber.delete(number);
    this.#count();
  }

  copy(): Arenas {
    return new Arenas(this.#byNumber);
  }

  #count(): void {
    this.#costBytes = 0;
    for (const arena of this.#byNumber.values()) this.#costBytes += arena.byteLength + arenaCostBytes;
    this.#lookAboveBytes = 2 * this.#costBytes + slackBytes;
  }
}

/**
 * The same for its readers as long as they live; `next` gives the following generation's view at the cost of the change.
 * The views of one VM share a base, on which each lays what changed since, and the arenas.
 */
export class ManifestView {
  /** What all views of the VM share, as it is for all of them. */
  readonly #base: LayeredFiles;
  #changed: ReadonlyMap<string, SourceFile | null>;
  readonly #arenas: Arenas;

  private constructor(base: LayeredFiles, changed: ReadonlyMap<string, SourceFile | null>, arenas: Arenas) {
    this.#base = base;
    this.#changed = changed;
    this.#arenas = arenas;
  }

  static complete({ packed, present, absent, arenas }: ManifestSnapshot): ManifestView {
    const base = new LayeredFiles(packed);
    take(base, changesOf(new Map(), { present, absent }));
    return new ManifestView(base, new Map(), new Arenas(arenas));
  }

  /** Arenas that this view's VM holds, for tests and figures. */
  get arenaCount(): number {
    return this.#arenas.size;
  }

  /** The file at a path in this generation. */
  lookup(path: string): SourceFile | undefined {
    const changed = this.#changed.get(path);
    return changed === undefined ? this.#base.get(path) : (changed ?? undefined);
  }

  /** A copy of a file's bytes, out of shared memory. */
  bytes(content: ContentRef): Uint8Array {
    const arena = this.#arenas.get(content.arena);
    if (!arena) throw new Error(`arena ${content.arena} is not in this VM`);
    return new Uint8Array(arena, content.offset, content.length).slice();
  }

  /** The view of the next generation. */
  next(delta: ManifestDelta): ManifestView {
    this.#arenas.add(delta.arenas);
    return new ManifestView(this.#base, changesOf(new Map(this.#changed), delta), this.#arenas);
  }

  /** A view of the same generation that shares nothing with the others, for a VM of its own in the same thread. */
  detached(): ManifestView {
    return new ManifestView(this.#base.copy(), new Map(this.#changed), this.#arenas.copy());
  }

  /** Lets go of what neither this view nor the `older` ones need. All other views of this VM are out of use for good. */
  tidy(older: readonly ManifestView[]): void {
    if (older.length === 0) {
      take(this.#base, this.#changed);
      this.#changed = new Map();
    }
    if (!this.#arenas.crowded) return;
    const named = new Set(this.#base.usesOfArenas().keys());
    for (const view of [this, ...older])
      for (const file of view.#changed.values()) if (file !== null) named.add(file.content.arena);
    this.#arenas.keepOnly(named);
  }
}

/** What changes on top of `before`, which is changed. */
function changesOf(
  before: Map<string, SourceFile | null>,
  { present, absent }: Pick<ManifestDelta, "present" | "absent">,
): Map<string, SourceFile | null> {
  for (const path of absent) before.set(path, null);
  for (const file of present) before.set(file.path, file);
  return before;
}

function take(files: LayeredFiles, changes: ReadonlyMap<string, SourceFile | null>): void {
  for (const [path, file] of changes) files.set(path, file ?? undefined);
}
