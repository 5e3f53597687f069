/** What an agent says to lualib/resty/relua.lua, by plain HTTP: entries, questions, and waiting for acknowledgements. */

import { Nginx, type NginxOptions, until } from "../support/nginx.ts";

export interface Entry {
  readonly generation: number;
  readonly evict: readonly string[];
  readonly recycle?: readonly string[];
  readonly pinned?: readonly string[];
  readonly files?: readonly { readonly path: string; readonly hash?: string; readonly kind?: string }[];
  readonly reasons?: Readonly<Record<string, readonly string[]>>;
}

export interface WorkerState {
  readonly id: number;
  readonly pid: number;
  readonly sequence: number;
  readonly generation: number;
  readonly modules: number;
  readonly appliedMs: number;
  readonly appliedAt: number;
  readonly seenAt: number;
  readonly errors: readonly string[];
  readonly pinned: readonly string[];
  readonly recycle: readonly string[];
}

export interface Report {
  readonly worker: number;
  readonly pid: number;
  readonly whole?: true;
  readonly loaded: readonly {
    readonly name: string;
    readonly path: string;
    readonly md5?: string;
    readonly failed?: true;
  }[];
  readonly unloaded: readonly string[];
  readonly edges: readonly {
    readonly from: string;
    readonly to: string;
    readonly kind: string;
    readonly at: string;
  }[];
  readonly pinned?: readonly string[];
}

export interface State {
  readonly version: number;
  readonly agent: string;
  readonly generation: number;
  readonly sequence: number;
  readonly workers: readonly WorkerState[];
  readonly reportSequence: number;
  readonly reports?: readonly Report[];
  readonly complete?: true;
}

export interface Reply {
  readonly status: number;
  readonly body: State & { readonly code?: string; readonly message?: string };
}

export interface LibraryOptions extends NginxOptions {
  /** Lua fields of `init_worker{}` beside `every`. */
  readonly options?: string;
  /** Lua of `init_by_lua_block`. */
  readonly init?: string;
  /** Lua that init_worker_by_lua_block runs after the library's `init_worker`. */
  readonly initWorker?: string;
  /** Default 1m. */
  readonly dict?: string;
  /** Seconds between two looks at the log; default 0.02. */
  readonly every?: number;
  /** Whether each request but those of the agent calls `sync()`; default no. */
  readonly sync?: boolean;
}

/** nginx with the library, its location at /relua; `server` has the rest. */
export function startWithLibrary(options: LibraryOptions = {}): Promise<Nginx> {
  const { init, initWorker = "", dict = "1m", every = 0.02 } = options;
  const rewrite = options.sync ? "rewrite_by_lua_block { require('resty.relua').sync() }" : "";
  return Nginx.start({
    ...options,
    http: `
      lua_shared_dict relua ${dict};
      ${init === undefined ? "" : `init_by_lua_block { ${init} }`}
      init_worker_by_lua_block {
        require("resty.relua").init_worker{ every = ${every}, ${options.options ?? ""} }
        ${initWorker}
      }
      ${options.http ?? ""}`,
    server: `
      ${rewrite}
      location = /relua {
        client_max_body_size 20m;
        content_by_lua_block { require("resty.relua").content() }
      }
      ${options.server ?? ""}`,
  });
}

/** One agent process: its own id, its own generations. */
export class AgentStandIn {
  readonly id: string;
  readonly #nginx: Nginx;
  #generation = 0;

  constructor(nginx: Nginx, id = "agent-1") {
    this.#nginx = nginx;
    this.id = id;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Evicts names as the next generation and returns when every worker has acknowledged it. */
  async commit(evict: readonly string[], more: Partial<Entry> = {}): Promise<State> {
    const since = this.#generation++;
    const reply = await this.post({
      agent: this.id,
      since,
      entries: [{ generation: this.#generation, evict, ...more }],
    });
    if (reply.status !== 200) throw new Error(`${reply.status} ${reply.body.code}: ${reply.body.message}`);
    return this.untilAcknowledged(reply.body.sequence);
  }

  post(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return this.send("POST", typeof body === "string" ? body : JSON.stringify(body), "", headers);
  }

  async state(query = ""): Promise<State> {
    return (await this.send("GET", undefined, query)).body;
  }

  async send(
    method: string,
    body: string | undefined,
    query = "",
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Reply> {
    const response = await fetch(`${this.#nginx.url}/relua${query}`, {
      method,
      headers: { "content-type": "application/json", connection: "close", ...headers },
      ...(body !== undefined && { body }),
    });
    return { status: response.status, body: (await response.json()) as Reply["body"] };
  }

  /** Waits until all workers that there are now have applied this entry. */
  async untilAcknowledged(sequence: number): Promise<State> {
    let state: State | undefined;
    await until(async () => {
      state = await this.state();
      const acknowledged = state.workers.filter((worker) => worker.sequence >= sequence);
      return this.#nginx.workers.every((pid) => acknowledged.some((worker) => worker.pid === pid));
    });
    return state as State;
  }
}
