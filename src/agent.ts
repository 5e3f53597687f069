/** The agent: puts the parts together, starts and ends them; the only file that knows them all. */

import { EventEmitter } from "node:events";
import { type Config, type ConfigInput, parseConfig } from "./config/index.ts";
import type { Change } from "./core/change-set.ts";
import { createGraph, type Graph } from "./core/graph.ts";
import type { HoldStatus } from "./core/hold.ts";
import type { LogLevel } from "./core/log.ts";
import type { Outcome, Trigger } from "./core/outcome.ts";
import { createPins, type PinnedWhy, withHotPins } from "./core/pins.ts";
import type { PlainValue } from "./core/plain-value.ts";
import type { Plan } from "./core/plan.ts";
import { fixedFiles, sourceRoots } from "./core/search-path.ts";
import type { ServersDocument } from "./core/servers.ts";
import type { AgentStatus, VmStatus } from "./core/status.ts";
import { ReluaError } from "./errors.ts";
import type { ServersUpdateReport } from "./http/servers-update.ts";
import { syntaxError } from "./lua/syntax.ts";
import { describeAliases, GraphFeed } from "./reload/graph-feed.ts";
import { defaultHoldLimitMs, type HoldRequest } from "./reload/hold.ts";
import { HoldFile } from "./reload/hold-file.ts";
import { ManifestStore } from "./reload/manifest-store.ts";
import { Reloader, type ReloadRequest } from "./reload/reloader.ts";
import type { HostTarget, Target } from "./reload/target.ts";
import type { Source } from "./source/contract.ts";
import { createSource } from "./source/source.ts";
import { CanaryVm } from "./vm/canary-vm.ts";
import type { VmSnapshot } from "./vm/hosted-vm.ts";
import { createPool, type Pool } from "./vm/pool.ts";
import { PoolTarget, whyRecycled } from "./vm/pool-target.ts";
import type { VmSettings } from "./vm/protocol.ts";
import { vmSettings } from "./vm-settings.ts";
import { WebFront } from "./web-front.ts";

export interface AgentEvents {
  /** A change set has a plan; what comes of it follows as `outcome`. */
  plan: [plan: Plan, changes: readonly Change[]];
  /** A reload ended: committed, rejected, unchanged or planned. */
  outcome: [outcome: Outcome];
  /** A VM changed its state; `why` says what ended its predecessor. */
  vm: [vm: VmStatus, why: string | undefined];
  /** What Lua code and the agent's parts have to say; `vm` is 0 for the canary, undefined for the agent. */
  log: [level: LogLevel, message: string, vm: number | undefined];
  /** A scan has been running for over a second. */
  progress: [filesDone: number, filesTotal: number];
}

/** Parts that a test replaces to show that it would notice; nothing else has a reason to. */
export interface AgentSubstitutes {
  /** File of the VM threads. */
  readonly vmEntry?: string;
  readonly target?: (pool: Pool) => Target;
}

/** Extra time on top of the rehearsal's own deadline, for what no instruction hook can stop. */
const canaryGraceMs = 500;

/**
 * An agent for a configuration as a user writes it. Nothing runs before `start`.
 * @throws ReluaError `config-invalid`, with one line per problem in `details`
 */
export function createAgent(input: ConfigInput): Agent {
  return new Agent(parseConfig(input));
}

/** Hosts the VMs, watches the search path, serves HTTP. One `start`, one `close`. */
export class Agent {
  readonly config: Config;
  readonly graph: Graph = createGraph();
  readonly #events = new EventEmitter<AgentEvents>();
  readonly #source: Source;
  readonly #store: ManifestStore;
  readonly #feed: GraphFeed;
  /** The VMs, for tools and tests. */
  readonly pool: Pool;
  readonly #canary: CanaryVm | undefined;
  readonly #pinnedWhy: PinnedWhy;
  readonly #vmSettings: VmSettings;
  readonly #web: WebFront;
  readonly #targets: readonly HostTarget[] = [];
  readonly #holdFile: HoldFile;
  readonly reloader: Reloader;
  #startedAtMs = 0;
  /** The last of the recyclings that VMs asked for. */
  #replaced: Promise<void> = Promise.resolve();
  #state: "new" | "started" | "closed" = "new";

  constructor(config: Config, substitutes: AgentSubstitutes = {}) {
    this.config = config;
    const { reload, limits } = config;
    const pinnedItself = (name: string) => (this.graph.module(name)?.pinnedIn.size ?? 0) > 0;
    this.#pinnedWhy = withHotPins(createPins(reload.pinned), pinnedItself);
    this.#vmSettings = vmSettings(config);
    this.#store = new ManifestStore(reload.history);
    const { aliases } = reload;
    this.#feed = new GraphFeed(this.graph, (found) => {
      if (aliases !== "off") this.#log(aliases, describeAliases(found), undefined);
    });
    this.#web = new WebFront(config);
    this.#source = createSource({
      roots: sourceRoots(config.searchPath),
      files: [...fixedFiles(config.searchPath), ...this.#web.handlerFiles],
      ignore: config.scan.ignore,
      maxFileBytes: config.scan.maxFileBytes,
      watch: config.watch,
    });
    const preflight = reload.preflight;
    this.pool = createPool({
      threads: config.threads,
      spareThreads: preflight === "off" ? 0 : 1,
      concurrency: config.concurrency,
      limits: { queue: limits.queue, heapMb: limits.heapMb, requestMs: limits.requestMs },
      boot: () => this.#bootSnapshot(),
      ...(substitutes.vmEntry !== undefined && { entry: substitutes.vmEntry }),
    });
    if (preflight !== "off")
      this.#canary = new CanaryVm({
        host: (vm, snapshot, listener) => this.pool.host(vm, snapshot, listener),
        boot: () => this.#bootSnapshot(),
        timeoutMs: reload.canaryMs + canaryGraceMs,
        log: (message) => this.#log("warn", message, 0),
      });
    this.reloader = new Reloader({
      source: this.#source,
      store: this.#store,
      graph: this.graph,
      feed: this.#feed,
      searchPath: config.searchPath,
      pinnedWhy: this.#pinnedWhy,
      canary: this.#canary,
      pool: substitutes.target?.(this.pool) ?? new PoolTarget(this.pool),
      targets: this.#targets,
      preflight,
      history: reload.history,
      recycle: reload.recycle,
    });
    this.#holdFile = new HoldFile(config.prefix, {
      appeared: (reason) => {
        this.reloader.hold({ owner: this.#holdFile.path, reason, limitMs: defaultHoldLimitMs });
      },
      vanished: () => {
        const { path } = this.#holdFile;
        // Somebody may have released it by hand, and somebody else hold by now.
        if (this.reloader.held?.owner === path) this.#watchOver(this.reloader.release(`${path} is gone`));
      },
    });
    this.#listen();
  }

  /**
   * Scans, boots the VMs and listens.
   * @throws ReluaError `vm-failed` (initBy), `address-in-use`, `listen-failed`, `source-failed`; everything is closed then
   */
  async start(): Promise<void> {
    if (this.#state !== "new") throw new ReluaError("agent-closed", "an agent starts once");
    this.#state = "started";
    this.#startedAtMs = performance.now();
    try {
      this.#store.takeStep(await this.#source.start());
      this.#store.commit([...this.#store.disk.keys()], (path) => this.#store.disk.get(path));
      // Steps that settle from here on are change sets over generation 1.
      this.#source.on("step", (step) => this.reloader.takeStep(step));
      const pool = this.pool.start();
      this.#canary?.start();
      await pool;
      await this.#holdFile.start();
      await this.#web.listen({
        agent: this,
        dispatcher: this.pool,
        generation: () => this.#store.generation,
        log: (level, message) => this.#log(level, message, undefined),
        tellLocations: (locations) => this.pool.broadcast({ type: "locations", locations }),
        watchFiles: async (files) => {
          const step = await this.#source.setFiles([...fixedFiles(this.config.searchPath), ...files]);
          if (step.present.length + step.absent.length > 0) this.reloader.takeStep(step);
        },
      });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Addresses in use: of the data plane's servers and of the control plane. */
  get addresses(): { readonly data: readonly string[]; readonly control: string | undefined } {
    return { data: this.#web.dataAddresses, control: this.#web.controlAddress };
  }

  /**
   * Calls a Lua function, `require(module)[fn](…args)`, in one of the VMs.
   * @returns the function's first result
   * @throws ReluaError `lua-error` with the traceback in `details`, `pool-full`, `pool-closed`, `vm-died`
   */
  call(module: string, fn: string, ...args: readonly PlainValue[]): Promise<PlainValue> {
    return new Promise((resolve, reject) => {
      this.pool.dispatch(
        { type: "call", module, fn, args },
        {
          result: (values) => resolve(values[0] ?? null),
          failed: ({ message, traceback }) =>
            reject(new ReluaError("lua-error", message, traceback.split("\n"))),
          unavailable: (reason) =>
            reject(
              new ReluaError(
                reason === "no-answer" ? "vm-died" : reason,
                `${module}.${fn} was not run: ${reason}`,
              ),
            ),
        },
      );
    });
  }

  /** Brings every VM to what is on disk now, or changes nothing; resolves with the outcome. */
  reload(request: ReloadRequest = {}, trigger: Trigger = "call"): Promise<Outcome> {
    return this.reloader.reload(request, trigger);
  }

  /**
   * A new generation with the sources of an old one; stands until the disk changes.
   * @throws ReluaError `generation-unknown`
   */
  rollback(generation: number, reason?: string): Promise<Outcome> {
    return this.reloader.rollback(generation, reason);
  }

  /** Collects changes without committing until `release`, at most for `limitMs` (default ten minutes). */
  hold(request: Partial<HoldRequest> = {}): HoldStatus {
    return this.reloader.hold({ owner: "agent.hold", reason: "", limitMs: defaultHoldLimitMs, ...request });
  }

  /** Ends the hold and commits everything that differs by now, as one change set. */
  release(reason?: string): Promise<Outcome> {
    return this.reloader.release(reason);
  }

  status(): AgentStatus {
    const watch = this.#source.status();
    return {
      generation: this.#store.generation,
      pending: watch.pending || this.reloader.busy,
      held: this.reloader.held !== undefined,
      hold: this.reloader.held,
      diskDiffers: this.#store.changes().length > 0,
      rolledBackTo: this.reloader.rolledBackTo,
      vms: this.pool.vms(),
      targets: this.#targets.map((target) => target.status()),
      watch,
      rejected: this.reloader.rejected,
      uptimeMs: performance.now() - this.#startedAtMs,
    };
  }

  /** Bytes of source contents in shared memory: of the active generation, the disk, and what can be gone back to. */
  get arenaBytes(): number {
    return this.#store.arenaBytes;
  }

  /** `$prefix`, absolute. */
  get prefix(): string {
    return this.config.prefix;
  }

  /** The servers as they are served now. */
  readServers(): ServersDocument {
    return this.#web.servers;
  }

  /** Changes handlers of configured locations; resolves when every request that starts later is answered by them. */
  updateServers(put: ServersDocument): Promise<ServersUpdateReport> {
    return this.#web.update(put);
  }

  /** The compiler's message, with `label` as the chunk's name; undefined when the code compiles. */
  compile(label: string, code: string): string | undefined {
    return syntaxError(label, code);
  }

  /** Why a module name is never evicted; undefined when it may be. */
  pinnedWhy(name: string): string | undefined {
    return this.#pinnedWhy(name);
  }

  on<E extends keyof AgentEvents>(event: E, listener: (...args: AgentEvents[E]) => void): void {
    (this.#events as EventEmitter).on(event, listener as (...args: unknown[]) => void);
  }

  /** Stops accepting, finishes what is in flight for at most `shutdownMs`, ends every thread. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    const { shutdownMs } = this.config;
    this.#holdFile.close();
    this.reloader.close();
    const source = this.#source.close();
    const until = performance.now() + shutdownMs;
    await this.#web.close(shutdownMs);
    await this.pool.drain(Math.max(0, until - performance.now()));
    await this.pool.close();
    await source;
  }

  #listen(): void {
    this.#source.on("warning", (message) => this.#log("warn", message, undefined));
    this.#source.on("progress", (done, total) => this.#events.emit("progress", done, total));
    this.reloader.on("plan", (plan, changes) => this.#events.emit("plan", plan, changes));
    this.reloader.on("hold-expired", ({ owner, limitMs }, released) => {
      this.#log("warn", `the hold of ${owner} was not released within ${limitMs} ms: it is over`, undefined);
      this.#watchOver(released);
    });
    this.reloader.on("outcome", (outcome) => this.#events.emit("outcome", outcome));
    const pool = this.pool;
    pool.on("observed", (vm, batch) => this.#feed.observed(vm, batch));
    pool.on("log", (vm, level, message) => this.#log(level, message, vm));
    pool.on("vm", (vm, end) => {
      if (end) this.#feed.vmGone(vm.id);
      this.#events.emit("vm", vm, end && "message" in end ? end.message : undefined);
    });
    pool.on("applied", (vm, report) => {
      this.#feed.reached(Math.min(...pool.vms().map(({ generation }) => generation)));
      const reason = whyRecycled(report);
      if (reason !== undefined) this.#replace(vm, reason);
    });
    pool.on("recycle", (vm, message) => this.#replace(vm, message));
  }

  /** Recycles a VM that is not fit to go on; one after another, so that others serve meanwhile. */
  #replace(vm: number, reason: string): void {
    this.#log("error", `VM ${vm} is recycled: ${reason}`, vm);
    this.#replaced = this.#replaced
      .then(() => this.pool.recycle(vm))
      .catch((error: Error) => {
        if (this.#state !== "closed") this.#log("error", `VM ${vm}: ${error.message}`, vm);
      });
  }

  /** A release that nobody asked for by a call: there is nobody else to tell when it cannot be done. */
  #watchOver(released: Promise<Outcome>): void {
    released.catch((error: Error) => {
      if (this.#state !== "closed") this.#log("error", `nothing was released: ${error.message}`, undefined);
    });
  }

  #log(level: LogLevel, message: string, vm: number | undefined): void {
    this.#events.emit("log", level, message, vm);
  }

  /** What a VM starts with: the active generation, always. */
  #bootSnapshot(): VmSnapshot {
    return {
      settings: this.#vmSettings,
      generation: this.#store.generation,
      manifest: this.#store.snapshot(),
      locations: this.#web.locations,
    };
  }
}
