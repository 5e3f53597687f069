/** The agent: puts the parts together, starts and ends them; the only file that knows them all. */

import { EventEmitter } from "node:events";
import { type Config, type ConfigInput, parseConfig } from "./config/index.ts";
import type { Change } from "./core/change-set.ts";
import { createGraph, type Edge, type Graph } from "./core/graph.ts";
import type { HoldStatus } from "./core/hold.ts";
import type { LogLevel } from "./core/log.ts";
import type { Outcome, Trigger } from "./core/outcome.ts";
import { createPins, type PinnedWhy, withHotPins } from "./core/pins.ts";
import type { PlainValue } from "./core/plain-value.ts";
import type { Plan } from "./core/plan.ts";
import { fixedFiles, type SearchPath, sourceRoots } from "./core/search-path.ts";
import type { ServersDocument } from "./core/servers.ts";
import type { AgentStatus, VmStatus } from "./core/status.ts";
import { ReluaError } from "./errors.ts";
import { HostSide } from "./host-side.ts";
import type { ControlledAgent } from "./http/control/controlled-agent.ts";
import type { ServersUpdateReport } from "./http/servers-update.ts";
import { syntaxError } from "./lua/syntax.ts";
import { describeAliases, GraphFeed } from "./reload/graph-feed.ts";
import { defaultHoldLimitMs, type HoldRequest } from "./reload/hold.ts";
import { HoldFile } from "./reload/hold-file.ts";
import { ManifestStore } from "./reload/manifest-store.ts";
import { Reloader, type ReloadRequest } from "./reload/reloader.ts";
import type { Source } from "./source/contract.ts";
import { createIgnoredBy } from "./source/ignored-by.ts";
import { createSource } from "./source/source.ts";
import { StaticSources } from "./static-sources.ts";
import type { Pool } from "./vm/pool.ts";
import { type FleetSubstitutes, VmFleet } from "./vm-fleet.ts";
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

export interface AgentOptions extends FleetSubstitutes {
  /** False: no VMs of its own and no data plane; it stands beside the hosts that `targets` names. Default true. */
  readonly hosting?: boolean;
}

/**
 * An agent for a configuration as a user writes it. Nothing runs before `start`.
 * @throws ReluaError `config-invalid`, with one line per problem in `details`
 */
export function createAgent(input: ConfigInput, options: Pick<AgentOptions, "hosting"> = {}): Agent {
  return new Agent(parseConfig(input), options);
}

/** Hosts the VMs or stands beside a host, watches the search path, serves HTTP. One `start`, one `close`. */
export class Agent {
  readonly config: Config;
  readonly graph: Graph = createGraph();
  readonly #events = new EventEmitter<AgentEvents>();
  readonly #source: Source;
  readonly #store: ManifestStore;
  readonly #feed: GraphFeed;
  /** Undefined beside another host. */
  readonly #fleet: VmFleet | undefined;
  readonly #pinnedWhy: PinnedWhy;
  readonly #statics: StaticSources;
  readonly #web: WebFront;
  readonly #hosts: HostSide;
  readonly #holdFile: HoldFile;
  readonly reloader: Reloader;
  /** What runs, what is on the disk, and which rule makes a path neither. */
  readonly sources: ControlledAgent["sources"];
  #startedAtMs = 0;
  #state: "new" | "started" | "closed" = "new";

  constructor(config: Config, { hosting = true, ...substitutes }: AgentOptions = {}) {
    this.config = config;
    const { reload } = config;
    const pinnedItself = (name: string) => (this.graph.module(name)?.pinnedIn.size ?? 0) > 0;
    this.#pinnedWhy = withHotPins(createPins(reload.pinned), pinnedItself);
    this.#store = new ManifestStore(reload.history);
    const { aliases } = reload;
    this.#feed = new GraphFeed(this.graph, (found) => {
      if (aliases !== "off") this.#log(aliases, describeAliases(found), undefined);
    });
    this.#web = new WebFront(hosting ? config : { ...config, servers: [] });
    const watched = {
      roots: sourceRoots(config.searchPath),
      files: [...fixedFiles(config.searchPath), ...this.#web.handlerFiles],
      ignore: config.scan.ignore,
    };
    this.#source = createSource({ ...watched, maxFileBytes: config.scan.maxFileBytes, watch: config.watch });
    const { active, disk } = this.#store;
    this.sources = { active, disk, ignoredBy: createIgnoredBy(watched) };
    this.#statics = new StaticSources({
      ...config,
      generation: () => this.#store.generation,
      manifest: () => this.#store.whole(),
    });
    if (hosting)
      this.#fleet = new VmFleet(
        config,
        {
          generation: () => this.#store.generation,
          manifest: () => this.#store.snapshot(),
          locations: () => this.#web.locations,
          observed: (vm, batch) => this.#feed.observed(vm, batch),
          vm: (vm, why, hasEnded) => {
            if (hasEnded) this.#feed.vmGone(vm.id);
            this.#events.emit("vm", vm, why);
          },
          reached: () => this.#tellReached(),
          log: (level, message, vm) => this.#log(level, message, vm),
        },
        substitutes,
      );
    this.#hosts = new HostSide(config, {
      store: this.#store,
      graph: this.graph,
      feed: this.#feed,
      statics: this.#statics,
      pinnedWhy: this.#pinnedWhy,
      canary: this.#fleet?.canary,
      lastVm: hosting ? config.threads : 0,
      hosting,
      log: (level, message) => this.#log(level, message, undefined),
    });
    this.reloader = new Reloader({
      source: this.#source,
      store: this.#store,
      graph: this.graph,
      feed: this.#feed,
      searchPath: config.searchPath,
      pinnedWhy: this.#pinnedWhy,
      canary: this.#hosts,
      pool: this.#fleet?.target,
      targets: this.#hosts.targets,
      preflight: reload.preflight,
      history: reload.history,
      oneNamePerFile: aliases === "error",
      recycle: reload.recycle,
    });
    this.#holdFile = new HoldFile(config.prefix, {
      appeared: (reason) => {
        this.reloader.hold({ owner: this.#holdFile.path, reason, limitMs: defaultHoldLimitMs });
      },
      vanished: () => {
        const { path } = this.#holdFile;
        // Somebody may have released it by hand, and somebody else hold by now.
        if (this.reloader.held?.owner === path)
          this.#watchOver(this.reloader.release({ reason: `${path} is gone` }));
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
      this.#store.begin(await this.#source.start());
      // Steps that settle from here on are change sets over generation 1.
      this.#source.on("step", (step) => this.reloader.takeStep(step));
      await this.#fleet?.start();
      await this.#hosts.start();
      await this.#holdFile.start();
      await this.#web.listen({
        agent: this,
        dispatcher: this.#fleet?.pool,
        generation: () => this.#store.generation,
        log: (level, message) => this.#log(level, message, undefined),
        tellLocations: (locations) => this.#fleet?.pool.broadcast({ type: "locations", locations }),
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
   * @throws ReluaError `lua-error` with the traceback in `details`, `pool-full`, `pool-closed`, `vm-died`, `no-vms`
   */
  call(module: string, fn: string, ...args: readonly PlainValue[]): Promise<PlainValue> {
    // Not an async function: its promise would wait for this one, some turns of the microtask queue more for each call.
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
   * @throws ReluaError `generation-unknown`, `no-vms` beside another host
   */
  async rollback(generation: number, reason?: string): Promise<Outcome> {
    if (!this.hosting)
      throw new ReluaError(
        "no-vms",
        "a rollback needs VMs of the agent's own: hosts beside it read code from the disk; put the old files back there",
      );
    return this.reloader.rollback(generation, reason);
  }

  /** Collects changes without committing until `release`, at most for `limitMs` (default ten minutes). */
  hold(request: Partial<HoldRequest> = {}): HoldStatus {
    return this.reloader.hold({ owner: "agent.hold", reason: "", limitMs: defaultHoldLimitMs, ...request });
  }

  /** Ends the hold and commits everything that differs by now, as one change set. */
  release(request: Pick<ReloadRequest, "reason" | "waitMs"> = {}): Promise<Outcome> {
    return this.reloader.release(request);
  }

  /**
   * The VMs, for tools and tests.
   * @throws ReluaError `no-vms` beside another host
   */
  get pool(): Pool {
    if (this.#fleet) return this.#fleet.pool;
    throw new ReluaError("no-vms", "this agent has no VMs of its own: it stands beside its targets");
  }

  /** Whether it has VMs of its own. */
  get hosting(): boolean {
    return this.#fleet !== undefined;
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
      vms: this.#fleet?.pool.vms() ?? [],
      targets: this.#hosts.targets.map((target) => target.status()),
      watch,
      traffic: {
        ...this.#web.traffic,
        waiting: this.#fleet?.pool.waiting ?? 0,
        unfinished: this.#fleet?.pool.unfinished ?? {},
      },
      rejected: this.reloader.rejected,
      uptimeMs: performance.now() - this.#startedAtMs,
    };
  }

  /** Bytes of source contents in shared memory: of the active generation, the disk, and what can be gone back to. */
  get arenaBytes(): number {
    return this.#store.arenaBytes;
  }

  /**
   * What the sources of the active generation require by their texts, loaded or not.
   * @throws ReluaError `analysis-failed`
   */
  staticEdges(): Promise<readonly Edge[]> {
    return this.#statics.edges();
  }

  /** `$prefix`, absolute. */
  get prefix(): string {
    return this.config.prefix;
  }

  /** `lua_package_path`, parsed. */
  get searchPath(): SearchPath {
    return this.config.searchPath;
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
    const beside = Promise.all([this.#hosts.close(), this.#statics.close()]);
    await this.#web.close(shutdownMs);
    await this.#fleet?.close(Math.max(0, until - performance.now()));
    await Promise.all([source, beside]);
  }

  #listen(): void {
    this.#source.on("warning", (message) => this.#log("warn", message, undefined));
    this.#source.on("progress", (done, total) => this.#events.emit("progress", done, total));
    this.reloader.on("plan", (plan, changes) => this.#events.emit("plan", plan, changes));
    this.reloader.on("hold-expired", ({ owner, limitMs }, released) => {
      this.#log("warn", `the hold of ${owner} was not released within ${limitMs} ms: it is over`, undefined);
      this.#watchOver(released);
    });
    this.reloader.on("outcome", (outcome) => {
      this.#tellReached();
      this.#events.emit("outcome", outcome);
    });
  }

  /** Nothing older than what the slowest VM or worker is on will be observed any more. */
  #tellReached(): void {
    const vms = this.#fleet?.pool.vms().map(({ generation }) => generation) ?? [];
    this.#feed.reached(Math.min(this.#store.generation, ...vms, this.#hosts.oldestGeneration ?? Infinity));
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
}
