/** Explains: what a module or a file is, what the last reloads did to it and why, and why it is not evicted now (Invariant 10). */

import type { Edge, Graph, ModuleRecord } from "./graph.ts";
import type { HoldStatus } from "./hold.ts";
import { awayReason, type Bounds, namelessReason } from "./nowhere.ts";
import type { Outcome } from "./outcome.ts";
import type { PinnedWhy } from "./pins.ts";
import { isChunk } from "./plan.ts";
import { heldReason, pinnedReason, type Reason, rejectedReason } from "./reason.ts";
import { type KnownFiles, type Resolution, resolveName, resolvePath } from "./resolution.ts";
import { canonicalName } from "./search-path.ts";
import { type FileVerdict, fileVerdict, type ModuleVerdict, moduleVerdict } from "./verdict.ts";
import type { WholeGraph } from "./whole-graph.ts";

/** What an agent knows at one moment. */
export interface Knowledge extends Bounds {
  readonly graph: Graph;
  /** The same, completed by the sources. */
  readonly whole: WholeGraph;
  /** What runs. */
  readonly active: KnownFiles;
  readonly disk: KnownFiles;
  readonly pinnedWhy: PinnedWhy;
  /** Newest first. */
  readonly history: readonly Outcome[];
  readonly hold: HoldStatus | undefined;
  readonly rejected: Outcome | undefined;
  readonly rolledBackTo: number | undefined;
}

export interface ModuleExplanation {
  /** As VMs know it, or in canonical spelling. */
  readonly name: string;
  /** Undefined when no VM holds it or has looked for it. */
  readonly record: ModuleRecord | undefined;
  /** Where the configured search path leads now. */
  readonly resolution: Resolution;
  /** Those that lead to it and those that start at it; `static` ones are known from the sources alone. */
  readonly edges: readonly Edge[];
  /** Why it is not evicted now; the first says most. */
  readonly reasons: readonly Reason[];
  /** Of the newest reload; undefined when there was none. */
  readonly last: ModuleVerdict | undefined;
  /** Of the newest reload that evicted it. */
  readonly lastEvicted: ModuleVerdict | undefined;
}

export interface FileExplanation extends Resolution {
  /** Hash of what runs; undefined when nothing does. */
  readonly active: string | undefined;
  /** Hash of what is on the disk; undefined when nothing is, or when nobody looks there. */
  readonly disk: string | undefined;
  /** Names under which VMs hold it. */
  readonly held: readonly ModuleRecord[];
  readonly reasons: readonly Reason[];
  /** Of the newest reload that it was part of. */
  readonly last: FileVerdict | undefined;
}

/** Undefined when the name means nothing: no file, no VM, no source and no reload knows it. */
export function explainModule(knowledge: Knowledge, asked: string): ModuleExplanation | undefined {
  const { graph, whole, searchPath, active, history, pinnedWhy } = knowledge;
  const isKnown = graph.module(asked) !== undefined || isChunk(asked) || pinnedWhy(asked) !== undefined;
  const name = isKnown ? asked : canonicalName(asked);
  const record = graph.module(name);
  const resolution = resolveName(searchPath, active, name);
  const edges = [...whole.dependents(name), ...whole.requires(name)];
  const newest = history.find(({ outcome }) => outcome !== "held");
  const evictedIn = history.find((outcome) => moduleVerdict(outcome, name).evicted);
  const means =
    record !== undefined ||
    resolution.path !== undefined ||
    pinnedWhy(name) !== undefined ||
    edges.length > 0 ||
    evictedIn !== undefined;
  if (!means) return undefined;
  return {
    name,
    record,
    resolution,
    edges,
    reasons: moduleReasons(knowledge, name, record, resolution),
    last: newest && moduleVerdict(newest, name),
    lastEvicted: evictedIn && moduleVerdict(evictedIn, name),
  };
}

/** @param path absolute */
export function explainFile(knowledge: Knowledge, path: string): FileExplanation {
  const { searchPath, active, disk, graph, history } = knowledge;
  const known = active.files.has(path) || !disk.files.has(path) ? active : disk;
  const resolution = resolvePath(searchPath, known, path);
  const paths = known.pathsOf(path);
  const at = resolution.path ?? path;
  const names = new Set(paths.flatMap((each) => [...graph.namesTouching(each)]));
  const held = [...names]
    .map((name) => graph.module(name))
    .filter((record) => record !== undefined)
    .filter(({ vms, path: from }) => vms.size > 0 && from !== undefined && paths.includes(from));
  const all = new Set(paths);
  const outcome = history.find((each) => fileVerdict(each, all) !== undefined);
  return {
    ...resolution,
    active: active.files.get(at)?.hash,
    disk: disk.files.get(at)?.hash,
    held,
    reasons: fileReasons(knowledge, at, resolution, held),
    last: outcome && fileVerdict(outcome, all),
  };
}

function moduleReasons(
  knowledge: Knowledge,
  name: string,
  record: ModuleRecord | undefined,
  resolution: Resolution,
): readonly Reason[] {
  if (isChunk(name))
    return [{ code: "chunk", text: "no module: each request, or each new VM, runs it afresh" }];
  const reasons: Reason[] = [];
  const why = knowledge.pinnedWhy(name);
  if (why !== undefined) reasons.push(pinnedReason(why));
  const isHeld = (record?.vms.size ?? 0) > 0;
  const path = isHeld ? record?.path : (record?.path ?? resolution.path);
  // Beside a host nobody knows what its workers hold.
  if (!isHeld && record?.described !== true && why !== "built in")
    reasons.push(
      path === undefined
        ? { code: "not-found", text: "nothing on the search path answers to it" }
        : { code: "not-loaded", text: "no VM has loaded it" },
    );
  // Files that appeared where the search passes, and that do not answer yet.
  const { active, disk } = knowledge;
  for (const probe of record?.probes ?? resolution.probes)
    if (disk.files.has(probe) && !active.files.has(probe)) reasons.push(...stateReasons(knowledge, probe));
  if (path !== undefined) {
    reasons.push(...stateReasons(knowledge, path));
    if (isHeld && resolution.path !== undefined && resolution.path !== path)
      reasons.push({
        code: "shadowed",
        text: `loaded from ${path} by a package.path of its own; the search path leads to ${resolution.path}`,
      });
  }
  return reasons;
}

function fileReasons(
  knowledge: Knowledge,
  path: string,
  { names }: Resolution,
  held: readonly ModuleRecord[],
): readonly Reason[] {
  const reasons: Reason[] = [];
  const isThere = knowledge.active.files.has(path) || knowledge.disk.files.has(path);
  if (isThere && held.length === 0) {
    const leading = names.filter(({ shadowedBy }) => shadowedBy === undefined).map(({ name }) => name);
    const nameless = namelessReason(names);
    if (nameless !== undefined) reasons.push(nameless);
    else if (!leading.some((name) => knowledge.graph.module(name)?.described))
      reasons.push({ code: "not-loaded", text: `no VM has loaded ${leading.join(", ")}` });
  }
  for (const { name } of held) {
    const why = knowledge.pinnedWhy(name);
    if (why !== undefined)
      reasons.push({ ...pinnedReason(why), text: `${name} is ${pinnedReason(why).text}` });
  }
  return [...reasons, ...stateReasons(knowledge, path)];
}

/** How what runs at a path, what is on the disk and what the rules say go together. */
function stateReasons(knowledge: Knowledge, path: string): readonly Reason[] {
  const { active, disk, hold, rejected, rolledBackTo } = knowledge;
  const was = active.files.get(path);
  const now = disk.files.get(path);
  if (was === undefined && now === undefined) return [awayReason(knowledge, path)];
  if (was?.hash === now?.hash && was?.file === now?.file)
    return [{ code: "unchanged", text: `${path} is on the disk as it runs` }];
  if (hold !== undefined) return [heldReason(hold)];
  if (rejected?.changes.some((change) => change.path === path && change.hash === now?.hash))
    return [rejectedReason(rejected)];
  if (rolledBackTo !== undefined)
    return [
      { code: "rolled-back", text: `the disk differs: the sources of generation ${rolledBackTo} run again` },
    ];
  return [{ code: "pending", text: `${path} differs on the disk and is on its way` }];
}
