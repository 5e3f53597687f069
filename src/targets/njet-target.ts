/**
 * NJet as a target: `PUT http_lua_package_clean` with the names of the closure. Names are all it takes, and it answers
 * before its workers have applied anything; nobody ever learns whether they did.
 */

import type { Delivery, TargetReport, TargetStatus } from "../core/delivery.ts";
import { ReluaError } from "../errors.ts";
import type { HostTarget } from "../reload/target.ts";
import type { TargetContext } from "./context.ts";
import { Courier, type Delivered, type Host } from "./courier.ts";
import { HttpHost } from "./http-call.ts";
import { getText, verdictOf } from "./njet-answers.ts";
import { together, type Waiting } from "./waiting.ts";

export interface NjetSettings {
  readonly name?: string | undefined;
  /** NJet's control address; without a path it is `defaultPath`. */
  readonly url: string;
  /** Milliseconds for one call. */
  readonly timeoutMs: number;
}

const defaultPath = "/api/v1/config/http_lua_package_clean";
/** NJet refuses bodies over 5 MiB (MAX_CONFIG_BODY_LEN); smaller ones hold its workers up for less long. */
const mostBodyBytes = 1024 * 1024;
const answerBytes = 64 * 1024;
const noAcknowledgement =
  "NJet answers before its workers have applied a call: whether they did is not known, and one that reconnects misses it";

export class NjetTarget implements HostTarget, Host {
  readonly name: string;
  readonly #context: TargetContext;
  readonly #http: HttpHost;
  readonly #courier: Courier;
  /** How many bodies of this delivery NJet took already: they are not sent again when a later one fails. */
  #sent = { generation: 0, since: 0, bodies: 0 };

  constructor(name: string, { url, timeoutMs }: NjetSettings, context: TargetContext) {
    this.name = name;
    this.#context = context;
    const address = new URL(url);
    if (address.pathname === "/") address.pathname = defaultPath;
    this.#http = new HttpHost({ url: address.href, timeoutMs, answerBytes });
    this.#courier = new Courier({ name, host: this, context });
  }

  start(): void {
    this.#courier.start();
  }

  commit(delivery: Delivery): void {
    this.#courier.commit(delivery);
  }

  /** Its workers are not ours to replace. */
  recycle(): Promise<void> {
    return Promise.resolve();
  }

  async applied(generation: number, withinMs: number): Promise<TargetReport> {
    const { name } = this;
    const isApplied = await this.#courier.until(generation, withinMs);
    if (isApplied) return { target: name, applied: [], missing: [] };
    const { error } = this.#courier;
    return { target: name, applied: [], missing: [name], ...(error !== undefined && { error }) };
  }

  status(): TargetStatus {
    const { appliedGeneration, state, error } = this.#courier;
    return {
      name: this.name,
      type: "njet",
      state,
      generation: appliedGeneration,
      acknowledges: false,
      workers: [],
      error: error ?? noAcknowledgement,
    };
  }

  async close(): Promise<void> {
    await this.#courier.close();
    this.#http.close();
  }

  /**
   * Whether the API is there. Nothing is cleared: what its workers hold cannot be asked, and to clear everything would
   * drop the state of every module at each start of an agent.
   */
  async begin(unproven: () => readonly Waiting[], signal: AbortSignal): Promise<number> {
    const answer = await this.#http.call({ method: "GET", signal });
    const verdict = verdictOf(answer);
    if (answer.body.trim() !== getText)
      throw new ReluaError(
        "target-failed",
        verdict.kind === "failed" ? verdict.why : "a GET was answered as if it were a PUT",
      );
    const generation = unproven()[0]?.since ?? this.#context.generation();
    this.#courier.applied(generation);
    return generation;
  }

  async deliver(waiting: readonly Waiting[], signal: AbortSignal): Promise<Delivered> {
    const { since, generation, evicted } = together(waiting);
    // What is delivered together with something newer is another delivery: its names may have been loaded again.
    if (this.#sent.generation !== generation || this.#sent.since !== since)
      this.#sent = { generation, since, bodies: 0 };
    for (const body of bodiesOf(evicted.map((member) => member.name)).slice(this.#sent.bodies)) {
      const verdict = verdictOf(await this.#http.call({ method: "PUT", body, signal }));
      if (verdict.kind === "failed") throw new ReluaError("target-failed", verdict.why);
      if (verdict.remark !== undefined)
        this.#context.log("warn", `target ${this.name}: generation ${generation}: ${verdict.remark}`);
      this.#sent.bodies++;
    }
    this.#courier.applied(generation);
    return "taken";
  }

  attend(): Promise<number> {
    return Promise.resolve(Number.POSITIVE_INFINITY);
  }
}

/** JSON arrays of names, each within the bound. NJet reads C strings: a name with a NUL cannot be said, nor be required there. */
function bodiesOf(names: readonly string[]): readonly string[] {
  const bodies: string[] = [];
  let items: string[] = [];
  let bytes = 0;
  const flush = () => {
    if (items.length > 0) bodies.push(`[${items.join(",")}]`);
    items = [];
    bytes = 0;
  };
  for (const name of names) {
    if (name.includes("\0")) continue;
    const item = JSON.stringify(name);
    const itemBytes = Buffer.byteLength(item) + 1;
    if (bytes + itemBytes > mostBodyBytes) flush();
    items.push(item);
    bytes += itemBytes;
  }
  flush();
  return bodies;
}
