/** One Lua VM: a state with its libraries, its `require` over the manifest, and its way from generation to generation. */

import { lua, type lua_State } from "#fengari";
import type { SourceFile } from "../core/manifest.ts";
import { createPins } from "../core/pins.ts";
import type { PlainValue } from "../core/plain-value.ts";
import { namesConcerned } from "../core/roots.ts";
import type { Activity, Outcome, Running, Scheduler } from "./activity.ts";
import { CodeCache } from "./code-cache.ts";
import { evict, evictionOrder } from "./eviction.ts";
import { installFileFunctions } from "./file-functions.ts";
import { Files } from "./files.ts";
import { Generations, type View } from "./generations.ts";
import { Handlers } from "./handlers.ts";
import type { ManifestChange, ManifestView } from "./manifest-view.ts";
import { Observations } from "./observations.ts";
import { plainAt, pushPlain } from "./plain-values.ts";
import { installRequire, pushRequire, type Require } from "./require.ts";
import { createScheduler, type SchedulerOptions } from "./scheduler.ts";
import { pushUtf8 } from "./stack.ts";
import { createState } from "./state.ts";

export interface VmOptions extends SchedulerOptions {
  readonly generation: number;
  readonly manifest: ManifestView;
  /** `package.path` of the new state, expanded. */
  readonly packagePath: string;
  /** Absolute. */
  readonly cwd: string;
  /** Names and patterns that are never evicted. */
  readonly pinned: readonly string[];
  /** A line that Lua code printed; latin1. */
  print(line: string): void;
  printError(line: string): void;
}

/** What a VM needs to move to the next generation. */
export interface Move {
  readonly generation: number;
  readonly manifest: ManifestChange;
  /** Names to evict, dependents first. */
  readonly evict: readonly string[];
  /** Where the closure starts: dependents loaded here since the plan was made go as well. */
  readonly roots: readonly string[];
  readonly bytecode: ReadonlyMap<string, Uint8Array>;
}

/** How a chunk, a call or a load of this VM ended. */
export type Ended =
  | { readonly ok: true; readonly values: readonly PlainValue[] }
  | {
      readonly ok: false;
      readonly message: string;
      readonly traceback: string;
      /** Set when it was stopped from outside. */
      readonly killed?: "deadline" | "instructions" | "aborted";
    };

/** Whether what Lua returns is to leave the VM: a module's table could not. */
export type Results = "read" | "ignore";

/** What an activity may spend. */
export interface Allowance {
  readonly deadlineMs: number;
  readonly instructions: number;
  /** The activity's context, for the ngx API. */
  readonly context: unknown;
}

/** Lua side of `agent.call`: the module's function with the arguments that follow. */
const callChunk = `local module, name = ...
local loaded = require(module)
local fn = type(loaded) == "table" and loaded[name]
if not fn then error(("module '%s' has no function '%s'"):format(module, name), 0) end
return fn(select(3, ...))`;

export class LuaVm {
  readonly L: lua_State;
  readonly scheduler: Scheduler;
  readonly generations: Generations;
  readonly observations = new Observations();
  readonly handlers: Handlers;
  readonly #files: Files;
  readonly #require: Require;
  readonly #codeCache: CodeCache;
  readonly #pinnedWhy: ReturnType<typeof createPins>;
  readonly #moduleGlobals = new Set<string>();

  constructor(options: VmOptions) {
    const { cwd, packagePath } = options;
    this.L = createState({
      print: options.print,
      printError: options.printError,
      moduleGlobal: (name) => {
        this.#moduleGlobals.add(name);
        this.generations.confineGlobal(name);
      },
    });
    const { L, observations } = this;
    this.generations = new Generations(L, options.generation, options.manifest);
    const { generations } = this;
    const codeCache = new CodeCache(L);
    this.#codeCache = codeCache;
    const files = new Files({ codeCache, observations, cwd, packagePath });
    this.#files = files;
    this.scheduler = createScheduler(L, options);
    this.handlers = new Handlers({ files, codeCache });
    this.#require = installRequire({ L, generations, observations, files, cwd, packagePath });
    installFileFunctions({ L, files, generations, observations });
    this.#pinnedWhy = createPins(options.pinned);
  }

  /** Names that led to the last failed load, outermost first. */
  get failedChain(): readonly string[] {
    return this.#require.failedChain();
  }

  forgetFailures(): void {
    this.#require.forgetFailures();
  }

  /** The path a name was loaded from, or last searched to. */
  pathOf(name: string): string | undefined {
    return this.observations.graph.module(name)?.path;
  }

  /** A file's Lua source, ready for the compiler. */
  sourceOf(manifest: ManifestView, file: SourceFile): Uint8Array {
    return this.#files.sourceOf(manifest, file);
  }

  /** Begins an activity on the active generation, which stays alive until `end`. */
  begin(allowance: Allowance): Activity & { readonly view: View } {
    return { view: this.generations.acquire(), startedAtMs: performance.now(), ...allowance };
  }

  end(activity: { readonly view: View }): void {
    this.generations.release(activity.view);
  }

  /** Runs a chunk such as `init_by_lua` with the VM's own globals. */
  runChunk(
    label: string,
    code: string,
    allowance: Allowance,
    done: (ended: Ended) => void,
    results: Results = "ignore",
  ): Running {
    const chunkName = `=${label}`;
    return this.#run(allowance, results, done, (co) => {
      const compiled = this.#codeCache.push(co, `${chunkName} ${code}`, chunkName, () => toUtf8(code));
      if (compiled.ok) return 0;
      pushRaiser(co, compiled.message);
      return 0;
    });
  }

  /** `require(module)[fn](…args)`. */
  call(
    module: string,
    fn: string,
    args: readonly PlainValue[],
    allowance: Allowance,
    done: (ended: Ended) => void,
  ): Running {
    return this.#run(allowance, "read", done, (co) => {
      this.#codeCache.push(co, "=call", "=call", () => toUtf8(callChunk));
      pushUtf8(co, module);
      pushUtf8(co, fn);
      lua.lua_checkstack(co, args.length + 4);
      for (const argument of args) pushPlain(co, argument);
      return args.length + 2;
    });
  }

  /** `require(name)`, from nobody: no edge comes of it. Cannot suspend, so `done` has been called on return. */
  load(name: string, allowance: Allowance, done: (ended: Ended) => void): void {
    this.#run(allowance, "ignore", done, (co) => {
      pushRequire(co);
      pushUtf8(co, name);
      return 1;
    });
  }

  /** Moves to the next generation: at a safe point, with no Lua code running. Returns the names that were evicted. */
  move(move: Move): readonly string[] {
    const { generations, observations } = this;
    this.#files.offerBytecode(move.bytecode);
    // The plan knows what had been reported; what this VM has loaded meanwhile it finds by itself.
    const { present, absent } = move.manifest;
    const changes = [...present, ...absent.map((path) => ({ path }))];
    const own = changes.flatMap((change) => namesConcerned(observations.graph, change));
    for (const { path } of changes) {
      const was = generations.active.manifest.lookup(path);
      if (was) this.#files.replaced(was);
    }
    const order = evictionOrder({ observations, pinnedWhy: this.#pinnedWhy }, move.evict, [
      ...move.roots,
      ...own,
    ]);
    generations.advance(move.generation, move.manifest);
    this.#require.forget();
    return evict(
      {
        L: this.L,
        generations,
        observations,
        files: this.#files,
        pinnedWhy: this.#pinnedWhy,
        moduleGlobals: this.#moduleGlobals,
      },
      order,
    );
  }

  #run(
    allowance: Allowance,
    results: Results,
    done: (ended: Ended) => void,
    push: (co: lua_State) => number,
  ): Running {
    const activity = this.begin(allowance);
    return this.scheduler.run(activity, push, (outcome, co) => {
      const ended = endedOf(outcome, co, allowance, results);
      this.end(activity);
      done(ended);
    });
  }
}

function toUtf8(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "utf8"));
}

/** Pushes a function that raises `message` as it is; +1. */
function pushRaiser(L: lua_State, message: string): void {
  lua.lua_pushcfunction(L, (raising: lua_State) => {
    pushUtf8(raising, message);
    return lua.lua_error(raising);
  });
}

function endedOf(outcome: Outcome, co: lua_State, allowance: Allowance, results: Results): Ended {
  switch (outcome.kind) {
    case "returned": {
      if (results === "ignore") return { ok: true, values: [] };
      const top: number = lua.lua_gettop(co);
      try {
        const values = Array.from({ length: outcome.values }, (_, i) =>
          plainAt(co, top - outcome.values + 1 + i),
        );
        return { ok: true, values };
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        return { ok: false, message, traceback: message };
      }
    }
    case "error":
      return { ok: false, message: fromLatin1(outcome.message), traceback: fromLatin1(outcome.traceback) };
    case "exited":
      return { ok: false, message: "ngx.exit outside of a request", traceback: "" };
    case "killed": {
      const message =
        outcome.why === "deadline"
          ? `did not finish within ${allowance.deadlineMs} ms`
          : outcome.why === "instructions"
            ? `used up its ${allowance.instructions} instructions`
            : "aborted";
      return { ok: false, message, traceback: message, killed: outcome.why };
    }
  }
}

/** Messages hold names and paths: the bytes are UTF-8. */
function fromLatin1(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8");
}
