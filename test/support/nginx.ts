/** The real nginx of Debian with lua-nginx-module: a configuration and a folder of its own, ended by its process id. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type DebianPart, debianProgram } from "../debian.ts";
import { type Answer, ask } from "./http.ts";
import { createTree, type Tree } from "./tree.ts";

const modules = "/usr/lib/nginx/modules";
const luaModule = join(modules, "ngx_http_lua_module.so");
const installed = ["/usr/sbin/nginx"].find(existsSync);

/** For `itWithDebian`: nginx and its Lua module. */
export const nginxParts: readonly DebianPart[] = [
  { package: "nginx", path: debianProgram("nginx").path ?? installed },
  { package: "libnginx-mod-http-lua", path: existsSync(luaModule) ? luaModule : undefined },
];

/** `lualib/` of this repository. */
export const lualib = join(import.meta.dirname, "../../lualib");

export interface NginxOptions {
  /** Lua files by their path below `lua/`, which is on `lua_package_path` as `?.lua` and `?/init.lua`. */
  readonly files?: Readonly<Record<string, string>>;
  /** Directives outside of `http {}`. PREFIX stands for the folder. */
  readonly main?: string;
  /** Directives of `http {}`. PREFIX stands for the folder. */
  readonly http?: string;
  /** Directives of the one `server {}`, its locations. PREFIX stands for the folder. */
  readonly server?: string;
  /** Default 4. */
  readonly workers?: number;
  /** Environment of the process, e.g. `{ RELUA_TOKEN: "…" }`; workers see only what an `env` directive names. */

  readonly env?: Readonly<Record<string, string>>;
}

/** Time in which a state that a test waits for must come, in milliseconds. */
const patienceMs = 15_000;
/** More connections than it takes to reach every worker: the kernel picks one for each connection at random. */
const mostTries = 2_000;
const lookMs = 5;

export class Nginx {
  readonly url: string;
  readonly port: number;
  /** `nginx.conf`, `lua/` and nginx's temporary files. */
  readonly tree: Tree;
  readonly #process: ChildProcess;
  #log = "";
  #told = new AbortController();

  constructor(tree: Tree, port: number, process: ChildProcess) {
    this.tree = tree;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#process = process;
    process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#log += text;
      this.#told.abort();
      this.#told = new AbortController();
    });
  }

  /** Returns when every worker answers. Every answer says in `x-worker` which process gave it. */
  static async start(options: NginxOptions = {}): Promise<Nginx> {
    const tree = createTree();
    for (const [name, text] of Object.entries(options.files ?? {})) tree.write({ [`lua/${name}`]: text });
    for (let tries = 1; ; tries++) {
      const nginx = launch(tree, await freePort(), options);
      try {
        await nginx.untilWorkers((pids) => pids.length === (options.workers ?? defaultWorkers));
        await nginx.untilAllAnswer();
        return nginx;
      } catch (error) {
        await nginx.#stop();
        if (nginx.log.includes("Address already in use") && tries < 3) continue;
        tree.remove();
        throw new Error(`nginx did not start: ${nginx.log}`, { cause: error });
      }
    }
  }

  /** The master's. */
  get pid(): number {
    return this.#process.pid as number;
  }

  /** All that nginx has written to its error log, level notice. */
  get log(): string {
    return this.#log;
  }

  /** Process ids of the workers that take connections, ascending. */
  get workers(): readonly number[] {
    return childrenOf(this.pid)
      .filter((pid) => titleOf(pid) === "nginx: worker process")
      .sort((a, b) => a - b);
  }

  /** Those that a HUP has sent home and that still have something to do. */
  get leaving(): readonly number[] {
    return childrenOf(this.pid).filter((pid) => titleOf(pid) === "nginx: worker process is shutting down");
  }

  /** Puts Lua files below `lua/`, each whole at any moment: nginx loads from the disk. null removes. */
  write(files: Readonly<Record<string, string | null>>): void {
    for (const [name, text] of Object.entries(files)) {
      const path = `lua/${name}`;
      if (text === null) {
        this.tree.write({ [path]: null });
        continue;
      }
      this.tree.write({ [`${path}.new`]: text });
      renameSync(this.tree.path(`${path}.new`), this.tree.path(path));
    }
  }

  /** The answer of each worker to this path, by process id. */
  async askEveryWorker(path: string): Promise<ReadonlyMap<number, Answer>> {
    const answers = new Map<number, Answer>();
    for (let tries = 0; this.workers.some((pid) => !answers.has(pid)); tries++) {
      if (tries === mostTries)
        throw new Error(`only ${[...answers.keys()]} of ${this.workers} answer ${path}`);
      const answer = await ask(this.url + path);
      answers.set(workerOf(answer), answer);
    }
    return answers;
  }

  /** The bodies of `askEveryWorker`, sorted; each once. */
  async bodies(path: string): Promise<readonly string[]> {
    const answers = await this.askEveryWorker(path);
    return [...new Set([...answers.values()].map(({ body }) => body))].sort();
  }

  /** Waits until the log has a line that matches, in what was written after `from` characters. */
  async untilLog(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    const deadline = AbortSignal.timeout(patienceMs);
    for (;;) {
      const match = pattern.exec(this.#log.slice(from));
      if (match) return match;
      if (deadline.aborted) throw new Error(`no ${pattern} in ${this.#log.slice(from)}`);
      await pause(patienceMs, undefined, { signal: AbortSignal.any([deadline, this.#told.signal]) }).catch(
        () => {},
      );
    }
  }

  async untilWorkers(condition: (pids: readonly number[]) => boolean): Promise<void> {
    await until(() => {
      if (this.#process.exitCode !== null) throw new Error("nginx has ended");
      return condition(this.workers);
    });
  }

  /** SIGKILL to one worker; returns when the master has put another in its place and all answer. */
  async killWorker(pid: number): Promise<void> {
    const before = this.workers;
    process.kill(pid, "SIGKILL");
    await this.untilWorkers((pids) => !pids.includes(pid) && pids.length === before.length);
    await this.untilAllAnswer();
  }

  /** SIGHUP to the master; returns when none of the old workers takes connections and all new ones answer. */
  async reload(): Promise<void> {
    const before = this.workers;
    process.kill(this.pid, "SIGHUP");
    await this.untilWorkers(
      (pids) => pids.length === before.length && pids.every((pid) => !before.includes(pid)),
    );
    await this.untilAllAnswer();
  }

  async untilAllAnswer(): Promise<void> {
    await this.askEveryWorker("/_worker");
  }

  /** SIGTERM; returns when master and workers are gone and the folder is removed. */
  async end(): Promise<void> {
    await this.#stop();
    this.tree.remove();
  }

  async #stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    await exit;
  }
}

/** Which worker process gave an answer. */
export function workerOf(answer: Answer): number {
  return Number(answer.headers["x-worker"]);
}

/** Looks until the state has come. Rejects after 15 s. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const start = performance.now(); !(await condition()); await pause(lookMs))
    if (performance.now() - start > patienceMs)
      throw new Error(`not so after ${patienceMs} ms: ${condition}`);
}

const defaultWorkers = 4;

function launch(tree: Tree, port: number, options: NginxOptions): Nginx {
  tree.write({ "nginx.conf": configuration(tree.root, port, options) });
  const [nginx] = nginxParts;
  const child = spawn(nginx?.path ?? "nginx", ["-p", tree.root, "-c", tree.path("nginx.conf")], {
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  // A test run that is cut short leaves nothing behind.
  const kill = () => child.kill("SIGTERM");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  return new Nginx(tree, port, child);
}

function configuration(prefix: string, port: number, options: NginxOptions): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
daemon off;
${process.getuid?.() === 0 ? "user root;" : ""}
worker_processes ${options.workers ?? defaultWorkers};
pid nginx.pid;
error_log stderr notice;
load_module ${modules}/ndk_http_module.so;
load_module ${luaModule};
${(options.main ?? "").replaceAll("PREFIX", prefix)}
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${name}_temp;`).join("\n  ")}
  lua_package_path "${prefix}/lua/?.lua;${prefix}/lua/?/init.lua;${lualib}/?.lua;;";
  ${(options.http ?? "").replaceAll("PREFIX", prefix)}
  server {
    # One accept queue for each worker: without it, one idle worker would take nearly all connections.
    listen 127.0.0.1:${port} reuseport;
    add_header X-Worker $pid always;
    location = /_worker { return 200; }
    ${(options.server ?? "").replaceAll("PREFIX", prefix)}
  }
}
`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** A process may end while it is looked at: then it has no children and no title. */
function childrenOf(pid: number): readonly number[] {
  const text = readIfThere(`/proc/${pid}/task/${pid}/children`);
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map(Number);
}

function titleOf(pid: number): string {
  return readIfThere(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
