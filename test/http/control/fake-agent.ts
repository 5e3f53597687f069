/** An agent that does as it is told and writes down what was asked of it. */

import { EventEmitter } from "node:events";
import { createGraph, type Edge } from "../../../src/core/graph.ts";
import type { SourceFile } from "../../../src/core/manifest.ts";
import type { Outcome, Trigger } from "../../../src/core/outcome.ts";
import { createPins } from "../../../src/core/pins.ts";
import type { Plan } from "../../../src/core/plan.ts";
import { parseSearchPath } from "../../../src/core/search-path.ts";
import type { ServersDocument } from "../../../src/core/servers.ts";
import type { AgentStatus } from "../../../src/core/status.ts";
import { ReluaError } from "../../../src/errors.ts";
import type { ControlledAgent } from "../../../src/http/control/controlled-agent.ts";
import { updateServers } from "../../../src/http/servers-update.ts";
import { History } from "../../../src/reload/history.ts";
import type { ReloadRequest } from "../../../src/reload/reloader.ts";

export const prefix = "/srv/shop";

export function outcome(more: Partial<Outcome> = {}): Outcome {
  return {
    id: 12,
    outcome: "committed",
    generation: 7,
    trigger: "api",
    reason: undefined,
    startedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    durationMs: 14.2345,
    stages: { scanMs: 1.26, planMs: 0.04, canaryMs: 10, commitMs: 0.5 },
    changes: [{ path: `${prefix}/apps/c.lua`, kind: "changed", hash: "00ff", was: "ff00" }],
    evicted: [{ name: "a", because: ["c", "lib.b", "a"] }],
    kept: [{ name: "ffi_thing", why: "pinned" }],
    targets: [],
    vms: [{ id: 1, appliedMs: 0.44 }],
    errors: [],
    recycleRequired: [],
    diskDiffers: false,
    ...more,
  };
}

export const plan: Plan = {
  roots: ["c"],
  concerned: new Map(),
  evict: [{ name: "a", because: ["c", "a"] }],
  kept: [],
  recycleRequired: [],
  load: ["c", "a"],
};

export const status: AgentStatus = {
  generation: 7,
  pending: false,
  held: false,
  hold: undefined,
  diskDiffers: false,
  targets: [],
  vms: [
    {
      id: 1,
      state: "ready",
      generation: 7,
      inFlight: 2,
      modules: 3,
      heap: undefined,
      restarts: 0,
      dispatched: 12,
    },
  ],
  traffic: { connections: 4, responses: [], waiting: 0, unfinished: {} },
  watch: {
    files: 4,
    folders: 2,
    mode: "events",
    live: true,
    roots: [
      { folder: `${prefix}/apps`, real: "/srv/releases/7/apps" },
      { folder: `${prefix}/lib`, real: undefined },
    ],
    missingRoots: [`${prefix}/lib`],
    skipped: [],
    ignored: ["node_modules", 'watch.ignore has "*.bak"'],
    sweep: { lastAt: Date.UTC(2026, 0, 2), costMs: 7.04, missed: 2 },
    reading: undefined,
  },
  rejected: undefined,
  uptimeMs: 1234.56,
};

const servers: ServersDocument = {
  servers: [
    {
      listens: ["0.0.0.0:80"],
      serverNames: [""],
      locations: [{ location: "/luatest", lua: { content_by: "ngx.say('old')", access_by: "return" } }],
    },
  ],
};

export class FakeAgent implements ControlledAgent {
  readonly prefix = prefix;
  readonly arenaBytes = 4096;
  readonly graph = createGraph();
  readonly searchPath = parseSearchPath("apps/?.lua;apps/?/init.lua;lib/?.lua", { prefix, cwd: prefix });
  readonly sources = {
    active: new Map<string, SourceFile>(),
    disk: new Map<string, SourceFile>(),
    ignoredBy: (path: string) => (path.includes("/.git/") ? "names that start with a dot" : undefined),
  };
  /** What the sources say; an error is what the analysis fails with. */
  statics: readonly Edge[] | ReluaError = [];
  readonly history = new History(10);
  readonly reloads: { readonly request: ReloadRequest; readonly trigger: Trigger }[] = [];
  readonly compiled: { readonly label: string; readonly code: string }[] = [];
  readonly planned: (readonly string[])[] = [];
  /** What the next reload comes to. */
  next: () => Promise<Outcome> = async () => outcome();
  currentStatus = status;
  servers = servers;
  readonly #pins = createPins(["vendor.*"]);
  readonly #events = new EventEmitter();

  readonly reloader = {
    history: this.history,
    planFor: (paths: readonly string[]) => {
      this.planned.push(paths);
      return plan;
    },
  };

  /** Calls that could change something. */
  get touched(): number {
    return this.reloads.length + this.updates + this.turns.length;
  }
  updates = 0;
  /** Holds, releases and rollbacks. */
  readonly turns: object[] = [];

  reload(request: ReloadRequest, trigger: Trigger): Promise<Outcome> {
    this.reloads.push({ request, trigger });
    return this.next();
  }
  async rollback(generation: number, reason?: string): Promise<Outcome> {
    if (generation > 7)
      throw new ReluaError("generation-unknown", `generation ${generation} is not kept; there are 1 to 7`);
    this.turns.push({ call: "rollback", generation, reason });
    return { ...(await this.next()), trigger: "rollback", rolledBackTo: generation };
  }
  hold(request: object) {
    this.turns.push({ call: "hold", ...request });
    return { owner: "deploy", reason: "rsync", since: Date.UTC(2026, 0, 1), endsInMs: 600_000 };
  }
  async release(request: object = {}): Promise<Outcome> {
    this.turns.push({ call: "release", ...request });
    return { ...(await this.next()), trigger: "release" };
  }
  status(): AgentStatus {
    return this.currentStatus;
  }
  async staticEdges(): Promise<readonly Edge[]> {
    if (this.statics instanceof ReluaError) throw this.statics;
    return this.statics;
  }
  pinnedWhy(name: string): string | undefined {
    return this.#pins(name);
  }
  readServers(): ServersDocument {
    return this.servers;
  }
  async updateServers(put: ServersDocument) {
    this.updates++;
    const { next, problems, applied } = updateServers(this.servers, put);
    this.servers = next;
    return { problems, applied };
  }
  compile(label: string, code: string): string | undefined {
    this.compiled.push({ label, code });
    return code.includes("syntax error") ? `${label}:1: unexpected symbol near 'error'` : undefined;
  }
  on(event: string, listener: (...args: never[]) => void): void {
    this.#events.on(event, listener as (...args: unknown[]) => void);
  }
  emit(event: "plan" | "outcome" | "vm" | "log", ...args: unknown[]): void {
    this.#events.emit(event, ...args);
  }
}
