/** Outcomes, plans and status in the contract's JSON: for the API, the events and `--json` of the command line. */

import type { Change } from "../../core/change-set.ts";
import type { TargetStatus } from "../../core/delivery.ts";
import type { HoldStatus } from "../../core/hold.ts";
import type { LoadError, Outcome, PlannedChange, VmApplied } from "../../core/outcome.ts";
import type { Plan } from "../../core/plan.ts";
import { relativeFile, relativeText } from "../../core/relative-file.ts";
import type { AgentStatus, VmStatus, WatchStatus } from "../../core/status.ts";
import type {
  PresentedChange,
  PresentedHold,
  PresentedOutcome,
  PresentedPlan,
  PresentedStatus,
} from "./schemas.ts";

/** More skipped paths than this are not listed. */
const maxSkipped = 100;

/** Contract §5, "Result of a reload". */
export function presentOutcome(outcome: Outcome, prefix: string): PresentedOutcome {
  const { stages } = outcome;
  return {
    id: outcome.id,
    outcome: outcome.outcome,
    generation: outcome.generation,
    trigger: outcome.trigger,
    ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
    startedAt: new Date(outcome.startedAt).toISOString(),
    durationMs: tenths(outcome.durationMs),
    stages: {
      scanMs: tenths(stages.scanMs),
      planMs: tenths(stages.planMs),
      canaryMs: tenths(stages.canaryMs),
      commitMs: tenths(stages.commitMs),
    },
    changes: outcome.changes.map((change) => presentPlannedChange(change, prefix)),
    evicted: presentEvicted(outcome.evicted, prefix),
    kept: presentKept(outcome.kept, prefix),
    vms: outcome.vms.map(presentApplied),
    targets: outcome.targets.map(({ target, applied, missing, error }) => ({
      target,
      applied: applied.map(presentApplied),
      missing: [...missing],
      ...(error === undefined ? {} : { error }),
    })),
    ...(outcome.missing === undefined ? {} : { missing: [...outcome.missing] }),
    errors: outcome.errors.map((error) => presentLoadError(error, prefix)),
    recycleRequired: [...outcome.recycleRequired],
    diskDiffers: outcome.diskDiffers,
    ...(outcome.hold === undefined ? {} : { hold: presentHold(outcome.hold) }),
    ...(outcome.rolledBackTo === undefined ? {} : { rolledBackTo: outcome.rolledBackTo }),
  };
}

export function presentChange({ path, kind, hash, was }: Change, prefix: string): PresentedChange {
  // There may be thousands: a literal that is added to is ten times as fast as one that spreads others.
  const presented: PresentedChange = { file: relativeFile(path, prefix), kind };
  if (hash !== undefined) presented.hash = hash;
  if (was !== undefined) presented.was = was;
  return presented;
}

export function presentPlannedChange(change: PlannedChange, prefix: string): PresentedChange {
  const presented = presentChange(change, prefix);
  if (change.roots !== undefined) presented.roots = [...change.roots];
  return presented;
}

export function presentPlan(plan: Plan, prefix: string): PresentedPlan {
  return {
    roots: [...plan.roots],
    evicted: presentEvicted(plan.evict, prefix),
    kept: presentKept(plan.kept, prefix),
    recycleRequired: [...plan.recycleRequired],
  };
}

export function presentStatus(status: AgentStatus, prefix: string): PresentedStatus {
  const { watch, traffic, rejected } = status;
  return {
    generation: status.generation,
    pending: status.pending,
    held: status.held,
    hold: status.hold === undefined ? null : presentHold(status.hold),
    diskDiffers: status.diskDiffers,
    rolledBackTo: status.rolledBackTo ?? null,
    vms: status.vms.map(presentVm),
    targets: status.targets.map(presentTarget),
    watch: presentWatch(watch, prefix),
    waiting: traffic.waiting,
    rejected: rejected === undefined ? null : presentOutcome(rejected, prefix),
    uptimeMs: tenths(status.uptimeMs),
  };
}

function presentWatch(watch: WatchStatus, prefix: string): PresentedStatus["watch"] {
  const { files, folders, mode, live, sweep, reading } = watch;
  return {
    files,
    folders,
    mode,
    live,
    roots: watch.roots.map(({ folder, real }) => ({
      folder: relativeFile(folder, prefix),
      realFolder: real === undefined ? null : relativeFile(real, prefix),
    })),
    missingRoots: watch.missingRoots.map((root) => relativeFile(root, prefix)),
    skipped: watch.skipped
      .slice(0, maxSkipped)
      .map(({ path, reason }) => ({ file: relativeFile(path, prefix), reason })),
    ignored: [...watch.ignored],
    sweep: {
      lastAt: sweep.lastAt === undefined ? null : new Date(sweep.lastAt).toISOString(),
      costMs: tenths(sweep.costMs),
      missed: sweep.missed,
    },
    reading: reading ?? null,
  };
}

export function presentHold({ owner, reason, since, endsInMs }: HoldStatus): PresentedHold {
  return { owner, reason, since: new Date(since).toISOString(), endsInMs };
}

export function presentVm(vm: VmStatus): PresentedStatus["vms"][number] {
  return {
    id: vm.id,
    state: vm.state,
    generation: vm.generation,
    inFlight: vm.inFlight,
    modules: vm.modules,
    heap: vm.heap ?? null,
    restarts: vm.restarts,
  };
}

function presentTarget(target: TargetStatus): PresentedStatus["targets"][number] {
  const { name, type, state, generation, acknowledges, workers, error } = target;
  return {
    name,
    type,
    state,
    generation: generation ?? null,
    acknowledges,
    workers: workers.map(({ id, worker, pid, generation, modules, errors }) => ({
      id,
      worker,
      pid: pid ?? null,
      generation: generation ?? null,
      modules: modules ?? null,
      errors: [...errors],
    })),
    error: error ?? null,
  };
}

function presentApplied({ appliedMs, ...vm }: VmApplied): PresentedOutcome["vms"][number] {
  return { ...vm, appliedMs: tenths(appliedMs) };
}

/** One line: `apps/c.lua:3: unexpected symbol near 'x'`. */
export function loadErrorLine(error: LoadError, prefix: string): string {
  const { file, line, message } = presentLoadError(error, prefix);
  if (file === null) return message;
  return line === null ? `${file}: ${message}` : `${file}:${line}: ${message}`;
}

/** Lua puts the place before its message; here it has keys of its own. */
function presentLoadError(error: LoadError, prefix: string): PresentedOutcome["errors"][number] {
  const { path, line } = error;
  const place = `${path}:${line}: `;
  return {
    file: path === undefined ? null : relativeFile(path, prefix),
    line: line ?? null,
    message: error.message.startsWith(place) ? error.message.slice(place.length) : error.message,
    requiredBy: [...error.requiredBy],
  };
}

function presentEvicted(members: Plan["evict"], prefix: string): PresentedOutcome["evicted"] {
  return members.map(({ name, because, via }) => ({
    name,
    because: [...because],
    ...(via && { via: { ...via, ...(via.at !== undefined && { at: relativeFile(via.at, prefix) }) } }),
  }));
}

function presentKept(kept: Plan["kept"], prefix: string): PresentedOutcome["kept"] {
  return kept.map(({ name, why }) => ({ name, why: relativeText(why, prefix) }));
}

/** Milliseconds to one decimal. */
function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
