/** The dependency graph: what every VM has loaded, from where, and who required it; the union over all VMs. */

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

interface MutableRecord extends ModuleRecord {
  path: string | undefined;
  file: string | undefined;
  hash: string | undefined;
  probes: readonly string[];
  generation: number;
  readonly vms: Set<number>;
  readonly pinnedIn: Set<number>;
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
  /** Forgets what `name` requires: its chunk will run again and say so anew. */
  disconnect(name: string): void;
  module(name: string): ModuleRecord | undefined;
  modules(): Iterable<ModuleRecord>;
  /** Edges that lead to `name`. */
  dependents(name: string): Iterable<Edge>;
  /** Edges that start at `name`. */
  requires(name: string): Iterable<Edge>;
  edges(): Iterable<Edge>;
  /** Names whose record says that they were loaded from this canonical file. */
  namesOfFile(file: string): ReadonlySet<string>;
  /** Other names of the file that `name` was loaded from. */
  aliases(name: string): readonly string[];
  /** Names that were loaded from this path, or whose search passed it. */
  namesTouching(path: string): ReadonlySet<string>;
}

const nothing: ReadonlySet<string> = new Set();

/**
 * Names that nobody holds and that were required by `call` alone: beyond this number the oldest are forgotten. They
 * are names made at run time (`pcall(require, "plugins." .. ngx.var.arg_x)`), of which there is no end.
 */
const mostUnheld = 1_000;

export function createGraph(): Graph {
  const records = new Map<string, MutableRecord>();
  const incoming = new Map<string, Map<string, Edge>>();
  const outgoing = new Map<string, Map<string, Edge>>();
  const byFile = new Map<string, Set<string>>();
  const byPath = new Map<string, Set<string>>();
  /** Searched for in vain, or evicted and not required since; oldest first. */
  const unheld = new Set<string>();

  const index = (map: Map<string, Set<string>>, key: string, name: string) => {
    const names = map.get(key);
    if (names) names.add(name);
    else map.set(key, new Set([name]));
  };
  const unindex = (map: Map<string, Set<string>>, key: string, name: string) => {
    const names = map.get(key);
    if (names?.delete(name) && names.size === 0) map.delete(key);
  };
  const namesOfFile = (file: string): ReadonlySet<string> => byFile.get(file) ?? nothing;
  const edgesOf = (map: Map<string, Map<string, Edge>>, name: string): Map<string, Edge> => {
    const known = map.get(name);
    if (known) return known;
    const edges = new Map<string, Edge>();
    map.set(name, edges);
    return edges;
  };
  const unindexRecord = (record: MutableRecord) => {
    if (record.file !== undefined) unindex(byFile, record.file, record.name);
    if (record.path !== undefined) unindex(byPath, record.path, record.name);
    for (const probe of record.probes) unindex(byPath, probe, record.name);
  };
  const forget = (record: MutableRecord) => {
    // A name that nobody holds but that somebody required stays: its probes can still change a resolution.
    if (record.vms.size > 0 || incoming.get(record.name)?.size) return;
    remove(record);
  };
  const remove = (record: MutableRecord) => {
    unindexRecord(record);
    records.delete(record.name);
    unheld.delete(record.name);
  };
  const noteHolders = ({ name, vms }: MutableRecord) => {
    unheld.delete(name);
    if (vms.size > 0) return;
    unheld.add(name);
    // Two looks for each name that comes keep up with them, however many must stay.
    for (let looks = 0; looks < 2 && unheld.size > mostUnheld; looks++) {
      const [oldest = name] = unheld;
      unheld.delete(oldest);
      const edges = [...(incoming.get(oldest)?.values() ?? [])];
      if (edges.every((edge) => edge.kind === "call")) forgetUnheld(oldest, edges);
      else unheld.add(oldest);
    }
  };
  const forgetUnheld = (name: string, edges: readonly Edge[]) => {
    for (const { from } of edges) outgoing.get(from)?.delete(name);
    incoming.delete(name);
    disconnect(name);
    const record = records.get(name);
    if (record) remove(record);
  };
  const disconnect = (name: string) => {
    const edges = outgoing.get(name);
    if (!edges) return;
    outgoing.delete(name);
    for (const to of edges.keys()) {
      const others = incoming.get(to);
      if (others?.delete(name) && others.size === 0) {
        incoming.delete(to);
        const record = records.get(to);
        if (record) forget(record);
      }
    }
  };
  const dropFrom = (vm: number, record: MutableRecord) => {
    record.pinnedIn.delete(vm);
    if (!record.vms.delete(vm)) return;
    forget(record);
    if (records.get(record.name) === record) noteHolders(record);
  };

  return {
    observe(vm, seen) {
      let record = records.get(seen.name);
      if (!record) {
        record = {
          name: seen.name,
          path: undefined,
          file: undefined,
          hash: undefined,
          probes: [],
          generation: 0,
          vms: new Set(),
          pinnedIn: new Set(),
        };
        records.set(seen.name, record);
      } else {
        unindexRecord(record);
      }
      record.path = seen.path;
      record.file = seen.file;
      record.hash = seen.hash;
      record.probes = seen.probes;
      record.generation = seen.generation;
      if (seen.held) record.vms.add(vm);
      else record.vms.delete(vm);
      if (seen.held && seen.pinned) record.pinnedIn.add(vm);
      else record.pinnedIn.delete(vm);
      if (seen.file !== undefined) index(byFile, seen.file, seen.name);
      if (seen.path !== undefined) index(byPath, seen.path, seen.name);
      for (const probe of seen.probes) index(byPath, probe, seen.name);
      noteHolders(record);
    },
    drop(vm, name) {
      const record = records.get(name);
      if (record) dropFrom(vm, record);
    },
    dropVm(vm) {
      for (const record of [...records.values()]) dropFrom(vm, record);
    },
    connect(edge) {
      const edges = edgesOf(incoming, edge.to);
      const known = edges.get(edge.from);
      // An edge that exists at load time exists at once in a fresh VM: the stronger kind wins.
      if (known && (known.kind === "load" || edge.kind === "call")) return false;
      edges.set(edge.from, edge);
      edgesOf(outgoing, edge.from).set(edge.to, edge);
      return true;
    },
    disconnect,
    module: (name) => records.get(name),
    modules: () => records.values(),
    dependents: (name) => incoming.get(name)?.values() ?? [],
    requires: (name) => outgoing.get(name)?.values() ?? [],
    *edges() {
      for (const edges of outgoing.values()) yield* edges.values();
    },
    namesOfFile,
    aliases(name) {
      const file = records.get(name)?.file;
      return file === undefined ? [] : [...namesOfFile(file)].filter((other) => other !== name);
    },
    namesTouching: (path) => byPath.get(path) ?? nothing,
  };
}
