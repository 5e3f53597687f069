/** One Lua VM: a state with its libraries, its `require` over the manifest, and its way from generation to generation. */

import { lua, type lua_State } from "#fengari";
import type { Bytecode, Move } from "../core/move.ts";
import { createPins, type PinnedWhy, withHotPins } from "../core/pins.ts";
import type { PlainValue } from "../core/plain-value.ts";
import { namesConcerned } from "../core/roots.ts";
import { candidates, parsePackagePath } from "../core/search-path.ts";
import type { Activity, Outcome, Running, Scheduler } from "./activity.ts";
import { CodeCache } from "./code-cache.ts";
import { evict, evictionOrder } from "./eviction.ts";
import { installFileFunctions } from "./file-functions.ts";
import { Files } from "./files.ts";
import { Generations, type View } from "./generations.ts";
import { Handlers } from "./handlers.ts";
import { Hot, type HotFailure, type HotListener } from "./hot.ts";
import type { ManifestView } from "./manifest-view.ts";
import { Observations } from "./observations.ts";
import { plainAt, pushPlain } from "./plain-values.ts";
import { installRequire, pushRequire, type Require } from "./require.ts";
import { Requirers } from "./requirers.ts";
import { createScheduler, type SchedulerOptions } from "./scheduler.ts";
import { type LuaRef, latin1ToUtf8, pushUtf8, utf8Bytes } from "./stack.ts";
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
  /** A require that would load a file under a second name raises an error. Default false. */
  readonly oneNamePerFile?: boolean;
  /** A line that Lua code printed; latin1. */
  print(line: string): void;
  printError(line: string): void;
  /** Without it dispose and adopt functions do not run: a canary serves nobody. */
  readonly hot?: HotHooks;
}

/** How dispose and adopt functions run. */
export interface HotHooks extends HotListener {
  /** For each function. */
  readonly allowance: Allowance;
}

/** What modules own beside their entry in `package.loaded`, and what must go when they do: timers. */
export interface Belongings {
  /** These modules are about to leave the active generation. Returns whether Lua code ran. */
  evicting(names: ReadonlySet<string>): boolean;
  /** The last request of an older generation is over. */
  ending(view: View): void;
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
  readonly files: Files;
  readonly #require: Require;
  readonly #requirers: Requirers;
  readonly #codeCache: CodeCache;
  readonly #hot: Hot;
  readonly #hotHooks: HotHooks | undefined;
  readonly #pinnedWhy: PinnedWhy;
  readonly #moduleGlobals = new Set<string>();
  #belongings: Belongings | undefined;

  constructor(options: VmOptions) {
    const { cwd, packagePath, oneNamePerFile = false } = options;
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
    this.files = files;
    this.scheduler = createScheduler(L, options);
    this.handlers = new Handlers({ files, codeCache });
    this.#hotHooks = options.hot;
    const searchPath = parsePackagePath(packagePath, cwd);
    const hot = new Hot({
      generations,
      observations,
      listener: options.hot,
      call: (view, fn, argument) => this.#callToItsEnd(view, fn, argument),
      resolves: (name, path) => {
        const exists = (at: string) => files.find(at, generations.active) !== undefined;
        return path === undefined || exists(path) || candidates(searchPath, name).some((c) => exists(c.path));
      },
    });
    this.#hot = hot;
    const requirers = new Requirers(files, observations);
    this.#requirers = requirers;
    this.#require = installRequire({
      ...{ L, generations, observations, files, hot, requirers },
      ...{ oneNamePerFile, cwd, packagePath },
    });
    installFileFunctions({ L, files, generations, requirers });
    this.#pinnedWhy = withHotPins(createPins(options.pinned), (name) => hot.isPinned(name));
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

  /** The modules that a chunk's functions are part of, as the running code sees them. */
  modulesOf(source: string): readonly string[] {
    return this.files.modulesOf(source, this.generations.shown);
  }

  /** From now on these hear when modules leave. */
  attach(belongings: Belongings): void {
    this.#belongings = belongings;
  }

  /** Begins an activity on the active generation, or an older one in use, which stays alive until `end`. */
  begin(allowance: Allowance, view?: View): Activity & { readonly view: View } {
    return { view: this.generations.acquire(view), startedAtMs: performance.now(), ...allowance };
  }

  end({ view }: { readonly view: View }): void {
    const { generations } = this;
    if (view.users === 1 && view !== generations.active) {
      this.#hot.ending(view);
      this.#belongings?.ending(view);
    }
    generations.release(view);
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
      const compiled = this.#codeCache.push(co, `${chunkName} ${code}`, chunkName, () => utf8Bytes(code));
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
      this.#codeCache.push(co, "=call", "=call", () => utf8Bytes(callChunk));
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
  move(move: Move, bytecode: Bytecode): readonly string[] {
    const { generations, observations } = this;
    // The plan knows what had been reported; what this VM has loaded meanwhile it finds by itself.
    const { present, absent } = move.manifest;
    const changes = [...present, ...absent.map((path) => ({ path }))];
    const order = this.#afterFarewell(() => {
      const own = changes.flatMap((change) => namesConcerned(observations.graph, change));
      return evictionOrder({ observations, pinnedWhy: this.#pinnedWhy }, move.evict, [...move.roots, ...own]);
    });
    this.files.offerBytecode(bytecode);
    for (const { path } of changes) this.files.replaced(path);
    for (const { path, file } of present) observations.graph.relocate(path, file);
    generations.advance(move.generation, move.manifest);
    this.#require.forgetFailures();
    this.#requirers.forget();
    return evict(
      {
        L: this.L,
        generations,
        observations,
        files: this.files,
        hot: this.#hot,
        pinnedWhy: this.#pinnedWhy,
        moduleGlobals: this.#moduleGlobals,
      },
      order,
    );
  }

  /**
   * Says farewell to the modules that go, while all is still in its place: dispose functions, then belongings. That
   * code may load further modules on top of them, so the order is asked for again. Returns the last one.
   */
  #afterFarewell(order: () => readonly string[]): readonly string[] {
    const told = new Set<string>();
    for (;;) {
      const names = order();
      const untold = names.filter((name) => !told.has(name));
      for (const name of untold) told.add(name);
      const disposed = this.#hot.dispose(untold);
      const left = this.#belongings?.evicting(told) ?? false;
      if (!disposed && !left) return names;
    }
  }

  /** Runs a function that registered itself with `relua.hot`; it cannot suspend, so that it is over on return. */
  #callToItsEnd(view: View, fn: LuaRef, argument: LuaRef): HotFailure | undefined {
    const hooks = this.#hotHooks;
    if (!hooks) return undefined;
    let failure: HotFailure | undefined;
    const done = (ended: Ended) => {
      if (!ended.ok) failure = ended;
    };
    const push = (co: lua_State) => {
      lua.lua_pushcfunction(co, callPlainly);
      fn(co);
      argument(co);
      return 2;
    };
    this.#run(hooks.allowance, "ignore", done, push, view);
    return failure;
  }

  #run(
    allowance: Allowance,
    results: Results,
    done: (ended: Ended) => void,
    push: (co: lua_State) => number,
    view?: View,
  ): Running {
    const activity = this.begin(allowance, view);
    return this.scheduler.run(activity, push, (outcome, co) => {
      const ended = endedOf(outcome, co, allowance, results);
      this.end(activity);
      done(ended);
    });
  }
}

/** Calls its first argument with the others, in a frame that nothing can suspend. */
function callPlainly(L: lua_State): number {
  lua.lua_call(L, lua.lua_gettop(L) - 1, 0);
  return 0;
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
      return {
        ok: false,
        message: latin1ToUtf8(outcome.message),
        traceback: latin1ToUtf8(outcome.traceback),
      };
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
