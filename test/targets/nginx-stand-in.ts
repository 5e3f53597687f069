/**
 * nginx with lualib/resty/relua.lua as the protocol has it, workers, log and all, in one process: for what the real one
 * cannot be made to do on purpose. A module is a text; the words in it that are names of files are what it requires.
 */

import { createHash } from "node:crypto";
import type { StandInAnswer, StandInRequest } from "./http-stand-in.ts";

/** What `require` gave: with the instances that it holds itself. */
interface Instance {
  readonly text: string;
  readonly requires: ReadonlyMap<string, Instance>;
  /** Number of the report that told of it. */
  report: number | undefined;
}

interface Entry {
  readonly generation: number;
  readonly evict: readonly string[];
  readonly known: number;
}

interface StandInWorker {
  pid: number;
  applied: number;
  readonly loaded: Map<string, Instance>;
  /** Not told yet. */
  readonly news: { readonly loaded: Set<string>; readonly unloaded: Set<string>; whole: boolean };
}

interface Report {
  readonly number: number;
  readonly json: object;
}

export class NginxStandIn {
  /** Texts by module name; shared with whoever writes the files. */
  readonly files: Map<string, string>;
  readonly workers: StandInWorker[] = [];
  readonly #folder: string;
  #lastPid = 100;
  #sequence = 0;
  #entries = new Map<number, Entry>();
  #generations = new Map<string, number>();
  #reports: Report[] = [];
  #reportSequence = 0;
  #known = 0;
  #turns = 0;

  constructor(folder: string, files: Map<string, string>, workers: number) {
    this.#folder = folder;
    this.files = files;
    for (let id = 0; id < workers; id++) this.workers.push(this.#newWorker());
  }

  /** Runs a module in a worker, as a request does. */
  request(id: number, name: string): void {
    this.#require(this.workers[id] as StandInWorker, name);
  }

  respawn(id: number): void {
    this.workers[id] = this.#newWorker();
  }

  /** The process ends, and another one starts: nothing is left. */
  restart(): void {
    this.loseLog();
    for (const id of this.workers.keys()) this.workers[id] = this.#newWorker();
  }

  /** The shared dict is emptied under the workers. */
  loseLog(): void {
    this.#sequence = this.#reportSequence = this.#known = 0;
    this.#entries = new Map();
    this.#generations = new Map();
    this.#reports = [];
    for (const worker of this.workers) {
      for (const instance of worker.loaded.values()) instance.report = undefined;
      this.#retell(worker);
    }
  }

  /** What the workers hold under a name now: to be compared by identity. */
  instances(name: string): readonly object[] {
    return this.workers.flatMap(({ loaded }) => loaded.get(name) ?? []);
  }

  /** Modules that are not what a worker started now would load, or hold one that is not, in words. */
  get wrong(): readonly string[] {
    return this.workers.flatMap(({ loaded, applied }, id) =>
      [...loaded].flatMap(([name, { text, requires }]) => {
        const at = `worker ${id} (at ${applied}): ${name}`;
        if (text !== this.files.get(name)) return [`${at} is ${text}, not ${this.files.get(name)}`];
        return [...requires].flatMap(([to, held]) =>
          loaded.get(to) === held ? [] : [`${at} holds another ${to} than there is`],
        );
      }),
    );
  }

  readonly answer = ({ method, url, body }: StandInRequest): StandInAnswer => {
    // Timers of some workers, not of all: they do not all come to it at once.
    this.#turn(this.workers[this.#turns++ % this.workers.length] as StandInWorker);
    return method === "POST" ? this.#post(body) : this.#get(Number(/reports=(\d+)/.exec(url)?.[1]));
  };

  #get(since: number): StandInAnswer {
    this.#known = Math.min(since, this.#reportSequence);
    const isComplete = since === 0 || since > this.#reportSequence;
    let from = since;
    if (isComplete) {
      from = this.#reportSequence;
      for (const worker of this.workers) {
        this.#retell(worker);
        this.#turn(worker);
      }
    }
    const reports = this.#reports.filter(({ number }) => number > from).map(({ json }) => json);
    return this.#status({ reports, ...(isComplete && { complete: true }) });
  }

  #post(body: string): StandInAnswer {
    const { agent, since, entries } = JSON.parse(body) as {
      agent: string;
      since: number;
      entries: { generation: number; evict: string[] }[];
    };
    let has = this.#generations.get(agent) ?? 0;
    if (since > has)
      return { status: 409, body: JSON.stringify({ code: "gap", message: "", generation: has }) };
    for (const { generation, evict } of entries) {
      if (generation <= has) continue;
      this.#entries.set(++this.#sequence, { generation, evict, known: this.#known });
      this.#generations.set(agent, generation);
      has = generation;
    }
    return this.#status({});
  }

  #status(more: object): StandInAnswer {
    const workers = this.workers.map(({ pid, applied, loaded }, id) => ({
      id,
      pid,
      sequence: applied,
      generation: this.#entries.get(applied)?.generation ?? 0,
      modules: loaded.size,
      appliedMs: 0.1,
      appliedAt: 1,
      seenAt: 1,
      errors: [],
      pinned: [],
      recycle: [],
    }));
    const sequences = { sequence: this.#sequence, reportSequence: this.#reportSequence };
    return { status: 200, body: JSON.stringify({ version: 1, ...sequences, workers, ...more }) };
  }

  /** A worker's timer: applies what is new, then says what is new with it. */
  #turn(worker: StandInWorker): void {
    if (worker.applied > this.#sequence) this.#evict(worker, [...worker.loaded.keys()]);
    else
      for (let number = worker.applied + 1; number <= this.#sequence; number++) {
        const entry = this.#entries.get(number) as Entry;
        this.#evict(worker, this.#closure(worker, entry));
      }
    worker.applied = this.#sequence;
    this.#tell(worker);
  }

  #tell(worker: StandInWorker): void {
    const { news } = worker;
    if (!news.whole && news.loaded.size + news.unloaded.size === 0) return;
    const number = ++this.#reportSequence;
    const loaded = [...news.loaded].flatMap((name) => {
      const instance = worker.loaded.get(name);
      if (!instance) return [];
      instance.report = number;
      const md5 = createHash("md5").update(instance.text).digest("hex");
      return [{ name, path: `${this.#folder}/${name}.lua`, md5 }];
    });
    const edges = loaded.flatMap(({ name }) =>
      [...(worker.loaded.get(name)?.requires.keys() ?? [])].map((to) => ({
        from: name,
        to,
        kind: "load",
        at: "",
      })),
    );
    const id = this.workers.indexOf(worker);
    const json = {
      worker: id,
      pid: worker.pid,
      whole: news.whole,
      loaded,
      unloaded: [...news.unloaded],
      edges,
    };
    this.#reports.push({ number, json });
    news.loaded.clear();
    news.unloaded.clear();
    news.whole = false;
  }

  /** What is listed, and what was loaded on top of it since the agent heard of this worker. */
  #closure(worker: StandInWorker, { evict, known }: Entry): readonly string[] {
    const inside = new Set(evict);
    for (const name of inside)
      for (const [from, { requires, report }] of worker.loaded)
        if (requires.has(name) && (report === undefined || report > known)) inside.add(from);
    return [...inside];
  }

  #evict({ loaded, news }: StandInWorker, names: readonly string[]): void {
    for (const name of names) {
      if (!loaded.delete(name)) continue;
      news.loaded.delete(name);
      news.unloaded.add(name);
    }
  }

  #require(worker: StandInWorker, name: string): Instance | undefined {
    const known = worker.loaded.get(name);
    const text = this.files.get(name);
    if (known || text === undefined) return known;
    const requires = new Map<string, Instance>();
    for (const word of text.split(" ")) {
      const required = this.files.has(word) ? this.#require(worker, word) : undefined;
      if (required) requires.set(word, required);
    }
    const instance: Instance = { text, requires, report: undefined };
    worker.loaded.set(name, instance);
    worker.news.loaded.add(name);
    worker.news.unloaded.delete(name);
    return instance;
  }

  #retell({ loaded, news }: StandInWorker): void {
    news.whole = true;
    news.unloaded.clear();
    for (const name of loaded.keys()) news.loaded.add(name);
  }

  #newWorker(): StandInWorker {
    return {
      pid: ++this.#lastPid,
      applied: this.#sequence,
      loaded: new Map(),
      news: { loaded: new Set(), unloaded: new Set(), whole: true },
    };
  }
}
