/** The two manifests of the main thread: what is active, and what is on the disk; and the contents both name. */

import { type Change, changesBetween } from "../core/change-set.ts";
import type { ManifestDelta, ManifestSnapshot, SourceFile } from "../core/manifest.ts";
import { packFiles } from "../core/packed-manifest.ts";
import type { SourceStep } from "../source/contract.ts";

/** The files that a commit replaced, by path; null where there was none. */
type Undo = ReadonlyMap<string, SourceFile | null>;

/** Changed files that travel to a VM that starts one by one. */
const mostUnpacked = 1_000;

export class ManifestStore {
  readonly #active = new Map<string, SourceFile>();
  readonly #disk = new Map<string, SourceFile>();
  /** Paths at which the disk may differ from the active manifest. */
  readonly #differing = new Set<string>();
  readonly #arenas = new Map<number, SharedArrayBuffer>();
  /** How often an arena is named, by manifests and by what could be undone. */
  readonly #uses = new Map<number, number>();
  readonly #undo = new Map<number, Undo>();
  readonly #keptGenerations: number;
  /** The active manifest in shared memory, as it was when a VM last needed it anew. */
  #packed: SharedArrayBuffer | undefined;
  /** Paths that have changed since. */
  readonly #sincePacked = new Set<string>();
  #generation = 0;

  /** @param keptGenerations how many generations back `pathsSince` and `fileIn` reach */
  constructor(keptGenerations: number) {
    this.#keptGenerations = keptGenerations;
  }

  get generation(): number {
    return this.#generation;
  }

  get active(): ReadonlyMap<string, SourceFile> {
    return this.#active;
  }

  get disk(): ReadonlyMap<string, SourceFile> {
    return this.#disk;
  }

  /** Arenas that are kept: for tests and figures. */
  get arenaBytes(): number {
    let bytes = 0;
    for (const arena of this.#arenas.values()) bytes += arena.byteLength;
    return bytes;
  }

  /** What the source saw first is generation 1. To be called once, before everything else. */
  begin({ present, arenas, packed }: SourceStep): void {
    for (const [number, arena] of arenas) this.#arenas.set(number, arena);
    for (const file of present) {
      this.#active.set(file.path, file);
      this.#disk.set(file.path, file);
    }
    for (const [arena, uses] of countByArena(present)) this.#uses.set(arena, 2 * uses);
    this.#packed = packed;
    // Before it there was nothing: nobody wants to go back to that.
    this.#generation = 1;
  }

  /** What the source saw. */
  takeStep(step: SourceStep): void {
    for (const [number, arena] of step.arenas) this.#arenas.set(number, arena);
    // What is present comes first: an arena that only the absent named before must not be dropped under it.
    for (const file of step.present) this.#set(this.#disk, file.path, file);
    for (const path of step.absent) this.#set(this.#disk, path, undefined);
    for (const path of [...step.absent, ...step.present.map((file) => file.path)]) {
      if (isSame(this.#active.get(path), this.#disk.get(path))) this.#differing.delete(path);
      else this.#differing.add(path);
    }
    for (const number of step.arenas.keys()) this.#dropUnused(number);
  }

  /** What differs between the active manifest and the disk: everywhere, or at the given files and below the given folders. */
  changes(paths?: ReadonlySet<string>): readonly Change[] {
    const differing = paths ? [...this.#differing].filter((path) => isWithin(path, paths)) : this.#differing;
    return changesBetween(differing, this.#active, this.#disk);
  }

  /** What a VM needs to go from the active manifest to one that has `next` at these paths. */
  delta(paths: Iterable<string>, next: (path: string) => SourceFile | undefined): ManifestDelta {
    const present: SourceFile[] = [];
    const absent: string[] = [];
    for (const path of paths) {
      const file = next(path);
      if (file) present.push(file);
      else absent.push(path);
    }
    return { present, absent, arenas: this.#arenasOf(present) };
  }

  /**
   * A copy of the bytes of a file that one of the manifests has.
   * @throws Error for any other
   */
  bytes({ path, content: { arena, offset, length } }: SourceFile): Uint8Array {
    const memory = this.#arenas.get(arena);
    if (!memory) throw new Error(`the content of ${path} is not kept any more`);
    return new Uint8Array(memory, offset, length).slice();
  }

  /** The whole active manifest. */
  whole(): ManifestDelta {
    const present = [...this.#active.values()];
    return { present, absent: [], arenas: this.#arenasOf(present) };
  }

  /** The same for a VM that starts: in shared memory, but for what has changed since it was packed. */
  snapshot(): ManifestSnapshot {
    // Beyond that, VMs that start pay for what could be packed once.
    if (this.#packed === undefined || this.#sincePacked.size > mostUnpacked) {
      this.#packed = packFiles([...this.#active.values()]);
      this.#sincePacked.clear();
    }
    const changed = this.delta(this.#sincePacked, (path) => this.#active.get(path));
    return { ...changed, packed: this.#packed, arenas: this.#arenasOf(this.#active.values()) };
  }

  /** Makes `next` at these paths the next generation; returns its number. */
  commit(paths: Iterable<string>, next: (path: string) => SourceFile | undefined): number {
    const undo = new Map<string, SourceFile | null>();
    for (const path of paths) {
      const before = this.#active.get(path);
      undo.set(path, before ?? null);
      this.#use(before, 1);
      this.#set(this.#active, path, next(path));
      this.#sincePacked.add(path);
      if (isSame(this.#active.get(path), this.#disk.get(path))) this.#differing.delete(path);
      else this.#differing.add(path);
    }
    this.#generation += 1;
    this.#undo.set(this.#generation, undo);
    this.#forgetOldest();
    return this.#generation;
  }

  /** The oldest generation whose sources are still known, 1 or newer. */
  get oldestGeneration(): number {
    // Before generation 1 there was nothing: nobody wants to go back to that.
    return Math.max(1, this.#generation - this.#undo.size);
  }

  /** Paths that changed after `generation`, and what they were in it. */
  filesIn(generation: number): ReadonlyMap<string, SourceFile | undefined> {
    const files = new Map<string, SourceFile | undefined>();
    for (let newer = this.#generation; newer > generation; newer--)
      for (const [path, file] of this.#undo.get(newer) ?? []) files.set(path, file ?? undefined);
    return files;
  }

  #forgetOldest(): void {
    if (this.#undo.size <= this.#keptGenerations) return;
    const oldest = this.#generation - this.#undo.size + 1;
    const undo = this.#undo.get(oldest);
    this.#undo.delete(oldest);
    for (const file of undo?.values() ?? []) this.#use(file ?? undefined, -1);
  }

  #set(files: Map<string, SourceFile>, path: string, file: SourceFile | undefined): void {
    const before = files.get(path);
    this.#use(file, 1);
    if (file) files.set(path, file);
    else files.delete(path);
    this.#use(before, -1);
  }

  #use(file: SourceFile | undefined, change: 1 | -1): void {
    if (!file) return;
    const number = file.content.arena;
    this.#uses.set(number, (this.#uses.get(number) ?? 0) + change);
    if (change < 0) this.#dropUnused(number);
  }

  #dropUnused(number: number): void {
    if ((this.#uses.get(number) ?? 0) > 0) return;
    this.#uses.delete(number);
    this.#arenas.delete(number);
  }

  #arenasOf(files: Iterable<SourceFile>): ReadonlyMap<number, SharedArrayBuffer> {
    const arenas = new Map<number, SharedArrayBuffer>();
    for (const { content } of files) {
      const arena = this.#arenas.get(content.arena);
      if (arena) arenas.set(content.arena, arena);
    }
    return arenas;
  }
}

/** Whether a path, or a folder that it is in, is among `paths`. */
function isWithin(path: string, paths: ReadonlySet<string>): boolean {
  for (let at = path; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) if (paths.has(at)) return true;
  return paths.has("/");
}

/** Neighbours are mostly in the same arena: a Map is asked once for each run of them. */
function countByArena(files: readonly SourceFile[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  let arena = -1;
  let run = 0;
  const end = () => {
    if (run > 0) counts.set(arena, (counts.get(arena) ?? 0) + run);
  };
  for (const { content } of files) {
    if (content.arena === arena) run++;
    else {
      end();
      arena = content.arena;
      run = 1;
    }
  }
  end();
  return counts;
}

function isSame(a: SourceFile | undefined, b: SourceFile | undefined): boolean {
  return a?.hash === b?.hash && a?.file === b?.file;
}
