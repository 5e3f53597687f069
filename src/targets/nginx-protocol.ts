/** What the agent and lualib/resty/relua.lua say to each other: JSON over one location of nginx. docs/nginx.md has the calls. */

import { z } from "zod";
import { ReluaError } from "../errors.ts";
import { type HttpAnswer, HttpHost } from "./http-call.ts";
import type { Waiting } from "./waiting.ts";

/** A list as Lua writes it: some encoders make `{}` of an empty one. */
function list<T extends z.ZodType>(item: T) {
  return z.union([z.array(item), z.strictObject({}).transform((): z.output<T>[] => [])]);
}

const texts = list(z.string());

const workerSchema = z.object({
  /** `ngx.worker.id()` */
  id: z.int().min(0),
  pid: z.int(),
  /** Number of the last entry that it has applied. */
  sequence: z.int().min(0),
  modules: z.int().min(0),
  appliedMs: z.number(),
  /** Milliseconds since the epoch by nginx's clock: its last sign of life. */
  seenAt: z.number(),
  errors: texts.default([]),
  /** Modules that pinned themselves. */
  pinned: texts.default([]),
  /** What only a new worker can take. */
  recycle: texts.default([]),
});

const edgeSchema = z.object({
  from: z.string(),
  to: z.string(),
  kind: z.enum(["load", "call"]),
  at: z.string(),
});

const loadedSchema = z.object({
  name: z.string(),
  path: z.string(),
  /** Of the bytes that it runs; absent when they were not seen. */
  md5: z.string().optional(),
  /** Its chunk raised an error: `package.loaded` holds the mark of that. */
  failed: z.boolean().optional(),
});

const reportSchema = z.object({
  worker: z.int().min(0),
  pid: z.int(),
  /** What was reported of this worker before no longer counts. */
  whole: z.boolean().optional(),
  loaded: list(loadedSchema).default([]),
  unloaded: texts.default([]),
  edges: list(edgeSchema).default([]),
});

const answerSchema = z.object({
  version: z.literal(1),
  sequence: z.int().min(0),
  workers: list(workerSchema),
  reportSequence: z.int().min(0),
  reports: list(reportSchema).default([]),
});

export type WorkerRecord = z.output<typeof workerSchema>;
export type WorkerReport = z.output<typeof reportSchema>;
export type LoadedModule = z.output<typeof loadedSchema>;
export type NginxAnswer = z.output<typeof answerSchema>;

/** A generation, or what stands for it, in the log of nginx. */
export interface NginxEntry {
  readonly generation: number;
  /** Dependents first. */
  readonly evict: readonly string[];
  readonly reasons?: Readonly<Record<string, readonly string[]>>;
  readonly files: readonly { readonly path: string; readonly kind: string; readonly hash?: string }[];
  /** Pinned names that changed. */
  readonly recycle: readonly string[];
  /** Names that stay whatever happens: the config's. */
  readonly pinned: readonly string[];
}

export function entryOf(
  { generation, evicted, changes, recycleRequired }: Waiting,
  pinned: readonly string[],
) {
  return {
    generation,
    evict: evicted.map((member) => member.name),
    reasons: Object.fromEntries(evicted.map(({ name, because }) => [name, because])),
    files: changes.map(({ path, kind, hash }) => ({ path, kind, ...(hash !== undefined && { hash }) })),
    recycle: recycleRequired,
    pinned,
  } satisfies NginxEntry;
}

/** Longest answer that is read: what the workers have loaded. */
const answerBytes = 64 * 1024 * 1024;
/** Bodies beyond this go without the reasons, and entry by entry: the library takes 16 MiB. */
const roomyBytes = 4 * 1024 * 1024;

export class NginxHost {
  readonly #http: HttpHost;

  constructor(options: {
    readonly url: string;
    readonly token?: string | undefined;
    readonly timeoutMs: number;
  }) {
    this.#http = new HttpHost({ ...options, answerBytes });
  }

  /**
   * Where the workers stand, and their reports after number `reportsSince`; 0 for everything.
   * @throws ReluaError `target-failed`
   */
  async look(reportsSince: number, signal: AbortSignal): Promise<NginxAnswer> {
    return parse(await this.#http.call({ method: "GET", signal }, `?reports=${reportsSince}`));
  }

  /**
   * Appends entries to the log, in order; those that it has are skipped. `gap`: it does not have `since`.
   * @throws ReluaError `target-failed`
   */
  async append(
    agent: string,
    since: number,
    entries: readonly NginxEntry[],
    signal: AbortSignal,
  ): Promise<NginxAnswer | "gap"> {
    const body = JSON.stringify({ agent, since, entries });
    if (body.length <= roomyBytes) return this.#post(body, signal);
    let answer: NginxAnswer | "gap" = "gap";
    let last = since;
    for (const { reasons: _, ...entry } of entries) {
      answer = await this.#post(JSON.stringify({ agent, since: last, entries: [entry] }), signal);
      if (answer === "gap") break;
      last = entry.generation;
    }
    return answer;
  }

  close(): void {
    this.#http.close();
  }

  async #post(body: string, signal: AbortSignal): Promise<NginxAnswer | "gap"> {
    const answer = await this.#http.call({ method: "POST", body, signal });
    return answer.status === 409 && refusalOf(answer)?.code === "gap" ? "gap" : parse(answer);
  }
}

function parse(answer: HttpAnswer): NginxAnswer {
  if (answer.status !== 200) throw new ReluaError("target-failed", whyRefused(answer));
  const parsed = answerSchema.safeParse(json(answer.body));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where =
    issue === undefined || issue.path.length === 0 ? "" : ` (${issue.path.join(".")}: ${issue.message})`;
  throw new ReluaError("target-failed", `not an answer of resty.relua${where}`);
}

const refusalSchema = z.object({ code: z.string().max(100), message: z.string() });

function refusalOf({ body }: HttpAnswer): z.output<typeof refusalSchema> | undefined {
  return refusalSchema.safeParse(json(body)).data;
}

function whyRefused(answer: HttpAnswer): string {
  const refusal = refusalOf(answer);
  const said = refusal ? `: ${refusal.message.slice(0, 300)}` : "";
  switch (answer.status) {
    case 401:
      return `HTTP 401: the token is not the one that init_worker() was given${said}`;
    case 404:
      return `HTTP 404: no location of nginx answers at this address`;
    case 413:
      return `HTTP 413${said || ": the entry is too large for nginx (client_max_body_size, client_body_buffer_size)"}`;
    default:
      return `HTTP ${answer.status}${said}`;
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
