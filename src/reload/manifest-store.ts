/** The two manifests of the main thread: what is active, and what is on the disk; and the contents both name. */

import { type Change, changesBetween } from "../core/change-set.ts";
import { LayeredFiles } from "../core/layered-files.ts";
import type { ManifestDelta, ManifestSnapshot, SourceFile } from "../core/manifest.ts";
import { packFiles } from "../core/packed-manifest.ts";
import type { SourceStep } from "../source/contract.ts";

/** The files that a commit replaced, by path; null where there was none. */
type Undo = ReadonlyMap<string, SourceFile | null>;

/** Changed files that travel to a VM that starts one by one. */
const mostUnpacked = 1_000;

export class ManifestStore {
  readonly #active = new LayeredFiles();
  readonly #disk = new LayeredFiles();
  /** Paths at which the disk may differ from the active manifest. */
  readonly #differing = new Set<string>();
  readonly #arenas = new Map<number, SharedArrayBuffer>();
  /** How often an arena is named, by manifests and by what could be undone. */
  readonly #uses = new Map<number, number>();
  readonly #undo = new Map<number, Undo>();
  readonly #keptGenerations: number;
  /** What the active manifest was when a VM last needed it anew, in shared memory. */
  #packed: SharedArrayBuffer | undefined;
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
  begin(step: SourceStep): void {
    for (const [number, arena] of step.arenas) this.#arenas.set(number, arena);
    this.#layOver(step.packed ?? packFiles(step.present));
    for (const [arena, uses] of this.#active.usesOfArenas()) this.#uses.set(arena, 2 * uses);
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
    if (this.#packed === undefined || this.#active.changed.size > mostUnpacked)
      this.#layOver(packFiles([...this.#active.values()]));
    const { changed } = this.#active;
    const { present, absent } = this.delta(changed.keys(), (path) => changed.get(path) ?? undefined);
    const arenas = this.#arenasNumbered(this.#active.usesOfArenas().keys());
    return { present, absent, arenas, ...(this.#packed && { packed: this.#packed }) };
  }

  /** Lays both manifests over a base that is the active one; the disk goes on to name what it names. */
  #layOver(packed: SharedArrayBuffer): void {
    const [active, disk] = [this.#active, this.#disk];
    const apart = new Map<string, SourceFile | undefined>();
    // Equal contents may lie in two arenas, each of which is counted.
    for (const path of [...active.changed.keys(), ...disk.changed.keys()])
      if (active.get(path) !== disk.get(path)) apart.set(path, disk.get(path));
    this.#packed = packed;
    active.become(packed);
    disk.become(packed);
    for (const [path, file] of apart) disk.set(path, file);
  }

  /** Makes `next` at these paths the next generation; returns its number. */
  commit(paths: Iterable<string>, next: (path: string) => SourceFile | undefined): number {
    const undo = new Map<string, SourceFile | null>();
    for (const path of paths) {
      const before = this.#active.get(path);
      undo.set(path, before ?? null);
      this.#use(before, 1);
      this.#set(this.#active, path, next(path));
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

  #set(files: LayeredFiles, path: string, file: SourceFile | undefined): void {
    this.#use(file, 1);
    this.#use(files.set(path, file), -1);
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

  #arenasOf(files: readonly SourceFile[]): ReadonlyMap<number, SharedArrayBuffer> {
    return this.#arenasNumbered(files.map(({ content }) => content.arena));
  }

  #arenasNumbered(numbers: Iterable<number>): ReadonlyMap<number, SharedArrayBuffer> {
    const arenas = new Map<number, SharedArrayBuffer>();
    for (const number of numbers) {
      const arena = this.#arenas.get(number);
      if (arena) arenas.set(number, arena);
    }
    return arenas;
  }
}

/** Whether a path, or a folder that it is in, is among `paths`. */
function isWithin(path: string, paths: ReadonlySet<string>): boolean {
  for (let at = path; at !== ""; at = at.slice(0, at.lastIndexOf("/"))) if (paths.has(at)) return true;
  return paths.has("/");
}

function isSame(a: SourceFile | undefined, b: SourceFile | undefined): boolean {
  return a?.hash === b?.hash && a?.file === b?.file;
}
