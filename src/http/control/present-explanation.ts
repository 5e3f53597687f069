/** Explanations in the control API's JSON. */

import type { FileExplanation, ModuleExplanation } from "../../core/explain.ts";
import type { Edge, ModuleRecord } from "../../core/graph.ts";
import { byEnds } from "../../core/graph-view.ts";
import type { Outcome } from "../../core/outcome.ts";
import type { Plan } from "../../core/plan.ts";
import type { Reason } from "../../core/reason.ts";
import { relativeFile } from "../../core/relative-file.ts";
import type { Resolution } from "../../core/resolution.ts";
import { toldFileName, toldReason, toldResolution } from "../../core/told-resolution.ts";
import type { FileVerdict, ModuleVerdict } from "../../core/verdict.ts";
import { presentPlan, presentPlannedChange } from "./present.ts";
import type {
  PresentedFileExplanation,
  PresentedGraph,
  PresentedModule,
  PresentedModuleExplanation,
} from "./schemas.ts";

/** What is shown of a module beside its own record. */
export interface ModuleSurroundings {
  readonly aliases: readonly string[];
  readonly pinned: string | undefined;
  readonly requires: readonly string[];
  readonly dependents: readonly string[];
}

export function presentModule(
  { name, path, hash, generation, vms }: ModuleRecord,
  { aliases, pinned, requires, dependents }: ModuleSurroundings,
  prefix: string,
): PresentedModule {
  return {
    name,
    file: fileOrNull(path, prefix),
    hash: hash ?? null,
    generation,
    vms: presentVms(vms),
    aliases: aliases.toSorted(),
    pinned: pinned ?? null,
    requires: requires.toSorted(),
    dependents: dependents.toSorted(),
  };
}

/** @param onChange undefined where the module has no file */
export function presentModuleExplanation(
  explained: ModuleExplanation,
  around: {
    readonly surroundings: ModuleSurroundings;
    readonly onChange: Plan | undefined;
    /** Why the name leads nowhere. */
    readonly reason: Reason | undefined;
    readonly incomplete: string | null;
  },
  prefix: string,
): PresentedModuleExplanation {
  const { name, record, resolution, edges, reasons, last, lastEvicted } = explained;
  const shown = presentModule(record ?? unknownTo(name, resolution), around.surroundings, prefix);
  return {
    ...shown,
    generation: record === undefined ? null : shown.generation,
    resolution: toldResolution(name, resolution, around.reason, prefix),
    edges: edges.map((edge) => presentEdge(edge, prefix)).sort(byEnds),
    reasons: reasons.map((reason) => toldReason(reason, prefix)),
    last: last === undefined ? null : presentModuleVerdict(last, prefix),
    lastEvicted: lastEvicted === undefined ? null : presentModuleVerdict(lastEvicted, prefix),
    onChange: around.onChange === undefined ? null : presentPlan(around.onChange, prefix),
    incomplete: around.incomplete,
  };
}

/** @param held names of the file that VMs hold, in whatever spelling */
export function presentFileExplanation(
  explained: FileExplanation,
  asked: string,
  onChange: Plan,
  prefix: string,
): PresentedFileExplanation {
  const { path = asked, file, active, disk, names, held, reasons, last } = explained;
  const known = new Map(held.map((record) => [record.name, record]));
  const spelled = held.filter((record) => !names.some(({ name }) => name === record.name));
  return {
    file: relativeFile(path, prefix),
    realFile: fileOrNull(file, prefix),
    hash: active ?? null,
    onDisk: disk ?? null,
    names: [...names, ...spelled.map(({ name }) => ({ name }))].map((each) => ({
      ...toldFileName(each, prefix),
      vms: presentVms(known.get(each.name)?.vms ?? []),
    })),
    reasons: reasons.map((reason) => toldReason(reason, prefix)),
    last: last === undefined ? null : presentFileVerdict(last, prefix),
    onChange: presentPlan(onChange, prefix),
  };
}

export function presentEdge(
  { from, to, kind, at, static: isStatic }: Edge,
  prefix: string,
): PresentedGraph["edges"][number] {
  return { from, to, kind, at: relativeFile(at, prefix), ...(isStatic && { static: isStatic }) };
}

/** VMs that serve; the canary is 0. */
export function presentVms(vms: Iterable<number>): number[] {
  return [...vms].filter((id) => id > 0).sort((a, b) => a - b);
}

function presentModuleVerdict(
  { outcome, evicted, causes, chain, reason }: ModuleVerdict,
  prefix: string,
): NonNullable<PresentedModuleExplanation["last"]> {
  return {
    ...presentVerdict(outcome),
    evicted,
    causes: causes.map((change) => presentPlannedChange(change, prefix)),
    chain: chain.map(({ name, kind, at, static: isStatic }) => ({
      name,
      ...(kind !== undefined && { kind }),
      ...(at !== undefined && { at: relativeFile(at, prefix) }),
      ...(isStatic && { static: isStatic }),
    })),
    reason: reason === undefined ? null : toldReason(reason, prefix),
  };
}

function presentFileVerdict(
  { outcome, change, evicted }: FileVerdict,
  prefix: string,
): NonNullable<PresentedFileExplanation["last"]> {
  return { ...presentVerdict(outcome), change: presentPlannedChange(change, prefix), evicted: [...evicted] };
}

function presentVerdict({ id, outcome, generation, startedAt }: Outcome) {
  return { id, outcome, generation, startedAt: new Date(startedAt).toISOString() };
}

function unknownTo(name: string, { path, hash, probes }: Resolution): ModuleRecord {
  const none: ReadonlySet<number> = new Set();
  return {
    name,
    path,
    file: undefined,
    hash,
    probes,
    generation: 0,
    vms: none,
    pinnedIn: none,
    described: false,
  };
}

function fileOrNull(path: string | undefined, prefix: string): string | null {
  return path === undefined ? null : relativeFile(path, prefix);
}
