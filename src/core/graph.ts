/** The dependency graph: what every VM has loaded, from where, and who required it; the union over all VMs. */

import { Edges } from "./edges.ts";
import { NameIndex } from "./name-index.ts";

/** `load`: while the requirer's chunk ran. `call`: later, inside a function. */
export type EdgeKind = "load" | "call";

/** requirer → required, and where the require stands (`apps/a.lua:3`). */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly kind: EdgeKind;
  readonly at: string;
  /** Read off the source text: no VM has told of it. */
  readonly static?: true;
}

/** One module name as the VMs know it. */
export interface ModuleRecord {
  readonly name: string;
  /** Path it was loaded from; undefined while a search for it found nothing, and for preloaded modules. */
  readonly path: string | undefined;
  /** Canonical real path of `path`. */
  readonly file: string | undefined;
  readonly hash: string | undefined;
  /** Paths that the search tried before `path` and missed. */
  readonly probes: readonly string[];
  /** Generation in which it was loaded last. */
  readonly generation: number;
  /** Numbers of the VMs that hold it. */
  readonly vms: ReadonlySet<number>;
  /** Numbers of the VMs in which it called `hot.pin()`. */
  readonly pinnedIn: ReadonlySet<number>;
  /** Its source has been described: a host beside the agent may hold it, whatever VMs tell. */
  readonly described: boolean;
}

/** What a VM reports of one module it loaded, or looked for in vain (no path, not held). */
export interface ModuleObservation {
  readonly name: string;
  readonly path?: string;
  readonly file?: string;
  readonly hash?: string;
  readonly probes: readonly string[];
  /** False for a search that found nothing. */
  readonly held: boolean;
  /** Generation it was loaded in. */
  readonly generation: number;
  /** It called `hot.pin()`: this VM never evicts it. */
  readonly pinned?: boolean;
}

/** What is known of a module without a VM: where its search ends, by the manifest. */
export type DescribedModule = Pick<ModuleObservation, "name" | "path" | "file" | "hash" | "probes">;

interface MutableRecord extends ModuleRecord {
  path: string | undefined;
  file: string | undefined;
  hash: string | undefined;
  probes: readonly string[];
  generation: number;
  readonly vms: Set<number>;
  pinnedIn: ReadonlySet<number>;
  described: boolean;
}

/** The names that have edges, by number, so that a walk need not look names up. A number is another name's later. */
export interface NumberedNames {
  /** All numbers are below it. */
  readonly size: number;
  /** A place for each number, 0 where nobody is walking: who sets one clears it before the end of its turn. */
  readonly marks: Int32Array;
  numberOf(name: string): number | undefined;
  /** Edges that lead to the name, by the name of the requirer. */
  intoNumber(number: number): readonly Edge[];
  /** The numbers of the requirers, in the same order. */
  requirersOf(number: number): readonly number[];
}

/** Mutable on purpose: it is fed by reports and asked by plans, both on the main thread. */
export interface Graph {
  /** Takes what one VM loaded. */
  observe(vm: number, module: ModuleObservation): void;
  /** One VM no longer holds this name. */
  drop(vm: number, name: string): void;
  /** A VM is gone, or starts anew: it holds nothing. */
  dropVm(vm: number): void;
  /** Returns whether the edge is news: a new one, or one that turned out to be of kind `load`. */
  connect(edge: Edge): boolean;
  /** Forgets what `name` was seen to require: its chunk will run again and say so anew. Static edges stay. */
  disconnect(name: string): void;
  /**
   * What the source of a module says: where it is, and what it requires. Replaces what was said of this name before,
   * and yields to what VMs tell: a VM that holds it knows better where it came from, an observed edge hides its static
   * twin until `disconnect`. Stays until `withdraw`.
   */
  describe(module: DescribedModule, requires: readonly Edge[]): void;
  /** The source is gone: what was described of this name is forgotten. */
  withdraw(name: string): void;
  /** Another real file is behind this path now, with the same content: nothing was loaded, but aliases differ. */
  relocate(path: string, file: string): void;
  module(name: string): ModuleRecord | undefined;
  modules(): Iterable<ModuleRecord>;
  /** Edges that lead to `name`, by the name of the requirer. */
  dependents(name: string): Iterable<Edge>;
  /** Edges that start at `name`. */
  requires(name: string): Iterable<Edge>;
  edges(): Iterable<Edge>;
  /** Names whose record says that they were loaded from this canonical file. */
  namesOfFile(file: string): Iterable<string>;
  /** Other names of the file that `name` was loaded from. */
  aliases(name: string): readonly string[];
  /** Names that were loaded from this path, or whose search passed it. */
  namesTouching(path: string): Iterable<string>;
  readonly numbered: NumberedNames;
}

const nowhere: ReadonlySet<number> = new Set();

/**
 * Names that nobody holds and that were required by `call` alone: beyond this number the oldest are forgotten. They
 * are names made at run time (`pcall(require, "plugins." .. ngx.var.arg_x)`), of which there is no end.
 */
const mostUnheld = 1_000;

export function createGraph(): Graph {
  const records = new Map<string, MutableRecord>();
  const edges = new Edges();
  const byFile = new NameIndex();
  const byPath = new NameIndex();
  /** Searched for in vain, or evicted and not required since; oldest first. */
  const unheld = new Set<string>();

  const indexRecord = ({ name, file, path, probes }: ModuleRecord) => {
    if (file !== undefined) byFile.add(file, name);
    if (path !== undefined) byPath.add(path, name);
    for (const probe of probes) byPath.add(probe, name);
  };
  const unindexRecord = ({ name, file, path, probes }: ModuleRecord) => {
    if (file !== undefined) byFile.delete(file, name);
    if (path !== undefined) byPath.delete(path, name);
    for (const probe of probes) byPath.delete(probe, name);
  };
  /** The record of `name` with these findings. */
  const place = ({ name, path, file, hash, probes }: DescribedModule): MutableRecord => {
    const known = records.get(name);
    if (known) unindexRecord(known);
    const record = known ?? newRecord(name);
    records.set(name, record);
    record.path = path;
    record.file = file;
    record.hash = hash;
    record.probes = probes;
    indexRecord(record);
    return record;
  };
  /** Forgets a name that nobody needs, and what only that one required: a list, since chains can be long. */
  const forget = (first: string) => {
    const names = [first];
    for (const name of names) {
      const record = records.get(name);
      // A name that nobody holds but that somebody required stays: its probes can still change a resolution.
      if (!record || record.vms.size > 0 || record.described || edges.hasInto(name)) continue;
      unindexRecord(record);
      records.delete(name);
      unheld.delete(name);
      names.push(...edges.disconnect(name));
    }
  };
  const disconnect = (name: string) => {
    for (const orphan of edges.disconnect(name)) forget(orphan);
  };
  const noteHolders = ({ name, vms }: ModuleRecord) => {
    unheld.delete(name);
    if (vms.size > 0) return;
    unheld.add(name);
    // Two looks for each name that comes keep up with them, however many must stay.
    for (let looks = 0; looks < 2 && unheld.size > mostUnheld; looks++) {
      const [oldest = name] = unheld;
      unheld.delete(oldest);
      if (mayBeForgotten(oldest)) {
        edges.forgetInto(oldest);
        forget(oldest);
      } else unheld.add(oldest);
    }
  };
  const mayBeForgotten = (name: string): boolean => {
    if (records.get(name)?.described) return false;
    for (const edge of edges.into(name)) if (edge.kind === "load" || edge.static === true) return false;
    return true;
  };
  const dropFrom = (vm: number, record: MutableRecord) => {
    setPinned(record, vm, false);
    if (!record.vms.delete(vm) || record.vms.size > 0) return;
    // What it required, nobody does any more on its behalf: its chunk will run again and say so anew.
    disconnect(record.name);
    forget(record.name);
    if (records.get(record.name) === record) noteHolders(record);
  };

  return {
    observe(vm, seen) {
      const record = place(seen);
      record.generation = seen.generation;
      if (seen.held) record.vms.add(vm);
      else record.vms.delete(vm);
      setPinned(record, vm, seen.held && seen.pinned === true);
      noteHolders(record);
    },
    drop(vm, name) {
      const record = records.get(name);
      if (record) dropFrom(vm, record);
    },
    dropVm(vm) {
      for (const record of [...records.values()]) dropFrom(vm, record);
    },
    connect: (edge) => edges.connect(edge),
    disconnect,
    describe(module, requires) {
      const known = records.get(module.name);
      const record = known && known.vms.size > 0 ? known : place(module);
      record.described = true;
      for (const orphan of edges.connectStatic(module.name, requires)) forget(orphan);
    },
    withdraw(name) {
      const record = records.get(name);
      if (!record?.described) return;
      record.described = false;
      for (const orphan of edges.connectStatic(name, [])) forget(orphan);
      forget(name);
      if (records.has(name)) noteHolders(record);
    },
    relocate(path, file) {
      for (const name of byPath.get(path)) {
        const record = records.get(name);
        if (record?.path !== path || record.file === undefined || record.file === file) continue;
        byFile.delete(record.file, name);
        record.file = file;
        byFile.add(file, name);
      }
    },
    module: (name) => records.get(name),
    modules: () => records.values(),
    dependents: (name) => edges.into(name),
    requires: (name) => edges.outOf(name),
    edges: () => edges.all(),
    namesOfFile: (file) => byFile.get(file),
    aliases(name) {
      if (!byFile.isShared) return [];
      const file = records.get(name)?.file;
      return file === undefined ? [] : byFile.others(file, name);
    },
    namesTouching: (path) => byPath.get(path),
    numbered: edges,
  };
}

function newRecord(name: string): MutableRecord {
  return {
    name,
    path: undefined,
    file: undefined,
    hash: undefined,
    probes: [],
    generation: 0,
    vms: new Set(),
    pinnedIn: nowhere,
    described: false,
  };
}

function setPinned(record: MutableRecord, vm: number, pinned: boolean): void {
  if (record.pinnedIn.has(vm) === pinned) return;
  const vms = new Set(record.pinnedIn);
  if (pinned) vms.add(vm);
  else vms.delete(vm);
  record.pinnedIn = vms;
}
