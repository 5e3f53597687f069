/**
 * NJet's `http_lua_package_clean` as its sources have it: one worker takes the call, clears the names in its
 * `package.loaded` and answers; the others hear of it over a message broker, later or, when they are away, never.
 * Sources: OpenNJet, njet-config-api-module/src/njt_ctrl_config_api_module.c (paths, bodies, answers of the control
 * server), njet-http-dyn-lua-module (njt_http_dyn_lua_package_clean_internal), njt_rpc_result_util.c.
 */

import type { StandInAnswer, StandInRequest } from "./http-stand-in.ts";

const mostBodyBytes = 5_242_880;
const apiPath = "/api/v1/config/http_lua_package_clean";

/** A worker: its cache of modules, and what the broker has for it. */
class NjetWorker {
  readonly loaded = new Map<string, string>();
  readonly inbox: string[][] = [];
  /** Messages are not kept for those who are not connected. */
  connected = true;

  clear(names: readonly string[]): void {
    for (const name of names) this.loaded.delete(name);
  }
}

export class NjetStandIn {
  readonly workers: readonly NjetWorker[];
  /** The control server cannot hand a call to the worker, in one of these ways. */
  trouble: "timeout" | "no-request-free" | "no-module" | "no-vm" | undefined;
  #files: Readonly<Record<string, string>>;

  constructor(files: Readonly<Record<string, string>>, workers = 4) {
    this.#files = files;
    this.workers = Array.from({ length: workers }, () => new NjetWorker());
  }

  /** New contents on the disk; what is loaded stays loaded. */
  write(files: Readonly<Record<string, string>>): void {
    this.#files = { ...this.#files, ...files };
  }

  /** `require` in one of the workers. */
  require(worker: number, name: string): string {
    const { loaded } = this.workers[worker] as NjetWorker;
    const module = loaded.get(name) ?? this.#files[name] ?? "not found";
    loaded.set(name, module);
    return module;
  }

  /** The broker brings what it has. */
  deliverMessages(): void {
    for (const worker of this.workers) for (const names of worker.inbox.splice(0)) worker.clear(names);
  }

  readonly answer = ({ method, url, body }: StandInRequest): StandInAnswer => {
    const path = url.replace(/\/+/g, "/").replace(/\/$/, "");
    // Prefix, version and module: other depths are not found.
    if (!/^\/api\/v1\/config(?:\/[^/]+)?$/.test(path)) return notFound;
    if (method === "GET") return path === apiPath ? ok("please use put to invoke this api\n") : noHandler;
    if (method !== "PUT" || path === "/api/v1/config") return notFound;
    const bytes = Buffer.byteLength(body);
    if (bytes < 2 || bytes > mostBodyBytes || this.trouble === "no-request-free") return badRequest;
    if (this.trouble === "timeout") return rpcTimeout;
    if (path !== apiPath || this.trouble === "no-module") return noHandler;
    return ok(JSON.stringify(this.#clean(body)));
  };

  #clean(body: string): object {
    if (this.trouble === "no-vm") return { code: 4, msg: "lua vm is empty" };
    let list: unknown;
    try {
      list = JSON.parse(body);
    } catch {
      return { code: 4, msg: "Failed to parse JSON string array" };
    }
    if (!Array.isArray(list)) return { code: 4, msg: "JSON payload is not an array" };
    // C strings: they end at the first NUL.
    const names = list.flatMap((item) =>
      typeof item === "string" ? [item.split("\0", 1)[0] as string] : [],
    );
    const [first, ...others] = this.workers;
    first?.clear(names);
    for (const worker of others) if (worker.connected) worker.inbox.push(names);
    return { code: 0, msg: "success." };
  }
}

const ok = (body: string): StandInAnswer => ({ status: 200, body });
const noHandler = ok('{"code":-1, "msg":"no rpc handler registered"}');
const notFound: StandInAnswer = { status: 404, body: '{"code":404,"msg":"not found error"}' };
const badRequest: StandInAnswer = {
  status: 400,
  body: '{"code":400,"msg":"Request body should be a valid JSON object and less than 5MB"}',
};
const rpcTimeout: StandInAnswer = { status: 500, body: '{\n  "code": 500,\n  "msg": "rpc timeout"\n}' };
