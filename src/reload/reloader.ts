/** The way of a change, from a trigger to its outcome; one change set at a time. */

import { EventEmitter } from "node:events";
import { performance } from "node:perf_hooks";
import { type Change, changesBetween } from "../core/change-set.ts";
import type { Delivery } from "../core/delivery.ts";
import type { HoldStatus } from "../core/hold.ts";
import type { RehearsalOrder, Rehearsed } from "../core/move.ts";
import type { Outcome, OutcomeKind, Trigger } from "../core/outcome.ts";
import type { Plan } from "../core/plan.ts";
import { ReluaError } from "../errors.ts";
import type { Source, SourceStep } from "../source/contract.ts";
import type { GraphFeed } from "./graph-feed.ts";
import { History } from "./history.ts";
import { Hold, type HoldRequest } from "./hold.ts";
import { type Circumstances, type Findings, Journey } from "./journey.ts";
import { newAliases } from "./new-aliases.ts";
import { type NextFile, Planner, type PlannerParts, type ReloadRequest } from "./planner.ts";
import { stillStands } from "./standing-rejection.ts";
import type { Canary, Target } from "./target.ts";

export type { ReloadRequest } from "./planner.ts";

export interface ReloaderParts extends PlannerParts {
  readonly source: Source;
  readonly feed: GraphFeed;
  /** Undefined with `preflight: "off"`. */
  readonly canary: Canary | undefined;
  /** The VMs of the built-in pool; undefined where there is none. */
  readonly pool: Target | undefined;
  /** The hosts beside us. */
  readonly targets: readonly Target[];
  /** `load`: affected modules must load in the canary; `compile`: changed files must compile. */
  readonly preflight: "load" | "compile" | "off";
  /** Outcomes to remember. */
  readonly history: number;
  /** `reload.aliases: "error"`: a change set that loads a file under one name more is rejected. */
  readonly oneNamePerFile: boolean;
  /** Whether VMs are replaced when a pinned module changed. */
  readonly recycle: boolean;
}

export interface ReloaderEvents {
  plan: [plan: Plan, changes: readonly Change[]];
  outcome: [outcome: Outcome];
  /** A hold ended because its time was over; `released` is what comes of it, and rejects as `release` does. */
  "hold-expired": [hold: HoldRequest, released: Promise<Outcome>];
}

/** How long an outcome waits for VMs to report that they have moved; a busy one is not waited for. */
const reportWithinMs = 50;
/** The same for hosts: their workers look at the log every 0.1 s, and there is a call in between. */
const hostReportWithinMs = 300;

const nothing: Findings = {
  changes: [],
  plan: { roots: [], concerned: new Map(), evict: [], kept: [], recycleRequired: [], load: [] },
};

export class Reloader {
  readonly history: History;
  readonly #parts: ReloaderParts;
  readonly #planner: Planner;
  readonly #events = new EventEmitter<ReloaderEvents>();
  readonly #hold: Hold;
  #lastId = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #underWay = 0;
  #watchQueued = false;
  #rejected: Outcome | undefined;
  #rolledBackTo: number | undefined;

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
    this.#planner = new Planner(parts);
    this.history = new History(parts.history);
    this.#hold = new Hold((request, hold) => {
      const released = this.#reload({ reason: "the hold's time was over" }, "release", { hold });
      this.#events.emit("hold-expired", request, released);
    });
  }

  /** A change set is on its way, or waits for its turn. */
  get busy(): boolean {
    return this.#underWay > 0;
  }

  /** The rejection that stands: what differs on disk did not load. */
  get rejected(): Outcome | undefined {
    return this.#rejected;
  }

  /** The generation whose sources run again; undefined unless the last commit was a rollback. */
  get rolledBackTo(): number | undefined {
    return this.#rolledBackTo;
  }

  get held(): HoldStatus | undefined {
    return this.#hold.status;
  }

  on<E extends keyof ReloaderEvents>(event: E, listener: (...args: ReloaderEvents[E]) => void): void {
    (this.#events as EventEmitter).on(event, listener as (...args: unknown[]) => void);
  }

  /**
   * Brings every VM to what is on disk now; resolves with the outcome, never rejects for what Lua code does.
   * While a hold lasts the outcome is `held`, except for dry runs.
   * @throws ReluaError `source-failed` when the disk cannot be read
   */
  async reload(request: ReloadRequest, trigger: Trigger): Promise<Outcome> {
    return this.#waited(await this.#reload(request, trigger), request);
  }

  #reload(request: ReloadRequest, trigger: Trigger, circumstances?: Circumstances): Promise<Outcome> {
    return this.#inTurn(async () => {
      const journey = new Journey(trigger, request, circumstances);
      if (this.#hold.status && !request.dryRun) return this.#held(journey);
      const { source, store } = this.#parts;
      const paths = this.#planner.pathsOf(request);
      const step = await journey.stage("scanMs", () =>
        source.reconcile(paths ? { paths: [...paths], force: request.force ?? false } : "all"),
      );
      store.takeStep(step);
      const outcome = await this.#bring(
        journey,
        store.changes(paths),
        this.#planner.requested(request),
        this.#fromDisk(),
      );
      // The watcher does not tell again what was read here: what a dry run saw is still to be brought (Invariant 8).
      if (request.dryRun && isSomething(step) && source.status().mode !== "manual") this.#queueWatch();
      return outcome;
    });
  }

  /** The watcher settled on a step: it becomes a change set, together with all that waits by then. */
  takeStep(step: SourceStep): void {
    this.#parts.store.takeStep(step);
    this.#queueWatch();
  }

  #queueWatch(): void {
    if (this.#watchQueued) return;
    this.#watchQueued = true;
    void this.#inTurn(async () => {
      this.#watchQueued = false;
      if (this.#hold.status) return;
      await this.#bring(new Journey("watch", {}), this.#parts.store.changes(), [], this.#fromDisk());
    });
  }

  /**
   * A new generation with the sources of an old one; stands until the disk changes.
   * @throws ReluaError `generation-unknown` when that is not kept, or is none
   */
  rollback(generation: number, reason?: string): Promise<Outcome> {
    return this.#inTurn(async () => {
      const { store } = this.#parts;
      if (
        !Number.isInteger(generation) ||
        generation < store.oldestGeneration ||
        generation > store.generation
      )
        throw new ReluaError(
          "generation-unknown",
          `generation ${generation} is not kept; there are ${store.oldestGeneration} to ${store.generation}`,
        );
      const files = store.filesIn(generation);
      const then = new Map([...files].flatMap(([path, file]) => (file ? [[path, file] as const] : [])));
      const changes = changesBetween(files.keys(), store.active, then);
      const request = reason === undefined ? {} : { reason };
      const journey = new Journey("rollback", request, { rolledBackTo: generation });
      if (this.#hold.status) return this.#held(journey);
      return this.#bring(journey, changes, [], (path) => then.get(path));
    });
  }

  /** Collects changes without committing until `release`, or until the hold's time is over. */
  hold(request: HoldRequest): HoldStatus {
    this.#hold.begin(request);
    return this.#hold.status!;
  }

  /**
   * Ends the hold and commits everything that differs by now, as one change set; the outcome names the hold.
   * @throws ReluaError `source-failed` when the disk cannot be read
   */
  async release(request: Pick<ReloadRequest, "reason" | "waitMs"> = {}): Promise<Outcome> {
    const hold = this.#hold.end();
    return this.#waited(await this.#reload(request, "release", { hold }), request);
  }

  /** No hold outlives the agent. */
  close(): void {
    this.#hold.end();
  }

  /** The plan for a change at `paths`, as if their content had changed; nothing happens. */
  planFor(paths: readonly string[]): Plan {
    return this.#planner.planFor(paths);
  }

  /** One change set at a time; the next one waits. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    this.#underWay++;
    const turn = this.#tail.then(run);
    this.#tail = turn
      .catch(() => undefined)
      .then(() => {
        this.#underWay--;
      });
    return turn;
  }

  async #bring(
    journey: Journey,
    changes: readonly Change[],
    requested: readonly string[],
    next: NextFile,
  ): Promise<Outcome> {
    const { store } = this.#parts;
    // The disk goes on while the canary loads: what was planned is what is rehearsed and committed.
    const settled = new Map(changes.map(({ path }) => [path, next(path)]));
    const files: NextFile = (path) => settled.get(path);
    const plan = await journey.stage("planMs", () =>
      this.#planner.plan(changes, requested, files, journey.request),
    );
    this.#events.emit("plan", plan, changes);
    if (journey.request.dryRun) return this.#tell(journey, "planned", { changes, plan });
    if (changes.length === 0 && plan.evict.length === 0) {
      if (store.changes().length === 0) this.#rejected = undefined;
      return this.#tell(journey, "unchanged", { changes, plan });
    }

    const order: RehearsalOrder = {
      generation: store.generation + 1,
      manifest: store.delta(settled.keys(), files),
      compile: changes.filter((change) => change.kind !== "removed").map((change) => change.path),
      evict: plan.evict.map((member) => member.name),
      roots: plan.roots,
      load: this.#parts.preflight === "load" ? [...plan.recycleRequired, ...plan.load] : undefined,
      fresh: plan.recycleRequired.length > 0,
      tellRequires: this.#parts.oneNamePerFile,
    };
    const rehearsed = await journey.stage("canaryMs", () => this.#rehearse(order));
    const { requires } = rehearsed;
    const aliases = requires ? newAliases(this.#parts.graph, { plan, next: settled, requires }) : [];
    const errors = [...rehearsed.errors.filter((error) => this.#planner.isFault(error, changes)), ...aliases];
    if (errors.length > 0) return this.#tell(journey, "rejected", { changes, plan, errors });
    // Once a hold has been answered nothing commits: what was on its way still differs, and goes with the release.
    if (this.#hold.status) return this.#held(journey);
    return this.#commit(journey, { changes, plan }, files, {
      ...order,
      load: plan.load,
      bytecode: rehearsed.bytecode,
      evicted: plan.evict,
      changes,
      kept: plan.kept,
      recycleRequired: plan.recycleRequired,
    });
  }

  #rehearse(order: RehearsalOrder): Promise<Rehearsed> {
    return this.#parts.canary?.rehearse(order) ?? Promise.resolve({ errors: [], bytecode: [] });
  }

  async #commit(journey: Journey, findings: Findings, files: NextFile, delivery: Delivery): Promise<Outcome> {
    const { store, pool, targets, canary, feed, recycle } = this.#parts;
    const { generation } = delivery;
    const began = performance.now();
    // One turn of the main thread: from here to the end of the commits nothing may wait (Invariant 2).
    store.commit(
      findings.changes.map((change) => change.path),
      files,
    );
    for (const target of pool ? [pool, ...targets] : targets) target.commit(delivery);
    journey.took("commitMs", performance.now() - began);
    feed.committed(delivery);
    canary?.adopt(delivery);
    const pinnedChanged = findings.plan.recycleRequired.length > 0;
    const recycles = pinnedChanged && recycle && pool !== undefined;
    if (recycles) await pool.recycle();
    const [vms, ...reports] = await Promise.all([
      pool?.applied(generation, reportWithinMs),
      ...targets.map((target) => target.applied(generation, hostReportWithinMs)),
    ]);
    return this.#tell(journey, pinnedChanged && !recycles ? "recycle-required" : "committed", {
      ...findings,
      vms: vms?.applied ?? [],
      targets: reports,
    });
  }

  /** Outside of the turn: a worker that is down holds up nobody but the one who waits for it. */
  async #waited(outcome: Outcome, { waitMs = 0 }: Pick<ReloadRequest, "waitMs">): Promise<Outcome> {
    const isLive = ["committed", "recycle-required", "unchanged"].includes(outcome.outcome);
    if (waitMs === 0 || !isLive) return outcome;
    const { pool, targets } = this.#parts;
    const all = pool ? [pool, ...targets] : targets;
    const reports = await Promise.all(all.map((target) => target.applied(outcome.generation, waitMs)));
    const ofPool = reports.find(({ target }) => target === pool?.name);
    return {
      ...outcome,
      vms: ofPool?.applied ?? [],
      targets: reports.filter((report) => report !== ofPool),
      missing: reports.flatMap((report) =>
        report.missing.map((name) =>
          report === ofPool || name === report.target ? name : `${report.target} ${name}`,
        ),
      ),
    };
  }

  #fromDisk(): NextFile {
    return (path) => this.#parts.store.disk.get(path);
  }

  #held(journey: Journey): Outcome {
    return this.#tell(journey, "held", { ...nothing, hold: this.#hold.status });
  }

  #tell(journey: Journey, kind: OutcomeKind, findings: Findings): Outcome {
    const { store } = this.#parts;
    const whatRuns = { generation: store.generation, diskDiffers: store.changes().length > 0 };
    const outcome = journey.end(++this.#lastId, kind, whatRuns, findings);
    if (kind === "committed" || kind === "recycle-required") {
      this.#rolledBackTo = outcome.rolledBackTo;
      if (this.#rejected && !stillStands(this.#rejected, store)) this.#rejected = undefined;
    }
    // A rollback that is rejected says nothing of the disk.
    if (kind === "rejected" && outcome.rolledBackTo === undefined) this.#rejected = outcome;
    if (kind !== "unchanged" && kind !== "planned" && kind !== "held") this.history.add(outcome);
    this.#events.emit("outcome", outcome);
    return outcome;
  }
}

function isSomething({ present, absent }: SourceStep): boolean {
  return present.length + absent.length > 0;
}
